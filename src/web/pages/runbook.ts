import { join, relative } from 'node:path'
import type { Hono } from 'hono'
import { html } from 'hono/html'
import { readProjectFile } from '../../project/files/project-file.ts'
import { headingOf } from '../../project/init/runbook-skeleton.ts'
import { modelHref } from '../addresses.ts'
import { anchorOf, markdown } from '../markdown.ts'
import { missing, page } from '../page.ts'
import type { PageContext } from '../page-context.ts'
import { terminalFor } from '../terminal.ts'

/** `/models/:model/runbook`: a link in a mail ends in #<failure class>, the anchor of the class's section. */
export function mountRunbook(app: Hono, { project }: PageContext): void {
  app.get('/models/:model/runbook', (context) => {
    const name = context.req.param('model')
    const { models, root } = project()
    const model = models[name]
    const file = model && relative(root, join(model.folder, 'RUNBOOK.md'))
    const text = file === undefined ? undefined : readProjectFile(root, file)
    if (text !== undefined && typeof text !== 'string' && !text.missing) {
      return missing(context, 'This runbook cannot be shown', html`<p>${file}: ${text.fault}.</p>`)
    }
    if (model === undefined || typeof text !== 'string') {
      const terminal = terminalFor(context.get('viewer'), project())
      const what =
        model === undefined
          ? 'No model has this name.'
          : html`${name} has no RUNBOOK.md.${terminal(' To create one: ', `runbook ${name}`)}`
      return missing(context, 'No such runbook', html`<p>${what}</p>`)
    }
    const sections = text.split(/^(?=## )/m)
    const titles = sections.flatMap((text) => headingTitle(text))
    return page(
      context,
      `Runbook of ${name}`,
      html`<nav class="tags" aria-label="Sections">${titles.map((title) => html`<a class="tag" href="#${anchorOf(title)}">${title}</a>`)}</nav>
<div class="card prose">${sections.map((text) => html`<section>${markdown(text)}</section>`)}</div>`,
      {
        section: 'Incidents',
        crumbs: [[modelHref(name), name]],
        foot: html`Owner: ${model.owner}. On call: ${model.on_call.join(', ')}.`,
      },
    )
  })
}

function headingTitle(section: string): string[] {
  const heading = headingOf(section.split(/\r?\n/, 1)[0] ?? '')
  return heading?.level === 2 ? [heading.text] : []
}
