import type { Pool } from 'pg'
import type { Reconciler } from '../../jobs/reconciler.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import type { Model } from '../../project/project.ts'
import { champion, findVersion } from '../../registry/version-records.ts'
import { judgedNights } from '../drift/record.ts'
import { outcomeNights } from '../outcomes/outcome-nights.ts'
import { endLostCommands, requestRetraining, versionsToPromote, waitingRetrainings } from './record.ts'
import { dueTrigger, type Standing } from './triggers.ts'

/** Models with a trigger, no open retraining, and none that was begun within their cooldown. What they were judged by. */
const FREE = `
select m.model, concat_ws(' ', c.version, c.since,
         (select max(at) from nightshift.profiles where model = m.model),
         (select max(measured_at) from nightshift.outcomes where model = m.model),
         date_trunc('hour', now())) as seen
  from unnest($1::text[], $2::float8[]) as m (model, cooldown_ms)
  join nightshift.champions c on c.model = m.model
 where not exists (select from nightshift.retrainings r
                    where r.model = m.model
                      and (r.state in ('requested', 'running')
                           or (not r.dry_run and r.requested_at > now() - m.cooldown_ms * interval '1 millisecond')))`

/** By ledger and model, what a model was last judged by: nights of two months are not read again in every round. */
const judged = new WeakMap<object, Map<string, string>>()

/**
 * Asks for the retrainings that a trigger calls for, and enqueues those that wait for a process, or were lost with theirs.
 * A wiped queue loses none.
 */
export async function enqueueRetrainings({ database, queues, project }: Reconciler): Promise<void> {
  const models = Object.values(project().models).filter(({ retrain }) => retrain !== undefined)
  if (models.length === 0) return
  const { pool } = database
  const names = models.map(({ name }) => name)
  await endLostCommands(pool, names)
  await followTriggers(pool, models)
  for (const { id, model, tries } of await waitingRetrainings(pool, names)) {
    await queues.add('retraining', {
      id: `retraining-${id}-t${tries + 1}`,
      title: `retrain ${model}`,
      data: { retraining: id },
    })
  }
  const ready = models.filter(({ retrain }) => retrain?.promote === 'when-ready').map(({ name }) => name)
  for (const { id, model, version } of await versionsToPromote(pool, ready)) {
    await queues.add('retraining', {
      id: `promotion-${id}`,
      title: `ask whether ${model} version ${version} is ready`,
      data: { promotion: id },
    })
  }
}

async function followTriggers(pool: Pool, models: Model[]): Promise<void> {
  const { rows } = await pool.query<{ model: string; seen: string }>(FREE, [
    models.map(({ name }) => name),
    models.map(({ retrain }) => retrain?.cooldown.ms ?? 0),
  ])
  const before = judged.get(pool) ?? new Map<string, string>()
  judged.set(pool, before)
  for (const { model: name, seen } of rows) {
    const model = models.find((each) => each.name === name)
    if (model?.retrain === undefined || before.get(name) === seen) continue
    const due = await triggerOf(pool, model)
    if (due !== undefined) await requestRetraining(pool, { model: name, dry_run: false, by: null, ...due })
    before.set(name, seen)
  }
}

/** The trigger that a model meets now, if any. */
export async function triggerOf(pool: Pool, model: Model): Promise<ReturnType<typeof dueTrigger>> {
  const live = await champion(pool, model.name)
  const version = live && (await findVersion(pool, model.name, live.version))
  if (live === undefined || version === undefined || model.retrain === undefined) return undefined
  const now = await ledgerNow(pool)
  const own = await publishedBy(pool, model.name, live.version)
  const nights = (await judgedNights(pool, model.name, now.toISOString())).filter(({ run }) => own.has(run))
  const outcomes = await outcomeNights(pool, model.name, { from: '1000-01-01', to: now.toISOString() })
  const standing: Standing = {
    nights,
    outcomes: outcomes
      .filter((night) => night.version === live.version && night.state === 'measured')
      .map(({ partition, figures }) => ({ partition, auc: figures?.metrics.auc ?? null })),
    // In a simulation it may have been registered later than it is live.
    registered: version.registered_at < live.since ? version.registered_at : live.since,
  }
  return dueTrigger(model.retrain.when, standing, now)
}

/** Scheduled runs that a version has published. */
async function publishedBy(pool: Pool, model: string, version: number): Promise<Set<string>> {
  const { rows } = await pool.query<{ id: string }>(
    `select r.id from nightshift.slots s join nightshift.runs r on r.id = s.published_run
      where s.kind = 'scores' and s.name = $1 and r.version = $2 and r.backfill is null`,
    [model, version],
  )
  return new Set(rows.map(({ id }) => id))
}
