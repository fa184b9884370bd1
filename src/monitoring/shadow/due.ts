import type { Reconciler } from '../../jobs/reconciler.ts'
import { type WarmVersion, warmVersions } from '../../registry/warm.ts'

/**
 * Enqueues the nights that a former champion still has to score in shadow: those published since the current champion
 * took over, up to `rollback.keep_warm_nights` nights. Derived from the ledger, so a wiped queue loses none.
 */
export async function enqueueShadows({ database, queues, project }: Reconciler): Promise<void> {
  const { models } = project()
  const warm = (await warmVersions(database.pool)).filter(
    ({ model, nights }) => nights > 0 && nights <= (models[model]?.rollback.keep_warm_nights ?? 0),
  )
  for (const version of warm) {
    for (const night of await openNights(database.pool, version)) {
      const { model, version: number } = version
      await queues.add('shadow', {
        id: `shadow-${model}-${number}-${night.features_run}`,
        title: `shadow ${model} ${night.partition} version ${number}`,
        data: { model, version: number, partition: night.partition, role: 'warm' },
      })
    }
  }
}

interface OpenNight {
  partition: string
  features_run: string
}

/** Nights published by the champion that the warm version has not scored on features with the currently published content. */
async function openNights(
  pool: Reconciler['database']['pool'],
  { model, version, champion, since }: WarmVersion,
): Promise<OpenNight[]> {
  const { rows } = await pool.query<OpenNight>(
    `select s.partition, f.published_run as features_run
       from nightshift.slots s
       join nightshift.runs r on r.id = s.published_run
       join nightshift.versions v on v.model = s.name and v.version = $2
       join nightshift.slots f on f.kind = 'features' and f.name = v.view and f.partition = s.partition and f.published_run is not null
       join nightshift.runs n on n.id = f.published_run
       left join nightshift.shadow_scores w on w.model = s.name and w.version = $2 and w.partition = s.partition
       left join nightshift.runs t on t.id = w.features_run
      where s.kind = 'scores' and s.name = $1 and s.published_at > $4 and r.backfill is null and r.version = $3
        and coalesce(t.content, w.features_run) is distinct from coalesce(n.content, n.id)
        and not exists (select from nightshift.monitor_tries t
                         where t.monitor = 'shadow' and t.subject = concat_ws(' ', s.name, $2::int, f.published_run)
                           and t.next_at > now())
      order by s.as_of desc limit 20`,
    [model, version, champion, since],
  )
  return rows
}
