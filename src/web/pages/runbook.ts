import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Hono } from 'hono'
import { html } from 'hono/html'
import { modelHref } from '../addresses.ts'
import { anchorOf, markdown } from '../markdown.ts'
import { missing, page } from '../page.ts'
import type { Place } from '../place.ts'

/** `/models/:model/runbook`: a link in a mail ends in #<class of failure>, which is the heading of its section. */
export function mountRunbook(app: Hono, { project }: Place): void {
  app.get('/models/:model/runbook', (context) => {
    const name = context.req.param('model')
    const model = project().models[name]
    const path = model && join(model.folder, 'RUNBOOK.md')
    if (model === undefined || path === undefined || !existsSync(path)) {
      const command = `npx nightshift runbook ${model === undefined ? 'MODEL' : name}`
      return missing(context, 'No such runbook', html`<p><code>${command}</code> writes one.</p>`)
    }
    const sections = readFileSync(path, 'utf8').split(/^(?=## )/m)
    const titles = sections.flatMap((text) => /^## +(.+?)\s*#*$/m.exec(text.split('\n')[0] ?? '')?.[1] ?? [])
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
