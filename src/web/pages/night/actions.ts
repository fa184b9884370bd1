import { html } from 'hono/html'
import type { Project } from '../../../project/project.ts'
import { buttonForm } from '../../buttons/button.ts'
import { forOperators } from '../../buttons/rights.ts'
import type { Html } from '../../layout.ts'
import type { Viewer } from '../../page-context.ts'
import { retyped } from '../../terminal.ts'
import type { Night } from './load.ts'
import { type Offered, offersFor } from './offers.ts'

/** What can be done about a night: for operators with buttons and commands. */
export function actions(night: Night, project: Project, viewer: Viewer | null) {
  return actionCard(offersFor(night, project, recipientOf(viewer)), { project, viewer })
}

/** The address that commands name. */
export function recipientOf(viewer: Viewer | null, usual = 'YOU'): string {
  return viewer?.name.includes('@') ? viewer.name : usual
}

interface CardOptions {
  project: Project
  viewer: Viewer | null
  /** Before what is offered. */
  first?: Html
  /** The page that shows what came of a button; default: that of the run. */
  back?: string
}

export function actionCard(offered: Offered[], { project, viewer, first = '', back }: CardOptions) {
  if (offered.length === 0 && first === '') return ''
  const each = linkedOnce(offered).map((it) =>
    action(it, { project, viewer, ...(back === undefined ? {} : { back }) }),
  )
  return html`<section class="card soon" aria-labelledby="act"><h2 id="act">What ${viewer?.role === 'operator' ? 'you' : 'an operator'} can do</h2><div class="actions">${first}${each}</div>${viewer?.role === 'operator' ? '' : html`<p class="small quiet">${forOperators(viewer)}</p>`}</section>`
}

/** A page that several commands have in common is linked at the first. */
function linkedOnce(offered: Offered[]): Offered[] {
  const first = new Map<string, Offered>()
  for (const it of offered) if (it.page !== undefined && !first.has(it.page.href)) first.set(it.page.href, it)
  return offered.map((it) =>
    it.page === undefined || first.get(it.page.href) === it ? it : { ...it, page: undefined },
  )
}

/** One thing that can be done; a viewer reads its purpose alone. */
export function action({ why, command, button, page }: Offered, { project, viewer, back }: CardOptions) {
  const link =
    page === undefined || button !== undefined ? '' : html`<p><a href="${page.href}">${page.text}</a></p>`
  if (viewer?.role !== 'operator') return html`<div class="action"><p>${why}</p>${link}</div>`
  return html`<div class="action"><p>${why}</p>
${button === undefined ? '' : buttonForm(button, viewer, back)}
${link}
<p class="small quiet">In the terminal: <code>${retyped(project, command)}</code></p></div>`
}
