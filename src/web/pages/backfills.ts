import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { type Backfill, listBackfills } from '../../jobs/backfills/backfill-records.ts'
import { backfillHref, modelHref, withQuery } from '../addresses.ts'
import { unreadable } from '../filters.ts'
import { moment } from '../moment.ts'
import { missing, page } from '../page.ts'
import type { PageContext } from '../page-context.ts'
import { pageNumber, pageProblem, pager } from '../pager.ts'
import { column, labelled, number, table } from '../table.ts'
import { terminalFor } from '../terminal.ts'
import { backfillBody } from './backfills/backfill.ts'
import { loadBackfill } from './backfills/load.ts'
import { backfillMark, spanOf } from './backfills/state.ts'

/** Rows of a page of the list. */
const A_PAGE = 50

/** `/backfills?model=NAME&page=`: all backfills, the newest first; `/backfills/ID?page=`: one of them, night by night. */
export function mountBackfills(app: Hono, pageContext: PageContext): void {
  const { database } = pageContext

  app.get('/backfills', async (context) => {
    const project = pageContext.project()
    const model = context.req.query('model')?.trim() || undefined
    const given = context.req.query('page')
    if (pageProblem(given).length > 0) return wrongPage(context, given, '/backfills')
    const at = pageNumber(given)
    const all = await listBackfills(database.pool, model)
    const shown = all.slice((at - 1) * A_PAGE, at * A_PAGE)
    const terminal = terminalFor(context.get('viewer'), project)
    const none = html`<p>${model === undefined ? 'No backfill so far.' : `No backfill of ${model} so far.`} A model's readiness page starts one.</p>`
    return page(
      context,
      model === undefined ? 'Backfills' : `Backfills of ${model}`,
      html`<section class="card" aria-label="Backfills">${all.length === 0 ? none : list(shown, project.timezone)}</section>
${pager(at, all.length > at * A_PAGE, (page) => withQuery('/backfills', { model, page }), ['Newer', 'Older'])}`,
      {
        section: 'Backfills',
        ...(model === undefined ? {} : { crumbs: [['/backfills', 'Backfills']] }),
        foot: html`Times are in ${project.timezone}.${terminal(' In the terminal: ', `backfills${model === undefined ? '' : ` ${model}`}`)}`,
      },
    )
  })

  app.get('/backfills/:id', async (context) => {
    const id = context.req.param('id')
    const given = context.req.query('page')
    if (pageProblem(given).length > 0) return wrongPage(context, given, `/backfills/${id}`)
    const view = /^\d{1,15}$/.test(id)
      ? await loadBackfill(pageContext, Number(id), pageNumber(given))
      : undefined
    if (view === undefined) {
      return missing(
        context,
        'No such backfill',
        html`<p>The ledger has no backfill ${id}. <a href="/backfills">All backfills</a></p>`,
      )
    }
    const { backfill, project } = view
    return page(
      context,
      `Backfill ${backfill.id} of ${backfill.model}`,
      backfillBody(view, context.get('viewer')),
      {
        section: 'Backfills',
        crumbs: [
          ['/backfills', 'Backfills'],
          [modelHref(backfill.model), backfill.model],
        ],
        foot: html`Times are in ${project.timezone}. This page is as of ${moment(view.now, project.timezone)}.`,
      },
    )
  })
}

function list(backfills: Backfill[], timezone: string) {
  return table('Backfills, the newest first', backfills, [
    column(
      'Backfill',
      ({ id, model }: Backfill) => html`<a href="${backfillHref(id)}">${id}</a> of ${model}`,
    ),
    column('State', backfillMark),
    labelled('Nights', spanOf),
    number('Published', ({ published, nights }) => `${published} of ${nights}`),
    number('Failed', ({ failed }) => failed || ''),
    number('Held', ({ held }) => held || ''),
    labelled(
      'Begun',
      ({ started_at, by }) => html`${moment(started_at, timezone)}${by === null ? '' : ` by ${by}`}`,
    ),
  ])
}

function wrongPage(context: Context, given: string | undefined, path: string) {
  const all = { href: path, text: 'The first page' }
  return page(context, 'Backfills', unreadable(pageProblem(given), all), {
    section: 'Backfills',
    status: 400,
  })
}
