import type { Reconciler } from '../../jobs/reconciler.ts'
import type { Database } from '../../ledger/connection/database.ts'
import { scoresAtDeadline } from '../../ledger/nights/standing.ts'
import type { Model, Project } from '../../project/project.ts'
import { type AsOf, parseAsOf } from '../../project/time/asof.ts'
import { labelWindow } from '../../project/time/label-window.ts'
import { dueOutcomes, expectOutcome, immatureElsewhere, moveOutcome, type NextCheck } from './record.ts'

/** Published nights whose maturity is not recorded yet. Nights made only by a backfill do not count. */
const UNSEEN = `
select s.name, s.partition from nightshift.slots s
 where s.kind = 'scores' and s.name = any($1)
   and not exists (select from nightshift.outcomes o where o.model = s.name and o.partition = s.partition)
   and exists (select from nightshift.standings t join nightshift.runs r on r.id = t.run
                where t.slot = s.id and (r.backfill is null or s.deadline <= now()))
 order by s.as_of limit 200`

const BUSY = `
select exists (select from nightshift.runs where backfill is null and state in ('queued', 'running')) as busy`

type Measurable = Model & { labels: NonNullable<Model['labels']> }

/** Models whose outcomes can be measured. */
function measurable({ models, views }: Project): Measurable[] {
  return Object.values(models).flatMap((model) =>
    model.labels === undefined || views[model.view] === undefined ? [] : [{ ...model, labels: model.labels }],
  )
}

/**
 * Records for each published night when its label window ends; until then it is immature. A night that had no
 * published scores at its deadline has no outcome, and is recorded as failed with the reason. Immature nights follow
 * a changed horizon. Computes nothing.
 */
export async function expectOutcomes({ pool }: Database, project: Project): Promise<void> {
  const models = measurable(project)
  if (models.length === 0) return
  await followHorizons(pool, models, project.timezone)
  const { rows } = await pool.query<{ name: string; partition: string }>(UNSEEN, [
    models.map(({ name }) => name),
  ])
  for (const { name, partition } of rows) {
    const model = models.find((each) => each.name === name)
    if (model === undefined) continue
    const asOf = parseAsOf(partition, project.timezone)
    const waiting = waitingFor(asOf, model, project.timezone)
    const { atDeadline, deadline } = await scoresAtDeadline(pool, name, partition)
    const night = { ...waiting, partition, measured_at: null, report: null }
    if ('none' in atDeadline) {
      const outcome = { ...night, run: null, version: null, state: 'failed' as const, note: atDeadline.none }
      await expectOutcome(pool, outcome, { at: null, count: 0 })
      continue
    }
    const { run, version } = atDeadline.publication
    await expectOutcome(pool, { ...night, run, version, state: 'immature' }, firstCheck(waiting, deadline))
  }
}

/**
 * Immature nights recorded under another horizon or lag are moved to the current one in model.yaml; measured nights
 * are unchanged.
 */
async function followHorizons(pool: Database['pool'], models: Measurable[], timezone: string): Promise<void> {
  const windows = models.map(({ name, labels }) => ({
    name,
    horizon: labels.horizon.text,
    lag: labels.lag.text,
  }))
  for (const { model: name, partition, deadline } of await immatureElsewhere(pool, windows)) {
    const model = models.find((each) => each.name === name)
    if (model === undefined) continue
    const waiting = waitingFor(parseAsOf(partition, timezone), model, timezone)
    await moveOutcome(pool, { ...waiting, partition }, firstCheck(waiting, deadline))
  }
}

/** The record of a night whose label window is still open. */
function waitingFor(asOf: AsOf, { name, labels }: Measurable, timezone: string) {
  const { complete } = labelWindow(asOf, labels, timezone)
  return {
    model: name,
    as_of: asOf.instant,
    matures_at: complete,
    horizon: labels.horizon.text,
    lag: labels.lag.text,
    note: `its label window ends at ${complete}`,
  }
}

/** Before the deadline it is unknown which scores will be published then. */
function firstCheck({ matures_at }: { matures_at: string }, deadline: string | null): NextCheck {
  const late = deadline !== null && Date.parse(deadline) > Date.parse(matures_at)
  return { at: late ? deadline : matures_at, count: 0 }
}

/**
 * Enqueues nights whose labels may be available, once no nightly work is open: those whose window ended and those
 * with possible late labels, at the time the ledger states. A wiped queue loses none.
 */
export async function enqueueOutcomes({ database, queues, project }: Reconciler): Promise<void> {
  await expectOutcomes(database, project())
  const { rows } = await database.pool.query<{ busy: boolean }>(BUSY)
  if (rows[0]?.busy !== false) return
  const names = measurable(project()).map(({ name }) => name)
  for (const { model, partition } of await dueOutcomes(database.pool, names)) {
    await queues.add('outcomes', {
      id: `outcome-${model}-${partition}`,
      title: `outcome ${model} ${partition}`,
      data: { model, partition },
    })
  }
}
