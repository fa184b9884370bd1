import type { ClientBase, Pool } from 'pg'
import type { Baseline } from '../../pipeline/profile/profile.ts'

/** The baseline of a version, undefined if it has none. */
export async function baselineOf(
  connection: ClientBase | Pool,
  model: string,
  version: number,
): Promise<Baseline | undefined> {
  const { rows } = await connection.query<{ profile: Baseline }>(
    'select profile from nightshift.baselines where model = $1 and version = $2',
    [model, version],
  )
  return rows[0]?.profile
}

/** Stores the baseline of a version once: later evaluations do not replace it. */
export async function storeBaseline(
  connection: ClientBase | Pool,
  model: string,
  version: number,
  baseline: Baseline,
): Promise<void> {
  await connection.query(
    `insert into nightshift.baselines (model, version, dataset, profile) values ($1, $2, $3, $4)
     on conflict (model, version) do nothing`,
    [model, version, baseline.dataset ?? '', JSON.stringify(baseline)],
  )
}
