import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Model } from '../../project/project.ts'
import { modelHref } from '../addresses.ts'
import { download } from '../csv.ts'
import { missing, page } from '../page.ts'
import type { PageContext } from '../page-context.ts'
import { about, links, noNights, windowForm } from './model/about.ts'
import { driftSection } from './model/drift.ts'
import { loadModel, loadNights, type ModelView } from './model/load.ts'
import { nightsCsv, nightsSection } from './model/nights.ts'
import { outcomePictures } from './model/outcomes.ts'
import { readiness } from './model/readiness.ts'
import { rowsPicture, scorePicture, timesPicture } from './model/scores.ts'
import { measuredSection } from './model/segments.ts'
import { shadowSection } from './model/shadow.ts'
import { versionsSection } from './model/versions.ts'
import { type Window, windowOf } from './model/window.ts'

/** `/models/MODEL`: the model over its nights, by default the last 60; `?from=&to=` selects others. */
export function mountModel(app: Hono, pageContext: PageContext): void {
  for (const path of ['/models/:model{[^/]+\\.csv}', '/models/:model/nights.csv']) {
    app.get(path, (context) =>
      answer(context, pageContext, async (model, window) => {
        const nights = await loadNights(pageContext, model.name, window)
        return download(context, `${model.name}-nights.csv`, nightsCsv(nights))
      }),
    )
  }

  app.get('/models/:model', (context) =>
    answer(context, pageContext, async (model, window) => {
      const view = await loadModel(pageContext, model, window, context.get('viewer'))
      const body = html`<div class="pair">${about(view)}${readiness(view)}</div>
${windowForm(view)}
${view.nights.length === 0 ? noNights(view) : await pictures(view)}
<div class="pair wide">${measuredSection(view)}${versionsSection(view)}</div>
${shadowSection(view)}${view.nights.length === 0 ? '' : nightsSection(view)}`
      return page(context, model.name, body, {
        section: 'Overview',
        crumbs: [['/', 'Overview']],
        aside: links(view),
        foot: html`Times are in ${view.timezone}.${view.terminal(' In the terminal: ', `status ${model.name}`)}`,
      })
    }),
  )
}

async function pictures(view: ModelView) {
  const [scores, outcomes, rows, times] = await Promise.all([
    scorePicture(view),
    outcomePictures(view),
    rowsPicture(view),
    timesPicture(view),
  ])
  return html`<div class="charts">${scores}${outcomes}${rows}${times}</div>
${driftSection(view)}`
}

async function answer(
  context: Context,
  { project }: PageContext,
  work: (model: Model, window: Window) => Promise<Response>,
): Promise<Response> {
  const { models, timezone } = project()
  const name = (context.req.param('model') ?? '').replace(/\.csv$/, '')
  const model = models[name]
  if (model === undefined) {
    return missing(
      context,
      'No such model',
      html`<p>This project has ${Object.keys(models).join(', ') || 'no model'}, but none named ${name}. See <a href="/">all models</a>.</p>`,
    )
  }
  try {
    return await work(model, windowOf(context.req.query(), timezone))
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return page(
      context,
      model.name,
      html`<div class="card"><p class="error">${error.message}</p><p><a href="${modelHref(model.name)}">The last nights of ${model.name}</a></p></div>`,
      { status: 400 },
    )
  }
}
