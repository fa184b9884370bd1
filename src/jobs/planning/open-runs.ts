import { attemptId } from '../../ledger/nights/run-records.ts'
import { joinJob, type OpenSplit, shardJob } from '../../ledger/shards/split-records.ts'
import type { Board } from './ledger-view.ts'
import { type Action, type LedgerView, type OpenRun, refOf } from './ledger-view.ts'
import { keyOf } from './upkeep.ts'

/**
 * An attempt without a heartbeat for this long counts as lost: including a round of the planner and the delay of the
 * queue, the next attempt starts within 15 s. Four heartbeats (alive.ts).
 */
const LOST_MS = 10_000

/**
 * What open runs need: attempts without a worker are recorded as lost, interrupted publications are finished, and due
 * attempts missing from the queue are enqueued. If the queue could not be reached, all due attempts are enqueued: the
 * job id makes a duplicate harmless.
 */
export function planOpenRuns(view: LedgerView, board: Board): Action[] {
  const actions: Action[] = []
  const now = Date.parse(view.now)
  const publishing = new Set<string>()
  for (const run of view.runs) {
    const slot = refOf(run)
    switch (run.state) {
      case 'publishing':
        publishing.add(keyOf(run))
        if (isUnfinished(run, now)) {
          const reason =
            run.next_attempt_at === null
              ? `${silence(run)} while it was publishing`
              : 'it could not be published, and its next try is due'
          actions.push({ type: 'finish-publishing', slot, run: run.id, reason })
        }
        break
      case 'running':
        if (run.split !== undefined) actions.push(...planShards(run, run.split, view.jobs))
        else if (isLost(run)) {
          actions.push({
            type: 'attempt-lost',
            slot,
            run: run.id,
            attempt: run.attempt,
            reason: silence(run),
          })
        }
        break
      case 'waiting':
        if (isTime(run, now)) actions.push(enqueue(run, 'its wait for data has ended'))
        break
      case 'queued': {
        const job = attemptId(run.id, run.attempt + 1)
        if (isTime(run, now) && view.jobs?.has(job) !== true) {
          actions.push(
            enqueue(run, run.attempt === 0 ? 'its job is not in the queue' : 'its next attempt is due'),
          )
        }
        break
      }
      default:
        break
    }
  }
  for (const slot of board.values()) {
    if (slot.state !== 'publishing' || publishing.has(keyOf(slot))) continue
    actions.push({
      type: 'finish-publishing',
      slot: refOf(slot),
      run: slot.run,
      reason: 'it was interrupted while publishing',
    })
  }
  return actions
}

/**
 * Shards that nobody has and whose job is not in the queue, or whose worker is silent; the join, once all are done. Not at once: the
 * worker that has split the attempt adds them itself.
 */
function planShards(run: OpenRun, split: OpenSplit, jobs: LedgerView['jobs']): Action[] {
  if (split.age_ms < LOST_MS) return []
  const open = split.open.filter(({ silent_ms }) => silent_ms === null || silent_ms > LOST_MS)
  const shards = open
    .map(({ shard }) => shard)
    .filter((shard) => jobs?.has(shardJob(run.id, run.attempt, shard)) !== true)
  const join = split.open.length === 0 && jobs?.has(joinJob(run.id, run.attempt)) !== true
  if (shards.length === 0 && !join) return []
  const reason = join ? 'all its shards are done' : 'shards of it are not in the queue'
  return [
    { type: 'enqueue-shards', slot: refOf(run), run: run.id, attempt: run.attempt, shards, join, reason },
  ]
}

function enqueue(run: OpenRun, reason: string): Action {
  const attempt = run.attempt + 1
  return {
    type: 'enqueue-attempt',
    slot: refOf(run),
    run: run.id,
    attempt,
    job: attemptId(run.id, attempt),
    reason,
  }
}

function isTime(run: OpenRun, now: number): boolean {
  return run.next_attempt_at === null || Date.parse(run.next_attempt_at) <= now
}

/** An interrupted publication: no worker works on it any more, or it failed and its next try is due. */
function isUnfinished(run: OpenRun, now: number): boolean {
  return run.next_attempt_at === null ? isLost(run) : isTime(run, now)
}

function isLost({ worker }: OpenRun): boolean {
  return worker?.silent_ms === undefined || worker.silent_ms > LOST_MS
}

function silence({ worker }: OpenRun): string {
  if (worker === undefined) return 'no worker is running it'
  if (worker.silent_ms === undefined) return `its worker ${worker.id} is gone`
  return `no heartbeat from its worker ${worker.id} for ${Math.round(worker.silent_ms / 1000)} s`
}
