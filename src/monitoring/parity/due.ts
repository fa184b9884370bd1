import type { Reconciler } from '../../jobs/reconciler.ts'
import type { View } from '../../project/project.ts'

/**
 * Nights of the last days that are not compared yet, oldest first: all nights of views $1, and the newest night of
 * views $2 if a week has passed since the last comparison (less twelve hours, so that the comparison does not move
 * later from week to week).
 */
const OPEN = `
select run, name, partition from (
  select s.published_run as run, s.name, s.partition, s.published_at,
         row_number() over (partition by s.name order by s.published_at desc) as back
    from nightshift.slots s join nightshift.runs r on r.id = s.published_run
   where s.kind = 'features' and s.state = 'published' and r.backfill is null
     and s.published_at > now() - interval '3 days'
     and not exists (select from nightshift.certificates c where c.run = r.id and c.against = 'recomputed')
) n
 where not exists (select from nightshift.monitor_tries t
                    where t.monitor = 'parity' and t.subject = run and t.next_at > now())
   and not exists (select from nightshift.runs o where o.backfill is null and o.state in ('queued', 'running'))
   and (name = any($1) or (name = any($2) and back = 1 and not exists (
         -- The newest night may be about to be another.
         select from nightshift.runs o join nightshift.slots p on p.id = o.slot
          where p.kind = 'features' and p.name = n.name and o.state = 'publishing') and not exists (
         select from nightshift.certificates c
          where c.view = n.name and c.against = 'recomputed' and c.checked_at > now() - interval '6 days 12 hours')))
 order by published_at limit 20`

/**
 * Enqueues the comparison of each night's features with the training path, once no nightly work is open; a view with
 * `parity: weekly` is compared once a week. Missing comparisons are derived from the ledger, so a wiped queue loses
 * none. Nights of backfills are not compared.
 */
export async function enqueueParity({ database, queues, project }: Reconciler): Promise<void> {
  const views = Object.values(project().views)
  const named = (often: View['parity']) =>
    views.filter(({ parity }) => parity === often).map(({ name }) => name)
  const { rows } = await database.pool.query<{ run: string; name: string; partition: string }>(OPEN, [
    named('nightly'),
    named('weekly'),
  ])
  for (const { run, name, partition } of rows) {
    await queues.add('parity', {
      // A weekly view has one job at a time, however long it takes.
      id: views.some((view) => view.name === name && view.parity === 'weekly')
        ? `parity-weekly-${name}`
        : `parity-${run}`,
      title: `parity ${name} ${partition}`,
      data: { run },
    })
  }
}
