import { html } from 'hono/html'
import { backfillHref } from '../../addresses.ts'
import { rightsOf, withoutButtons } from '../../buttons/rights.ts'
import type { Viewer } from '../../page-context.ts'
import { terminalFor } from '../../terminal.ts'
import { byField, hidden } from '../readiness/offered.ts'
import type { BackfillView } from './load.ts'

type Name = 'pause' | 'resume' | 'cancel'

const CHANGES: Record<Name, { button: string; why: string }> = {
  pause: {
    button: 'Pause',
    why: 'No further night starts. Nights that run finish; those that wait are as they were before.',
  },
  resume: { button: 'Resume', why: 'The nights that are left are run.' },
  cancel: {
    button: 'Cancel',
    why: 'Ends it. Nights that run finish; those that have not started stay as they are.',
  },
}

/** Pause, resume and cancel, as far as the state allows them. */
export function changes({ backfill, project }: BackfillView, viewer: Viewer | null) {
  const { id, state, active } = backfill
  const names: Name[] =
    state === 'running' ? ['pause', 'cancel'] : state === 'paused' ? ['resume', 'cancel'] : []
  const rights = rightsOf(project, viewer)
  const terminal = terminalFor(viewer, project)
  const form = (name: Name) =>
    rights?.act !== true
      ? ''
      : html`<form method="post" action="${backfillHref(id)}/${name}">${hidden('csrf', rights.viewer.csrf)}${rights.viewer.local === true ? byField() : ''}<button${name === 'cancel' ? html` class="second"` : ''}>${CHANGES[name].button}</button></form>`
  const finishing =
    state !== 'running' && active > 0
      ? html`<p>${active === 1 ? 'One night that had started' : `${active} nights that had started`} still finish${active === 1 ? 'es' : ''}.</p>`
      : ''
  if (names.length === 0)
    return finishing === '' ? '' : html`<section class="card soon">${finishing}</section>`
  const refusal = withoutButtons(project, viewer)
  return html`<section class="card soon" aria-labelledby="act"><h2 id="act">What ${rights === undefined ? 'an operator' : 'you'} can do</h2>${finishing}<div class="actions">${names.map(
    (name) =>
      html`<div class="action"><p>${CHANGES[name].why}</p>${form(name)}<p class="small quiet">${terminal('In the terminal: ', `${name} ${id}`)}</p></div>`,
  )}</div>${refusal === undefined || rights?.act === true ? '' : html`<p class="small quiet">${refusal}</p>`}</section>`
}
