import type { Pool } from 'pg'
import { driftOfRun, type NightDrift, profilesOf } from '../../src/monitoring/drift/record.ts'

/** Drift of a model's nights that readers have, by night (oldest first) and in the order of the columns. */
export async function driftOf(pool: Pool, model: string, span: { to?: string } = {}): Promise<NightDrift[]> {
  const nights = await profilesOf(pool, model, span)
  return (await Promise.all(nights.map(({ run }) => driftOfRun(pool, run)))).flat()
}
