import type { ClientBase, Pool } from 'pg'
import type { EvaluationRecord } from './evaluations.ts'

type Connection = ClientBase | Pool

/** A model in the list of the registry. Times are ISO 8601 in UTC. */
export interface RegisteredModel {
  model: string
  versions: number
  newest: { version: number; registered_at: string; registered_by: string | null }
  champion: { version: number; since: string } | null
}

/** Models that have a version, by name. */
export async function registeredModels(connection: Connection): Promise<RegisteredModel[]> {
  const { rows } = await connection.query<{
    model: string
    versions: number
    version: number
    registered_at: string
    registered_by: string | null
    champion: number | null
    since: string | null
  }>(
    `select distinct on (v.model) v.model, count(*) over (partition by v.model)::int as versions, v.version,
            v.registered_at, v.registered_by, c.version as champion, c.since
       from nightshift.versions v left join nightshift.champions c on c.model = v.model
      order by v.model, v.version desc`,
  )
  return rows.map(({ model, versions, version, registered_at, registered_by, champion, since }) => ({
    model,
    versions,
    newest: { version, registered_at, registered_by },
    champion: champion === null || since === null ? null : { version: champion, since },
  }))
}

/** All evaluations of a model, newest first, without what their pictures are drawn from. */
export async function evaluationsOf(connection: Connection, model: string): Promise<EvaluationRecord[]> {
  const { rows } = await connection.query<EvaluationRecord>(
    `select id, model, version, dataset, at, by, passed, report - 'curves' as report from nightshift.evaluations
      where model = $1 order by at desc, id desc`,
    [model],
  )
  return rows
}

/** The origin of each version's baseline. */
export async function baselineTexts(
  connection: Connection,
  model: string,
): Promise<{ version: number; text: string; rows: number; at: string }[]> {
  const { rows } = await connection.query<{
    version: number
    text: string | null
    rows: number | null
    at: string
  }>(
    `select version, profile->>'text' as text, (profile->>'rows')::float8 as rows, at
       from nightshift.baselines where model = $1 order by version desc`,
    [model],
  )
  return rows.map(({ version, text, rows: count, at }) => ({
    version,
    text: text ?? '',
    rows: count ?? 0,
    at,
  }))
}

/** Shadow scores of a version: number of nights, the newest night, and number of failures. */
export interface ShadowSummary {
  version: number
  role: 'warm' | 'challenger'
  nights: number
  failed: number
  newest: string
}

export async function shadowsOf(connection: Connection, model: string): Promise<ShadowSummary[]> {
  const { rows } = await connection.query<ShadowSummary>(
    `select version, role, count(*) filter (where path is not null)::int as nights,
            count(*) filter (where path is null)::int as failed,
            (array_agg(partition order by as_of desc))[1] as newest
       from nightshift.shadow_scores where model = $1 group by version, role order by version desc`,
    [model],
  )
  return rows
}
