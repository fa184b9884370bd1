import type { Reconciler } from '../../jobs/reconciler.ts'

/**
 * Published nights of the last days without a profile, or with one from before their version had a baseline:
 * scheduled nights first, oldest first, then nights of backfills, newest first. Runs after nightly work.
 */
const OPEN = `
select r.id as run, s.name, s.partition
  from nightshift.slots s
  join nightshift.runs r on r.id = s.published_run
  left join nightshift.profiles p on p.run = r.id
  left join nightshift.baselines b on b.model = s.name and b.version = r.version
 where s.kind = 'scores' and s.state = 'published' and s.published_at > now() - interval '7 days'
   and s.name = any($1)
   and (p.run is null or (p.reference is null and b.at > p.at))
   and not exists (select from nightshift.monitor_tries t
                    where t.monitor = 'monitor' and t.subject = r.id and t.next_at > now())
   and not exists (select from nightshift.runs o where o.backfill is null and o.state in ('queued', 'running'))
 order by r.backfill is not null, case when r.backfill is null then s.as_of end, s.as_of desc
 limit 20`

/**
 * Enqueues the profile of each night's features and scores and its comparison with the reference, once no nightly
 * work is open. Missing profiles are derived from the ledger, so a wiped queue loses none. Nights of backfills are
 * profiled too, but raise no alert.
 */
export async function enqueueMonitors({ database, queues, project }: Reconciler): Promise<void> {
  const models = Object.keys(project().models)
  const { rows } = await database.pool.query<{ run: string; name: string; partition: string }>(OPEN, [models])
  for (const { run, name, partition } of rows) {
    await queues.add('monitor', {
      id: `monitor-${run}`,
      title: `monitor ${name} ${partition}`,
      data: { run },
    })
  }
}
