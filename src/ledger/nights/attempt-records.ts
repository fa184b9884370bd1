import type { ClientBase } from 'pg'
import type { StepTime } from '../../pipeline/engine/facts.ts'
import type { FailureRecord } from '../../pipeline/engine/failure.ts'
import { findRun, type Run } from './run-records.ts'
import { lockSlot } from './slots.ts'

/** What became of a job that a worker was handed. */
export type Claim =
  | { kind: 'started'; run: Run; number: number; fence: number; knownAt: string }
  /** The queue delivered a job whose attempt has begun: its worker is taken for dead. */
  | { kind: 'lost'; run: Run; number: number }
  /** Nothing to do: the run has ended, was cancelled, or this job belongs to an earlier attempt. */
  | { kind: 'ended'; reason: string }

/**
 * Starts an attempt: takes the fence that its commit will be checked against, and `knownAt`: it reads no earlier than
 * that by the ledger's clock.
 * The lock on the slot makes two deliveries of one job take turns.
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
  if (run.state === 'running' && run.attempt === number) return { kind: 'lost', run, number }
  if (run.state !== 'queued') return { kind: 'ended', reason: `run ${runId} is ${run.state}` }
  if (run.attempt !== number - 1) {
    return {
      kind: 'ended',
      reason: `run ${runId} is at attempt ${run.attempt}, this job is of attempt ${number}`,
    }
  }
  const { rows } = await client.query<{ fence: string; known_at: Date }>(
    `update nightshift.runs
        set state = 'running', attempt = $2, fence = nextval('nightshift.fences'), known_at = now(),
            started_at = coalesce(started_at, now()), next_attempt_at = null, progress = null, failure = null
      where id = $1
      returning fence, known_at`,
    [runId, number],
  )
  const [row] = rows
  if (row === undefined) throw new Error(`run ${runId} vanished while its attempt ${number} started`)
  await client.query(
    `insert into nightshift.attempts (run, number, fence, worker, seen_at) values ($1, $2, $3, $4, clock_timestamp())`,
    [runId, number, row.fence, worker],
  )
  await client.query(
    `update nightshift.slots set state = 'running', run = $2, changed_at = now() where id = $1`,
    [run.slot, runId],
  )
  return { kind: 'started', run, number, fence: Number(row.fence), knownAt: row.known_at.toISOString() }
}

/** Records how an attempt ended. An attempt that was recorded already (as lost, say) keeps its first record. */
export async function endAttempt(
  client: ClientBase,
  run: string,
  number: number,
  outcome: string,
  failure: FailureRecord | null,
  steps: StepTime[],
): Promise<void> {
  await client.query(
    `update nightshift.attempts set ended_at = now(), outcome = $3, failure = $4, steps = $5
      where run = $1 and number = $2 and ended_at is null`,
    [run, number, outcome, failure === null ? null : JSON.stringify(failure), JSON.stringify(steps)],
  )
}

/** True where this fence is still the run's: nobody took the attempt over. The caller holds the slot's lock. */
export async function holdsFence(client: ClientBase, run: string, fence: number): Promise<boolean> {
  const { rows } = await client.query<{ holds: boolean }>(
    `select r.state = 'running' and r.fence = $2 and s.run = r.id as holds
       from nightshift.runs r join nightshift.slots s on s.id = r.slot
      where r.id = $1`,
    [run, fence],
  )
  return rows[0]?.holds === true
}
