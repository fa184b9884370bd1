import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Hono } from 'hono'
import { html } from 'hono/html'
import { layout } from '../layout.ts'
import type { Place } from '../place.ts'

/** `/models/:model/runbook`: a link in a mail ends in #<class of failure>, which is the heading of its section. */
export function mountRunbook(app: Hono, { project }: Place): void {
  app.get('/models/:model/runbook', (context) => {
    const model = project().models[context.req.param('model')]
    const path = model && join(model.folder, 'RUNBOOK.md')
    if (path === undefined || !existsSync(path)) {
      return context.html(
        layout('No such runbook', html`<p><code>nightshift runbook MODEL</code> writes one.</p>`),
        404,
      )
    }
    const sections = readFileSync(path, 'utf8').split(/^(?=## )/m)
    const body = sections.map((text) => {
      const anchor = /^## ([\w-]+)/.exec(text)?.[1]
      return html`<section${anchor === undefined ? '' : html` id="${anchor}"`}><pre>${text.trim()}</pre></section>`
    })
    return context.html(layout(`Runbook of ${model?.name}`, html`${body}`))
  })
}
