import type { Pool } from 'pg'
import type { Reconciler } from '../../jobs/reconciler.ts'
import { type ActiveChallenger, activeChallengers } from '../../registry/challengers.ts'
import { type WarmVersion, warmVersions } from '../../registry/warm.ts'
import { nightsToCompare, nightsToRealize } from './shadow-night-records.ts'

/**
 * Enqueues what versions in shadow still have to do: nights to score, to compare, and to measure once their labels are
 * in. Derived from the ledger, so a wiped queue loses none.
 */
export async function enqueueShadows({ database, queues, project }: Reconciler): Promise<void> {
  const { models } = project()
  const { pool } = database
  const warm = (await warmVersions(pool)).filter(
    ({ model, nights }) => nights > 0 && nights <= (models[model]?.rollback.keep_warm_nights ?? 0),
  )
  const challengers = (await activeChallengers(pool)).filter(({ model }) => models[model] !== undefined)
  const both = (version: WarmVersion) =>
    challengers.some((each) => each.model === version.model && each.version === version.version)
  const open = [
    ...(await openNights(
      pool,
      warm.filter((version) => !both(version)),
      'warm',
    )),
    ...(await openNights(pool, challengers, 'challenger')),
  ]
  for (const { model, version, partition, features_run, role } of open) {
    await queues.add('shadow', {
      id: `shadow-${model}-${version}-${features_run}`,
      title: `shadow ${model} ${partition} version ${version}`,
      data: { task: 'score', model, version, partition, role },
    })
  }
  const names = Object.keys(models)
  const withCurrent = names.filter((name) => models[name]?.shadow.current !== undefined)
  const work = [
    { task: 'compare', nights: await nightsToCompare(pool, names, withCurrent) },
    { task: 'realize', nights: await nightsToRealize(pool, names) },
  ]
  for (const { task, nights } of work) {
    for (const { model, version, partition } of nights) {
      await queues.add('shadow', {
        id: `${task}-${model}-${version}-${partition}`,
        title: `${task} ${model} ${partition} version ${version}`,
        data: { task, model, version, partition },
      })
    }
  }
}

interface OpenNight {
  model: string
  version: number
  partition: string
  features_run: string
  role: 'warm' | 'challenger'
}

/** Features of the night are published that the version has not scored; a failure is not tried again on the same features. */
const UNSCORED = `
  join nightshift.versions v on v.model = s.name and v.version = $2
  join nightshift.slots f on f.kind = 'features' and f.name = v.view and f.partition = s.partition and f.published_run is not null
  join nightshift.runs n on n.id = f.published_run
  left join nightshift.shadow_scores w on w.model = s.name and w.version = $2 and w.partition = s.partition
  left join nightshift.runs t on t.id = w.features_run
 where s.kind = 'scores' and s.name = $1
   and coalesce(t.content, w.features_run) is distinct from coalesce(n.content, n.id)
   and not exists (select from nightshift.monitor_tries t
                    where t.monitor = 'shadow' and t.subject = concat_ws(' ', s.name, $2::int, f.published_run)
                      and t.next_at > now())`

/** Nights published by the champion since it replaced the warm version. */
const WARM = `
select s.partition, f.published_run as features_run
  from nightshift.slots s join nightshift.runs r on r.id = s.published_run ${UNSCORED}
   and s.published_at > $3 and r.backfill is null and r.version = $4
 order by s.as_of desc limit 20`

/**
 * Nights published since the challenger was started, and the one before, so that there is something to see at once.
 * Without a champion, nights whose features were published since.
 */
const CHALLENGER = `
select s.partition, f.published_run as features_run
  from nightshift.slots s left join nightshift.runs r on r.id = s.published_run
 cross join (select max(as_of) as as_of from nightshift.slots
              where kind = 'scores' and name = $1 and published_run is not null and published_at <= $3) before
 ${UNSCORED}
   and r.version is distinct from $2
   and case when s.published_run is not null then s.published_at > $3 or s.as_of = before.as_of
            else s.schedule is not null and s.due <= now() and f.published_at > $3
                 and not exists (select from nightshift.champions where model = $1) end
 order by s.as_of desc limit 20`

async function openNights(
  pool: Pool,
  versions: (WarmVersion | ActiveChallenger)[],
  role: OpenNight['role'],
): Promise<OpenNight[]> {
  const open: OpenNight[] = []
  for (const each of versions) {
    const { model, version } = each
    const { rows } =
      'since' in each
        ? await pool.query<Pick<OpenNight, 'partition' | 'features_run'>>(WARM, [
            model,
            version,
            each.since,
            each.champion,
          ])
        : await pool.query<Pick<OpenNight, 'partition' | 'features_run'>>(CHALLENGER, [
            model,
            version,
            each.started_at,
          ])
    open.push(...rows.map((row) => ({ ...row, model, version, role })))
  }
  return open
}
