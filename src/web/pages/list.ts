import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { explainScore } from '../../actions/rows/explain-score.ts'
import { type PublishedList, publishedList, withListFile } from '../../actions/rows/published-list.ts'
import { lastGood } from '../../ledger/nights/published.ts'
import { findRun } from '../../ledger/nights/run-records.ts'
import { findSlot } from '../../ledger/nights/slots.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Model } from '../../project/project.ts'
import { type AsOf, parseAsOf } from '../../project/time/asof.ts'
import { listHref, modelHref, nightHref, rowPage, runHref, withQuery } from '../addresses.ts'
import { moment } from '../moment.ts'
import { missing, page } from '../page.ts'
import { nowAt, type PageContext } from '../page-context.ts'
import { refuse } from '../security/guard.ts'
import { changeText, sizeText, tiesText } from './list/counts.ts'
import { rowBody } from './list/row.ts'
import { rowsRefused } from './list/rows-shown.ts'
import { changes, topTable } from './list/top.ts'
import { loadNight } from './night/load.ts'
import { verdict } from './night/verdict.ts'

/** How many of the highest scores a page shows. */
const TOPS = [20, 50, 200] as const

/**
 * `/nights/MODEL/AS-OF/list`: the list of a night for those who work with it; `list.csv` to download; `row?entity=` is one row with its
 * reasons. Files are read by one compute child at a time.
 */
export function mountList(app: Hono, pageContext: PageContext): void {
  const { database, project: files } = pageContext
  const oneAtATime = inTurn()

  app.get('/nights/:name/:partition/list', async (context) => {
    const asked = nightOf(context)
    if (asked === undefined) return noList(context)
    const { model, asOf } = asked
    const top = TOPS.find((each) => String(each) === context.req.query('top')) ?? TOPS[0]
    const project = files()
    const list = await oneAtATime(() =>
      publishedList({ project, database }, model, asOf, top).catch(explained),
    )
    if (list === undefined) return noListYet(context, asked)
    return typeof list === 'string' ? unreadable(context, list) : show(context, asked, list, top)
  })

  app.get('/nights/:name/:partition/list.csv', async (context) => {
    const asked = nightOf(context)
    if (asked === undefined) return noList(context)
    const refusal = rowsRefused(files(), context.get('viewer'))
    if (refusal !== undefined) return refuse(context, 'No rows', refusal)
    const { model, asOf } = asked
    const all = context.req.query('rows') === 'all'
    const project = files()
    const file = await oneAtATime(() =>
      withListFile({ project, database }, model, asOf, !all, openForReading).catch(explained),
    )
    if (file === undefined) return noList(context)
    if (typeof file === 'string') return unreadable(context, file)
    const name = `${model.name}-${asOf.label}${all ? '-all' : ''}.csv`.replaceAll(/[^\w.-]/g, '_')
    return new Response(file, {
      headers: {
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': `attachment; filename="${name}"`,
        'cache-control': 'no-store',
      },
    })
  })

  app.get('/nights/:name/:partition/row', async (context) => {
    const asked = nightOf(context)
    if (asked === undefined) return noList(context)
    const project = files()
    const refusal = rowsRefused(project, context.get('viewer'))
    if (refusal !== undefined) return refuse(context, 'No rows', refusal)
    const { model, asOf } = asked
    const entity = context.req.query('entity') ?? ''
    const found = await oneAtATime(() =>
      explainScore({ project, database }, model, entity, asOf).catch(explained),
    )
    const crumbs: [string, string][] = [
      ...crumbsOf(model, asOf),
      [listHref({ model: model.name, partition: asOf.label }), 'List'],
    ]
    if (typeof found === 'string')
      return page(
        context,
        'No such row',
        html`<div class="card"><p>${found}</p>${lookUp(model, asOf, entity)}</div>`,
        { status: 404, section: 'Overview', crumbs },
      )
    const who = Object.entries(found.entity).map(([name, value]) => `${name} ${value}`)
    return page(context, who.join(', '), rowBody(found, project.timezone), {
      section: 'Overview',
      crumbs,
      foot: html`Times are in ${project.timezone}.`,
    })
  })

  function nightOf(context: Context): { model: Model; asOf: AsOf } | undefined {
    const { models, timezone } = files()
    const model = models[context.req.param('name') ?? '']
    try {
      return model && { model, asOf: parseAsOf(context.req.param('partition') ?? '', timezone) }
    } catch (error) {
      if (error instanceof ConfigurationError) return undefined
      throw error
    }
  }

  /** Who opens the list of a night that is late, held or taken back is told so. */
  async function noListYet(context: Context, { model, asOf }: { model: Model; asOf: AsOf }) {
    const slot = await findSlot(database.pool, 'scores', model.name, asOf.label)
    const run = slot?.run == null ? undefined : await findRun(database.pool, slot.run)
    const loaded = slot && (await loadNight(pageContext, slot, run, await nowAt(pageContext)))
    if (loaded === undefined) return noList(context)
    return page(
      context,
      `List of ${model.name}, ${asOf.label}`,
      html`<section class="card first" aria-labelledby="may"><h2 id="may" class="sr">May it be used?</h2>${verdict(loaded, files().timezone, nightHref({ kind: 'scores', name: model.name, partition: asOf.label }, {}))}
<p>Nothing is published for ${asOf.label}. <a href="/">The list that readers have</a></p></section>`,
      { section: 'Overview', crumbs: crumbsOf(model, asOf), status: 404 },
    )
  }

  async function show(
    context: Context,
    { model, asOf }: { model: Model; asOf: AsOf },
    list: PublishedList,
    top: number,
  ) {
    const project = files()
    const now = await nowAt(pageContext)
    const night = { model: model.name, partition: asOf.label }
    const slot = await findSlot(database.pool, 'scores', model.name, asOf.label)
    const run = await findRun(database.pool, list.run.id)
    const loaded = slot && (await loadNight(pageContext, slot, run, now))
    const refusal = rowsRefused(project, context.get('viewer'))
    const here = listHref(night)
    const newest = await lastGood(database.pool, { kind: 'scores', name: model.name })
    const newer =
      newest === undefined || newest.partition === asOf.label
        ? ''
        : html`<p class="text-late">Readers have a newer list: <a href="${listHref({ model: model.name, partition: newest.partition })}">${newest.partition}</a>.</p>`
    const rows =
      refusal !== undefined
        ? html`<p class="quiet">${refusal}</p>`
        : html`<p class="small">Show ${TOPS.map((each) => (each === top ? html`<strong aria-current="true">${each}</strong> ` : html`<a href="${withQuery(here, { top: each })}">${each}</a> `))}· Download as CSV: ${list.facts.decided === null ? '' : html`<a href="${here}.csv">the list</a>, `}<a href="${here}.csv?rows=all">all rows</a></p>
${topTable(list, night)}${tiesText(list)}${lookUp(model, asOf, '')}`
    return page(
      context,
      `List of ${model.name}, ${asOf.label}`,
      html`<section class="card first" aria-labelledby="may"><h2 id="may" class="sr">May it be used?</h2>${loaded === undefined ? '' : verdict(loaded, project.timezone, nightHref({ kind: 'scores', name: model.name, partition: asOf.label }, {}))}${newer}
${model.description === '' ? '' : html`<p>${model.description}.</p>`}
<p>${sizeText(list, model.score)} Version ${list.run.version}, published ${moment(list.run.ended_at, project.timezone)} by run <a href="${runHref(list.run.id)}">${list.run.id}</a>.</p></section>
<section class="card" aria-labelledby="top"><h2 id="top">The highest scores</h2><p>${changeText(list)}</p>${methodText(list)}${rows}</section>
${refusal === undefined ? changes(list, night) : ''}`,
      { section: 'Overview', crumbs: crumbsOf(model, asOf), foot: html`Times are in ${project.timezone}.` },
    )
  }
}

function methodText({ facts: { method, top } }: PublishedList) {
  if (!top.some(({ reasons }) => reasons.length > 0)) return ''
  const unit = method?.split(', ')[1]
  return html`<p class="small quiet">Why: the features with the largest effects on the score${unit === undefined ? '' : unit === 'score' ? ', in the unit of the score' : `, in ${unit}`}; + raised it, - lowered it.</p>`
}

function lookUp(model: Model, asOf: AsOf, entity: string) {
  return html`<form class="inline" action="${rowPage({ model: model.name, partition: asOf.label })}"><label>Another row<input name="entity" required value="${entity}"></label><button>Show</button></form>`
}

function crumbsOf(model: Model, asOf: AsOf): [string, string][] {
  return [
    ['/', 'Overview'],
    [modelHref(model.name), model.name],
    [nightHref({ kind: 'scores', name: model.name, partition: asOf.label }, {}), asOf.label],
  ]
}

function noList(context: Context) {
  return missing(
    context,
    'No such list',
    html`<p>Nothing is published under this name and date. <a href="/">All nights</a></p>`,
  )
}

function unreadable(context: Context, why: string) {
  return page(
    context,
    'The list cannot be read',
    html`<div class="card"><p>${why}</p><p>Reload this page in a moment.</p></div>`,
    { status: 503 },
  )
}

/** What a page says in place of what cannot be read. */
function explained(error: unknown): string {
  if (error instanceof Failure || error instanceof ConfigurationError) return error.message
  throw error
}

/** A stream of a file that may be removed once it is open. */
async function openForReading(path: string) {
  return Readable.toWeb((await open(path)).createReadStream())
}

/** Runs one after the other, in the order of the calls. */
function inTurn(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const own = last.then(work, work)
    last = own.catch(() => {})
    return own
  }
}
