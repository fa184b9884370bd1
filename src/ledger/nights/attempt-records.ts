import type { ClientBase } from 'pg'
import { beginJoin } from '../shards/claim-shard.ts'
import { findSplit, type Split } from '../shards/split-records.ts'
import { attemptId, findRun, type Run } from './run-records.ts'
import { beginAttempt, continueAttempt } from './run-transitions.ts'
import { lockSlot } from './slots.ts'

/** The result of claiming a job. */
export type Claim =
  | { kind: 'started'; run: Run; number: number; fence: number; knownAt: string }
  /** All shards of the attempt are done: this worker joins them. */
  | { kind: 'join'; run: Run; number: number; fence: number; split: Split }
  /** The queue delivered a job whose attempt has already started: its worker is considered dead. */
  | { kind: 'lost'; run: Run; number: number }
  /** Nothing to do: the run has ended, was cancelled, or this job belongs to an earlier attempt. */
  | { kind: 'ended'; reason: string }

/**
 * Starts an attempt: takes the fence that its commit is checked against, and `knownAt`, the earliest time of its
 * reads by the ledger's clock. The lock on the slot serializes two deliveries of one job.
 */
export async function claimAttempt(
  client: ClientBase,
  runId: string,
  number: number,
  { worker }: { worker: string },
): Promise<Claim> {
  const seen = await findRun(client, runId)
  if (seen === undefined) return { kind: 'ended', reason: `run ${runId} is not in the ledger` }
  await lockSlot(client, seen.slot)
  const run = (await findRun(client, runId)) ?? seen
  if (run.state === 'running' && run.attempt === number) {
    const split = await findSplit(client, runId, number)
    if (split === undefined || split.joining_at !== null) return { kind: 'lost', run, number }
    if (!(await beginJoin(client, runId, number)))
      return { kind: 'ended', reason: `run ${runId} waits for its shards` }
    return { kind: 'join', run, number, fence: await continueAttempt(client, runId, number, worker), split }
  }
  if (run.state !== 'queued') return { kind: 'ended', reason: `run ${runId} is ${run.state}` }
  if (run.attempt !== number - 1) {
    return {
      kind: 'ended',
      reason: `run ${runId} is at attempt ${run.attempt}, but this job is for attempt ${number}`,
    }
  }
  const begun = await beginAttempt(client, run, number, worker)
  return { kind: 'started', run, number, ...begun }
}

/** True if this fence is still the run's: no other attempt has taken over. The caller holds the slot's lock. */
export async function holdsFence(client: ClientBase, run: string, fence: number): Promise<boolean> {
  const { rows } = await client.query<{ holds: boolean }>(
    `select r.state = 'running' and r.fence = $2 and s.run = r.id as holds
       from nightshift.runs r join nightshift.slots s on s.id = r.slot
      where r.id = $1`,
    [run, fence],
  )
  return rows[0]?.holds === true
}

/** Attempts that count against `retry.attempts`: waiting for data and being handed back do not count. */
export async function countedAttempts(client: ClientBase, run: string): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*) from nightshift.attempts where run = $1 and coalesce(outcome, '') not in ('waiting', 'handed back')`,
    [run],
  )
  return rows[0]?.count ?? 0
}

/** Ids of all other attempts of this slot. */
export async function olderAttempts(
  client: ClientBase,
  run: Pick<Run, 'id' | 'slot'>,
  number: number,
): Promise<string[]> {
  const { rows } = await client.query<{ run: string; number: number }>(
    `select a.run, a.number from nightshift.attempts a join nightshift.runs r on r.id = a.run
      where r.slot = $1 and not (a.run = $2 and a.number = $3)`,
    [run.slot, run.id, number],
  )
  return rows.map((row) => attemptId(row.run, row.number))
}
