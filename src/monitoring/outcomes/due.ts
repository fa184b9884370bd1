import type { Reconciler } from '../../jobs/reconciler.ts'
import type { Database } from '../../ledger/connection/database.ts'
import { scoresThatStood } from '../../ledger/nights/standing.ts'
import type { Model, Project } from '../../project/project.ts'
import { type AsOf, parseAsOf } from '../../project/time/asof.ts'
import { labelWindow } from '../../project/time/label-window.ts'
import { dueOutcomes, expectOutcome, immatureElsewhere, type Look, moveOutcome } from './record.ts'

/** Published nights of which nobody has said yet when they mature. Nights that only a backfill has made are none. */
const UNSEEN = `
select s.name, s.partition from nightshift.slots s
 where s.kind = 'scores' and s.name = any($1)
   and not exists (select from nightshift.outcomes o where o.model = s.name and o.as_of = s.as_of)
   and exists (select from nightshift.standings t join nightshift.runs r on r.id = t.run
                where t.slot = s.id and (r.backfill is null or s.deadline <= now()))
 order by s.as_of limit 200`

const BUSY = `
select exists (select from nightshift.runs where backfill is null and state in ('queued', 'running')) as busy`

type Measurable = Model & { labels: NonNullable<Model['labels']> }

/** Models of which it can be said what came of their scores. */
function measurable({ models, views }: Project): Measurable[] {
  return Object.values(models).flatMap((model) =>
    model.labels === undefined || views[model.view] === undefined ? [] : [{ ...model, labels: model.labels }],
  )
}

/**
 * Records of each published night when its label window is over: until then it is immature. A night of which no
 * scores stood at its deadline has no outcome, and is recorded as failed with the reason. Those that are immature
 * follow a horizon that has changed. Computes nothing.
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
    const { stood, deadline } = await scoresThatStood(pool, name, partition)
    const night = { ...waiting, partition, measured_at: null, report: null }
    if ('none' in stood) {
      const outcome = { ...night, run: null, version: null, state: 'failed' as const, note: stood.none }
      await expectOutcome(pool, outcome, { at: null, count: 0 })
      continue
    }
    const { run, version } = stood.publication
    await expectOutcome(pool, { ...night, run, version, state: 'immature' }, firstLook(waiting, deadline))
  }
}

/** Nights that wait under another horizon or lag than model.yaml has now wait under this one; measured ones stay. */
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
    await moveOutcome(pool, waiting, firstLook(waiting, deadline))
  }
}

/** What is on record of a night while its label window is not over. */
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

/** Before its deadline nobody knows which scores will have stood. */
function firstLook({ matures_at }: { matures_at: string }, deadline: string | null): Look {
  const late = deadline !== null && Date.parse(deadline) > Date.parse(matures_at)
  return { at: late ? deadline : matures_at, count: 0 }
}

/**
 * Enqueues the nights whose labels can be there, once no nightly work is open: those whose window is over, those
 * whose labels may have come late, each when the ledger says that it is looked at again. A wiped queue loses none.
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
