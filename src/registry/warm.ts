import type { ClientBase, Pool } from 'pg'
import { LATEST } from './challengers.ts'

/** The previous champion: it continues to score in shadow, so that a rollback takes seconds. */
export interface WarmVersion {
  model: string
  version: number
  /** The view that it was registered on. */
  view: string
  champion: number
  /** When the current champion replaced it, ISO 8601. */
  since: string
  /** Nights that the champion has published since. */
  nights: number
}

/** The previous champion of every model that has had two; the caller decides after how many nights it is dropped. */
export async function warmVersions(connection: ClientBase | Pool): Promise<WarmVersion[]> {
  const { rows } = await connection.query<WarmVersion>(
    `select c.model, h.from_version as version, v.view, c.version as champion, h.at as since,
            (select count(*)::int from nightshift.slots s join nightshift.runs r on r.id = s.published_run
              where s.kind = 'scores' and s.name = c.model and s.published_at > h.at and r.backfill is null
                and r.version = c.version) as nights
       from nightshift.champions c
       join lateral (select from_version, version, at from nightshift.history
                      where model = c.model and event in ('promoted', 'rolled back') order by id desc limit 1) h on true
       join nightshift.versions v on v.model = c.model and v.version = h.from_version
      where h.from_version is not null and h.from_version <> c.version and h.version = c.version`,
  )
  return rows
}

/** Shadow scores of a night by a version that is not champion. */
export interface ShadowScores {
  model: string
  version: number
  as_of: string
  partition: string
  features_run: string
  /** Relative to the warehouse. */
  path: string
  rows: number
  sha256: string
  metadata: Record<string, string>
}

/** The shadow scores of a night, undefined if there are none. */
export async function shadowScores(
  connection: ClientBase | Pool,
  model: string,
  version: number,
  label: string,
): Promise<ShadowScores | undefined> {
  const { rows } = await connection.query<ShadowScores>(
    `select model, version, as_of, partition, features_run, path, rows, sha256, metadata
       from nightshift.shadow_scores where model = $1 and version = $2 and partition = $3 and path is not null`,
    [model, version, label],
  )
  return rows[0]
}

/** Records shadow scores, or why they failed; of two concurrent records the later remains. */
export async function recordShadow(
  connection: ClientBase | Pool,
  scores: Pick<ShadowScores, 'model' | 'version' | 'as_of' | 'partition' | 'features_run'> & {
    role: 'warm' | 'challenger'
  } & (
      | (Pick<ShadowScores, 'path' | 'rows' | 'sha256' | 'metadata'> & { summary: unknown })
      | { failure: unknown }
    ),
): Promise<void> {
  const { model, version, as_of, partition, role, features_run } = scores
  const done = 'path' in scores ? scores : undefined
  await connection.query(
    `insert into nightshift.shadow_scores
       (model, version, as_of, partition, role, features_run, path, rows, sha256, metadata, summary, failure, at, first_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, now(), case when $7::text is not null then ${LATEST} end)
     on conflict (model, version, partition) do update
        set as_of = $3, role = $5, features_run = $6, path = $7, rows = $8, sha256 = $9, metadata = $10, summary = $11, failure = $12, at = now(),
            first_at = case when shadow_scores.role = $5 then coalesce(shadow_scores.first_at, excluded.first_at) else excluded.first_at end`,
    [
      model,
      version,
      as_of,
      partition,
      role,
      features_run,
      done?.path ?? null,
      done?.rows ?? null,
      done?.sha256 ?? null,
      done === undefined ? null : JSON.stringify(done.metadata),
      done === undefined ? null : JSON.stringify(done.summary),
      'failure' in scores ? JSON.stringify(scores.failure) : null,
    ],
  )
}
