import type { ClientBase, Pool } from 'pg'

/** A version with its newest evaluation. Times are ISO 8601 in UTC. */
export interface EvaluatedVersion {
  version: number
  registered_at: string
  registered_by: string | null
  dataset: string | null
  evaluation: { dataset: string; at: string; passed: boolean; auc: number | null } | null
}

interface VersionRow {
  version: number
  registered_at: string
  registered_by: string | null
  dataset: string | null
  evaluated_on: string | null
  at: string | null
  passed: boolean | null
  auc: number | null
}

/** All versions of a model, newest first, each with its newest evaluation. */
export async function evaluatedVersions(
  connection: ClientBase | Pool,
  model: string,
): Promise<EvaluatedVersion[]> {
  const { rows } = await connection.query<VersionRow>(
    `select v.version, v.registered_at, v.registered_by, v.dataset,
            e.dataset as evaluated_on, e.at, e.passed, (e.report->>'auc')::float8 as auc
       from nightshift.versions v
       left join lateral (
         select dataset, at, passed, report from nightshift.evaluations
          where model = v.model and version = v.version order by id desc limit 1) e on true
      where v.model = $1 order by v.version desc`,
    [model],
  )
  return rows.map(({ evaluated_on, at, passed, auc, ...row }) => ({
    ...row,
    registered_at: row.registered_at,
    evaluation:
      evaluated_on === null || at === null || passed === null
        ? null
        : { dataset: evaluated_on, at, passed, auc },
  }))
}
