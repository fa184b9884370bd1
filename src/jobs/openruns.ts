import { type Action, type LedgerView, type OpenRun, refOf } from './ledgerview.ts'
import { attemptId } from './runs.ts'
import { type Board, keyOf } from './upkeep.ts'

/** A worker that has not been seen for this long is taken for dead, unless it holds its lock. */
const DEAD_MS = 15_000

/**
 * What open runs need: attempts of dead workers are recorded as lost, publications that a dead process left half done
 * are finished, and what is due but not in the queue is put there. Where the queue could not be asked, all that is due
 * is: a job's id makes a second one harmless.
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
        if (isDead(run)) {
          actions.push({
            type: 'finish-publishing',
            slot,
            run: run.id,
            reason: `${silence(run)} while it published`,
          })
        }
        break
      case 'running':
        if (isDead(run)) {
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
        if (isTime(run, now)) actions.push(enqueue(run, 'its wait for data is over'))
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
      reason: 'it was left while it published',
    })
  }
  return actions
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

function isDead(run: OpenRun): boolean {
  if (run.locked) return false
  return run.worker?.silent_ms === undefined || run.worker.silent_ms > DEAD_MS
}

function silence({ worker }: OpenRun): string {
  if (worker === undefined) return 'no worker has it'
  if (worker.silent_ms === undefined) return `its worker ${worker.id} is gone`
  return `its worker ${worker.id} has not been seen for ${Math.round(worker.silent_ms / 1000)} s`
}
