import type { Reconciler } from './reconcile.ts'

/** Nights of the last days that nobody has compared yet, oldest first. */
const OPEN = `
select s.published_run as run, s.name, s.partition,
       (select max(c.checked_at) from nightshift.certificates c where c.view = s.name and c.against = 'recomputed') as last
  from nightshift.slots s join nightshift.runs r on r.id = s.published_run
 where s.kind = 'features' and s.state = 'published' and r.backfill is null
   and s.published_at > now() - interval '3 days'
   and not exists (select from nightshift.certificates c where c.run = r.id and c.against = 'recomputed')
   and not exists (select from nightshift.runs o where o.backfill is null and o.state in ('queued', 'running', 'publishing'))
 order by s.published_at limit 20`

interface OpenNight {
  run: string
  name: string
  partition: string
  /** When the view was compared last. */
  last: Date | null
}

const WEEK_MS = 7 * 86_400_000 - 12 * 3_600_000

/**
 * Enqueues the comparison of each night's features with the training path, once no nightly work is open; a view with
 * `parity: weekly` is compared once a week. What is not compared yet is derived from the ledger: a wiped queue loses
 * none. Nights of backfills are not compared.
 */
export async function enqueueParity({ database, queues, project }: Reconciler): Promise<void> {
  const { rows } = await database.pool.query<OpenNight>(OPEN)
  const views = rows.length === 0 ? {} : project().views
  const weekly = new Set<string>()
  for (const { run, name, partition, last } of rows) {
    const view = views[name]
    if (view === undefined) continue
    if (view.parity === 'weekly') {
      if (weekly.has(name) || (last !== null && Date.now() - last.getTime() < WEEK_MS)) continue
      weekly.add(name)
    }
    await queues.add('parity', {
      id: `parity-${run}`,
      title: `parity ${name} ${partition}`,
      data: { run },
    })
  }
}
