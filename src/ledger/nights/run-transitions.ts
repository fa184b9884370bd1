import type { ClientBase } from 'pg'
import type { StepTime, Usage } from '../../pipeline/engine/facts.ts'
import type { AttemptFailure, FailureRecord } from '../../pipeline/engine/failure.ts'
import { moveRun, moveSlot, unexpected } from './move-state.ts'
import { newRunId, type Run, type RunState } from './run-records.ts'
import type { NewRun } from './run-request.ts'
import type { Connection, Slot } from './slots.ts'
import { type Change, TRANSITIONS } from './transition-table.ts'

/**
 * The only place where the states of a run and its slot change together: one function for each row of
 * transition-table.ts. The caller holds the slot's lock and passes facts. An unexpected state throws, and nothing is
 * written.
 */

/**
 * Creates a run of a slot, ready for its first attempt. Throws if the slot already has an open run (`one_open_run`).
 * @returns its id
 */
export async function createRun(client: ClientBase, slot: Slot, run: NewRun): Promise<string> {
  const id = run.id ?? newRunId()
  await client.query(
    `insert into nightshift.runs
       (id, slot, kind, name, as_of, partition, state, trigger, forced, version, pinned, backfill, settings, requested_by,
        next_attempt_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10::int is not null, $11, $12, $13, now())`,
    [
      id,
      slot.id,
      slot.kind,
      slot.name,
      slot.as_of,
      slot.partition,
      TRANSITIONS.create.run.to,
      run.trigger,
      run.forced ?? false,
      run.version ?? null,
      run.backfill ?? null,
      JSON.stringify(run.settings),
      run.by ?? null,
    ],
  )
  await moveSlot(
    client,
    TRANSITIONS.create.slot,
    slot.id,
    'run = $4, reason = null, wait_until = null, waits_for = null, request = null',
    [id],
  )
  return id
}

/** Starts an attempt. @returns the fence that its commit is checked against, and the earliest time of its reads */
export async function beginAttempt(
  client: ClientBase,
  run: Pick<Run, 'id' | 'slot'>,
  number: number,
  worker: string,
): Promise<{ fence: number; knownAt: string }> {
  const { rows } = await client.query<{ fence: number; known_at: string }>(
    `update nightshift.runs
        set state = $2, attempt = $4, fence = nextval('nightshift.fences'), known_at = now(),
            started_at = coalesce(started_at, now()), next_attempt_at = null, progress = null, failure = null
      where id = $1 and state = any($3)
      returning fence, known_at`,
    [run.id, TRANSITIONS.begin.run.to, TRANSITIONS.begin.run.from, number],
  )
  const [row] = rows
  if (row === undefined) throw await unexpected(client, 'runs', run.id, TRANSITIONS.begin.run)
  await client.query(
    `insert into nightshift.attempts (run, number, fence, worker, seen_at) values ($1, $2, $3, $4, clock_timestamp())`,
    [run.id, number, row.fence, worker],
  )
  await moveSlot(client, TRANSITIONS.begin.slot, run.slot, 'run = $4', [run.id])
  return { fence: row.fence, knownAt: row.known_at }
}

/** Another worker goes on with a running attempt. @returns the fence that its commit is checked against from now on */
export async function continueAttempt(
  client: ClientBase,
  run: string,
  number: number,
  worker: string,
): Promise<number> {
  const { rows } = await client.query<{ fence: number }>(
    `with own as (
       update nightshift.runs set fence = nextval('nightshift.fences') where id = $1 and attempt = $2 returning fence
     )
     update nightshift.attempts a set worker = $3, fence = own.fence, seen_at = clock_timestamp() from own
      where a.run = $1 and a.number = $2 returning own.fence`,
    [run, number, worker],
  )
  const [row] = rows
  if (row === undefined) throw new Error(`attempt ${number} of run ${run} is not in the ledger`)
  return row.fence
}

/** An attempt that did not publish: its position, and why it ended. `lost`: its worker is gone. */
export interface FailedAttempt {
  slot: Slot
  run: Run
  number: number
  steps: StepTime[]
  usage?: Usage | undefined
  failure: FailureRecord
  /** The stack trace, of a failure that is a bug. Only the attempt keeps it. */
  stack: string | undefined
  lost: boolean
}

/** Queues the run for another attempt at a given time. */
export async function retryRun(client: ClientBase, attempt: FailedAttempt, at: string): Promise<void> {
  const { slot, number, failure } = attempt
  await endAttempt(client, attempt, 'failed')
  await leaveRun(client, TRANSITIONS.retry.run, attempt, { nextAt: at })
  await moveSlot(client, TRANSITIONS.retry.slot, slot.id, NOTHING_AWAITED, [
    `attempt ${number} failed: ${failure.message}`,
  ])
}

/** The run is queued again at once: the attempt's worker was closed, which says nothing about the work. */
export async function handBackRun(client: ClientBase, attempt: FailedAttempt, now: string): Promise<void> {
  await endAttempt(client, attempt, 'handed back')
  await leaveRun(client, TRANSITIONS.retry.run, { ...attempt, failure: null }, { nextAt: now })
  await moveSlot(client, TRANSITIONS.retry.slot, attempt.slot.id, NOTHING_AWAITED, [
    `the worker of attempt ${attempt.number} was closed, and handed it back`,
  ])
}

/** The run waits for late data: it checks again `at`, and gives up at `until`. */
export async function waitForData(
  client: ClientBase,
  attempt: FailedAttempt,
  { at, since, until }: { at: string; since: string; until: string },
): Promise<void> {
  const { slot, failure } = attempt
  await endAttempt(client, attempt, 'waiting')
  await leaveRun(client, TRANSITIONS.wait.run, attempt, { nextAt: at, waitingSince: since })
  await moveSlot(client, TRANSITIONS.wait.slot, slot.id, 'reason = null, waits_for = $4, wait_until = $5', [
    failure.message,
    until,
  ])
}

/** Holds the run until a person decides. */
export async function holdRun(client: ClientBase, attempt: FailedAttempt): Promise<void> {
  await endAttempt(client, attempt, 'held')
  await leaveRun(client, TRANSITIONS.hold.run, attempt, {})
  await moveSlot(client, TRANSITIONS.hold.slot, attempt.slot.id, NOTHING_AWAITED, [attempt.failure.message])
}

/** The run has failed permanently. */
export async function failRun(client: ClientBase, attempt: FailedAttempt): Promise<void> {
  await endAttempt(client, attempt, 'failed')
  await leaveRun(client, TRANSITIONS.fail.run, attempt, {})
  await moveSlot(client, TRANSITIONS.fail.slot, attempt.slot.id, NOTHING_AWAITED, [attempt.failure.message])
}

const NOTHING_AWAITED = 'reason = $4, waits_for = null, wait_until = null'

async function leaveRun(
  client: ClientBase,
  change: Change<RunState>,
  { run, failure }: { run: Run; failure: FailureRecord | null },
  { nextAt, waitingSince }: { nextAt?: string; waitingSince?: string },
): Promise<void> {
  await moveRun(
    client,
    change,
    run.id,
    `failure = $4, next_attempt_at = $5, fence = null, progress = null, waiting_since = coalesce($6, waiting_since),
     ended_at = case when $5::timestamptz is null then now() end`,
    [failure === null ? null : JSON.stringify(failure), nextAt ?? null, waitingSince ?? null],
  )
}

/** An attempt that is already recorded (for example as lost) keeps its first record. */
async function endAttempt(
  client: ClientBase,
  { run, number, failure, stack, steps, usage, lost }: FailedAttempt,
  outcome: 'failed' | 'waiting' | 'held' | 'handed back',
): Promise<void> {
  const kept: AttemptFailure = stack === undefined ? failure : { ...failure, stack }
  await client.query(
    `update nightshift.attempts set ended_at = now(), outcome = $3, failure = $4, steps = $5, usage = $6
      where run = $1 and number = $2 and ended_at is null`,
    [run.id, number, lost ? 'lost' : outcome, JSON.stringify(kept), JSON.stringify(steps), usage ?? null],
  )
}

/** A run that waited for data may be tried again. Needs no lock. @returns false if it is no longer waiting */
export async function wakeRun(connection: Connection, run: string): Promise<boolean> {
  const { rowCount } = await connection.query(
    `with woken as (
       update nightshift.runs set state = $2 where id = $1 and state = any($3) returning slot
     )
     update nightshift.slots set state = $4, changed_at = now() from woken where id = woken.slot`,
    [run, TRANSITIONS.wake.run.to, TRANSITIONS.wake.run.from, TRANSITIONS.wake.slot.to],
  )
  return rowCount === 1
}

/** The attempt's file is about to be published; the run's output is already recorded. */
export async function commitRun(
  client: ClientBase,
  run: Pick<Run, 'id' | 'slot'>,
  number: number,
  steps: StepTime[],
  usage?: Usage,
): Promise<void> {
  await moveRun(client, TRANSITIONS.commit.run, run.id)
  await moveSlot(client, TRANSITIONS.commit.slot, run.slot)
  await client.query(
    `update nightshift.attempts set ended_at = now(), outcome = 'published', steps = $3, usage = $4
      where run = $1 and number = $2 and ended_at is null`,
    [run.id, number, JSON.stringify(steps), usage ?? null],
  )
}

/** Publishes a file that existed before the run was created, scored in shadow. */
export async function restoreScores(
  client: ClientBase,
  run: Pick<Run, 'id' | 'slot'>,
  reason: string | null,
  worker: string,
): Promise<void> {
  await moveRun(
    client,
    TRANSITIONS.restore.run,
    run.id,
    `attempt = 1, fence = nextval('nightshift.fences'), started_at = now(), next_attempt_at = null, reason = $4`,
    [reason],
  )
  await client.query(
    `insert into nightshift.attempts (run, number, fence, worker, ended_at, outcome)
     select id, 1, fence, $2, now(), 'published' from nightshift.runs where id = $1`,
    [run.id, worker],
  )
  await moveSlot(client, TRANSITIONS.restore.slot, run.slot)
}

/** Publishes the output of a held run on a person's decision. */
export async function releaseRun(
  client: ClientBase,
  run: Pick<Run, 'id' | 'slot'>,
  { reason, by }: { reason: string; by: string },
): Promise<void> {
  await moveRun(
    client,
    TRANSITIONS.release.run,
    run.id,
    `reason = $4, requested_by = $5, trigger = 'release'`,
    [reason, by],
  )
  await moveSlot(client, TRANSITIONS.release.slot, run.slot)
}

/** The run's file has its stable name. @returns false if this is already recorded */
export async function publishRun(
  client: ClientBase,
  run: Pick<Run, 'id' | 'slot'>,
  { path, stamp, superseded }: { path: string; stamp: string | undefined; superseded: string | null },
): Promise<boolean> {
  const { from, to } = TRANSITIONS.publish.run
  const { rowCount } = await client.query(
    `update nightshift.runs set state = $2, path = $4, ended_at = now(), failure = null, next_attempt_at = null
      where id = $1 and state = any($3)`,
    [run.id, to, from, path],
  )
  if (rowCount === 0) return false
  await moveSlot(
    client,
    TRANSITIONS.publish.slot,
    run.slot,
    `published_run = $4, published_at = now(), published_file = $5, reason = null, waits_for = null, wait_until = null`,
    [run.id, stamp ?? null],
  )
  await client.query(
    'insert into nightshift.standings (slot, run, at, superseded) values ($1, $2, now(), $3)',
    [run.slot, run.id, superseded],
  )
  return true
}

/** Returns a committed run whose file is gone to its attempt, whose failure follows. Needs no lock. */
export async function takeBack(connection: Connection, run: string): Promise<void> {
  const change = TRANSITIONS['take back']
  await connection.query(
    `with taken as (
       update nightshift.runs set state = $2 where id = $1 and state = any($3) returning slot
     )
     update nightshift.slots set state = $4, changed_at = now() from taken where id = taken.slot`,
    [run, change.run.to, change.run.from, change.slot.to],
  )
}
