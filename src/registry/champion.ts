import type { ClientBase } from 'pg'
import { type Database, transaction } from '../ledger/connection/database.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import { endChallenge } from './challengers.ts'
import { record } from './history-records.ts'
import { champion, refuseUnregistered } from './version-records.ts'

export interface Promotion {
  model: string
  version: number
  /** The champion that the caller saw; null if there was none. The pointer only moves from this version. */
  expected: number | null
  by: string | null
  /** Why the gate was overridden, or the reason for the rollback; null if none was given. */
  reason: string | null
  event: 'promoted' | 'rolled back'
  evidence?: Record<string, unknown>
  /** Runs in the same transaction, after the champion has changed. */
  also?: (client: ClientBase) => Promise<void>
}

/**
 * Makes a version the champion by compare-and-swap: of two concurrent promotions one succeeds and the other fails
 * with an error. Takes effect with the next run; a run that has started keeps its version.
 */
export async function promote(
  database: Database,
  promotion: Promotion,
): Promise<{ from: number | null; to: number; seconds: number }> {
  const start = performance.now()
  const { model, version } = promotion
  await transaction(database, async (client) => {
    await lockChampion(client, model)
    await refuseUnregistered(client, 'promote', model, version)
    const current = (await champion(client, model))?.version ?? null
    if (current !== promotion.expected) throw movedMeanwhile(model, promotion.expected, current, 'promote')
    if (current === version) return
    await client.query(
      `insert into nightshift.champions (model, version) values ($1, $2)
       on conflict (model) do update set version = $2, since = now()`,
      [model, version],
    )
    await record(client, {
      model,
      event: promotion.event,
      version,
      from_version: current,
      by: promotion.by,
      reason: promotion.reason,
      evidence: promotion.evidence ?? {},
    })
    await endChallenge(client, { model, version, by: promotion.by, reason: 'promoted' })
    await promotion.also?.(client)
  })
  return { from: promotion.expected, to: version, seconds: (performance.now() - start) / 1000 }
}

/**
 * Takes the champion out of service: no version is live from now on. By compare-and-swap, as `promote`; `also` runs in the
 * same transaction.
 */
export async function withdraw(
  database: Database,
  {
    model,
    expected,
    by,
    reason,
    also,
  }: Pick<Promotion, 'model' | 'by' | 'reason' | 'also'> & { expected: number },
): Promise<void> {
  await transaction(database, async (client) => {
    await lockChampion(client, model)
    const current = (await champion(client, model))?.version ?? null
    if (current !== expected) throw movedMeanwhile(model, expected, current, 'withdraw it')
    await client.query('delete from nightshift.champions where model = $1', [model])
    await record(client, {
      model,
      event: 'withdrawn',
      version: expected,
      from_version: expected,
      by,
      reason,
      evidence: {},
    })
    await also?.(client)
  })
}

async function lockChampion(client: ClientBase, model: string): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(hashtext('nightshift.champions'), hashtext($1))`, [model])
}

function movedMeanwhile(model: string, from: number | null, to: number | null, what: string): Error {
  return new ConfigurationError(
    `promote ${model}: another user changed the champion meanwhile, from ${named(from)} to ${named(to)}; ` +
      `check \`nightshift history ${model}\` and ${what} again if still needed`,
  )
}

function named(version: number | null): string {
  return version === null ? 'none' : `version ${version}`
}
