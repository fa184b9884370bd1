import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { faceOf } from '../../ledger/nights/faces.ts'
import { releases } from '../../ledger/nights/released.ts'
import { findRun, type Run } from '../../ledger/nights/run-records.ts'
import { slotOfRun } from '../../ledger/nights/runs-of-slot.ts'
import { type Kind, listSlots, type Slot, slotTitle } from '../../ledger/nights/slots.ts'
import { driftOfRun } from '../../monitoring/drift/record.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { type AsOf, addDays, grainOf, parseAsOf } from '../../project/time/asof.ts'
import { listHref, modelHref, nightHref, runHref } from '../addresses.ts'
import { download } from '../csv.ts'
import type { Html } from '../layout.ts'
import { moment } from '../moment.ts'
import { missing, page } from '../page.ts'
import { nowAt, type PageContext } from '../page-context.ts'
import { stateMark } from '../state-mark.ts'
import { column, labelled, table } from '../table.ts'
import { terminalFor } from '../terminal.ts'
import { seesFailedRows } from './list/rows-shown.ts'
import { actions } from './night/actions.ts'
import { attempts } from './night/attempts.ts'
import { blockerCard } from './night/blocker.ts'
import { checks } from './night/checks.ts'
import { drift } from './night/drift.ts'
import { inputs } from './night/inputs.ts'
import { loadNight, type Night, slotNamed } from './night/load.ts'
import { outcome } from './night/outcome.ts'
import { parity } from './night/parity.ts'
import { provenance } from './night/provenance.ts'
import { shardTable } from './night/shards.ts'
import { featuresLine, otherRuns, summary } from './night/summary.ts'
import { driftCsv, nightCsv } from './night/tables.ts'
import { unknownValues } from './night/unknown-values.ts'

/** `/nights/NAME/AS-OF` and `/runs/RUN`: everything about one night, from its newest run or the given run. */
export function mountNight(app: Hono, pageContext: PageContext): void {
  const { database } = pageContext

  app.get('/runs/:id/drift.csv', async (context) => {
    const id = context.req.param('id')
    const columns = await driftOfRun(database.pool, id)
    const [first] = columns
    if (first === undefined)
      return missing(
        context,
        'No drift of this run',
        html`<p>Run ${id} was not compared with a reference.</p>`,
      )
    return download(context, `${first.model}-${first.partition}-drift.csv`, driftCsv(columns))
  })

  app.get('/runs/:id', async (context) => {
    const id = context.req.param('id')
    const [run, slot] = await Promise.all([findRun(database.pool, id), slotOfRun(database.pool, id)])
    if (run === undefined || slot === undefined) {
      return missing(
        context,
        'No such run',
        html`<p>The ledger has no run ${id}. <a href="/runs">Search the runs</a></p>`,
      )
    }
    return show(context, pageContext, slot, run)
  })

  app.get('/nights/:name/:partition', async (context) => {
    const { name, partition } = context.req.param()
    const table = partition.endsWith('.csv')
    const asOf = read(partition.replace(/\.csv$/, ''), pageContext)
    const given = context.req.query('kind')
    const kind = given === 'features' || given === 'scores' ? given : undefined
    const slot = asOf && (await slotNamed(pageContext, name, asOf, kind))
    if (slot !== undefined) {
      const run = slot.run === null ? undefined : await findRun(database.pool, slot.run)
      if (!table) return show(context, pageContext, slot, run)
      return download(
        context,
        `${name}-${slot.partition}.csv`,
        nightCsv(await loadNight(pageContext, slot, run, await nowAt(pageContext))),
      )
    }
    const hours = asOf === undefined || table ? [] : await hoursOf(pageContext, name, asOf, kind)
    if (hours.length > 0) return day(context, pageContext, name, partition, hours)
    const terminal = terminalFor(context.get('viewer'), pageContext.project())
    return missing(
      context,
      'No such night',
      html`<p>The ledger has no slot named ${name} for ${partition}.</p><p>See <a href="/">all nights</a>${terminal(', or create one: ', `run ${name} --as-of ${partition}`)}</p>`,
    )
  })
}

async function show(context: Context, pageContext: PageContext, slot: Slot, run: Run | undefined) {
  const project = pageContext.project()
  const now = await nowAt(pageContext)
  const night = await loadNight(pageContext, slot, run, now)
  const view = night.features?.run
  const own = run?.checks ?? []
  const viewer = context.get('viewer')
  const terminal = terminalFor(viewer, project)
  const withRows = seesFailedRows(project, viewer)
  const body = html`<div class="columns"><div>
${summary(night, project, now)}
${checks([...own, ...(view?.checks ?? [])], { about: view === undefined ? '' : `of the scores and of view ${view.name}`, timezone: project.timezone, withRows, releases: releases([run, view]) })}
</div><div>
${blockerCard(night, project, now, viewer)}
${actions(night, project, viewer)}
${night.blocker === undefined ? featuresLine(night, project, now) : ''}
${parity(night.certificate, project, withRows)}
</div></div>
${run === undefined ? '' : await drift(night, `${runHref(run.id)}/drift.csv`)}
${outcome(night, project, now, terminal)}
<div class="columns"><div>
${unknownValues(run?.unknown_values ?? [])}
${attempts(night.attempts, project, viewer?.role === 'operator')}
${shardTable(night.shards)}
</div><div>
${provenance(night, project, terminal)}
${otherRuns(night, project, now)}
</div></div>
${inputs(run?.inputs.length ? run.inputs : (view?.inputs ?? []), project, view === undefined ? 'As of the time they were read.' : `Inputs of view ${view.name}, as of the time they were read.`)}`
  return page(context, titleOf(night), body, {
    section: 'Overview',
    crumbs: crumbsOf(slot),
    aside: html`${neighbours(night, project.models)}${downloads(night, project.models)}`,
    foot: html`Times are in ${project.timezone}.${terminal(' In the terminal: ', run === undefined ? `status ${slot.name}` : `show ${run.id}`)}`,
  })
}

function titleOf({ slot, run }: Night): string {
  return run === undefined || run.id === slot.run
    ? `${slot.name}, ${slot.partition}`
    : `${slotTitle(slot)}, run ${run.id}`
}

function crumbsOf({ kind, name }: Slot): [string, string][] {
  return [
    ['/', 'Overview'],
    ...(kind === 'scores' ? [[modelHref(name), name] satisfies [string, string]] : []),
  ]
}

/** Links to the nights before and after this one. */
function neighbours({ neighbours: { before, after } }: Night, models: Record<string, unknown>) {
  if (before === undefined && after === undefined) return ''
  return html`<nav class="beside-night" aria-label="Nights">${before === undefined ? '' : html`<a rel="prev" href="${nightHref(before, models)}"><span aria-hidden="true">←</span> <span class="sr">Previous night:</span> ${before.partition}</a>`}${after === undefined ? '' : html`<a rel="next" href="${nightHref(after, models)}"><span class="sr">Next night:</span> ${after.partition} <span aria-hidden="true">→</span></a>`}</nav>`
}

/** Links to downloads, next to the title. */
function downloads({ slot, drift: columns, run }: Night, models: Record<string, unknown>): Html {
  const href = nightHref(slot, models)
  const table = href.includes('?') ? href.replace('?', '.csv?') : `${href}.csv`
  const list = slot.kind === 'scores' && slot.published_run !== null
  return html`<div class="small">${list ? html`<a href="${listHref({ model: slot.name, partition: slot.partition })}">The list</a> · ` : ''}<a href="${table}">This night as CSV</a>${columns.length === 0 || run === undefined ? '' : html` · <a href="${runHref(run.id)}/drift.csv">Drift as CSV</a>`}</div>`
}

/** The hours of a date. */
async function hoursOf(
  { database, project }: PageContext,
  name: string,
  asOf: AsOf,
  kind: Kind | undefined,
): Promise<Slot[]> {
  if (grainOf(asOf) === 'hour') return []
  const end = Date.parse(addDays(asOf, 1, project().timezone).instant) - 1
  const slots = await listSlots(database.pool, { name, from: asOf.instant, to: new Date(end).toISOString() })
  return slots.filter((slot) => kind === undefined || slot.kind === kind)
}

async function day(
  context: Context,
  pageContext: PageContext,
  name: string,
  partition: string,
  slots: Slot[],
) {
  const { timezone, models } = pageContext.project()
  const now = await nowAt(pageContext)
  return page(
    context,
    `${name}, ${partition}`,
    html`<section class="card">${table(`Hours of ${partition}`, slots, [
      column('Hour', (slot) => html`<a href="${nightHref(slot, models)}">${slot.partition}</a>`),
      column('State', (slot) => stateMark(faceOf(slot, now))),
      labelled('Published', (slot) => moment(slot.published_at, timezone)),
      column('Why', (slot) => slot.waits_for ?? slot.reason),
    ])}</section>`,
    { section: 'Overview', crumbs: [['/', 'Overview']] },
  )
}

function read(partition: string, { project }: PageContext): AsOf | undefined {
  try {
    return parseAsOf(partition, project().timezone)
  } catch (error) {
    if (error instanceof ConfigurationError) return undefined
    throw error
  }
}
