import type { FailureClass } from '../../failures/classes.ts'
import { duration } from '../../format/elapsed.ts'
import { bytes } from '../../format/sizes.ts'
import type { EngineBounds } from '../../pipeline/engine/engine-bounds.ts'
import { Failure, type FailureRecord } from '../../pipeline/engine/failure.ts'
import { PURPOSE } from '../time-limits.ts'
import type { MemoryPlan } from './memory-shares.ts'
import type { TaskName } from './tasks.ts'

/** Why a task ended without facts, as a Failure that people can act on. */

const OF_ATTEMPTS: ReadonlySet<TaskName> = new Set([
  ...(['features', 'scores', 'shard', 'join', 'divide', 'feature-shard', 'feature-join'] as const),
])

/** The class of a task that exceeded its limit: repeating a check would need as much again. */
function greedy(task: TaskName): FailureClass {
  return PURPOSE[task] === 'checks' ? 'contract' : 'resource'
}

export function tookTooLong(task: TaskName, timeoutMs: number): Failure {
  const setting = `timeouts.${PURPOSE[task]} in nightshift.yaml`
  const message = OF_ATTEMPTS.has(task)
    ? `the attempt ran past its timeout of ${duration(timeoutMs)}`
    : `${WORK[task]} took longer than ${duration(timeoutMs)} and was ended (${setting})`
  return new Failure(greedy(task), message, { evidence: { timeout_ms: timeoutMs, task, ended: 'timeout' } })
}

/** `most` is its share of memory; or, without a plan, the limit of a check. */
export function tookTooMuch(task: TaskName, held: number, most: number, plan?: MemoryPlan): Failure {
  const limit =
    plan === undefined ? `the limit of a check is ${bytes(most)}` : `its share is ${shareText(most, plan)}`
  return new Failure(greedy(task), `${WORK[task]} took ${bytes(held)} of memory and was ended: ${limit}`, {
    evidence: { task, bytes: held, most, ...(plan && { total: plan.total }), ended: 'memory' },
  })
}

/** A failure for want of memory or temporary files says what the task had, and which setting gives it more. */
export function ofShare(
  failure: FailureRecord,
  task: TaskName,
  own: EngineBounds,
  plan: MemoryPlan,
): FailureRecord {
  if (failure.evidence.engine !== 'Out of Memory') return failure
  // What follows names settings of DuckDB, which are not the project's.
  const [words = ''] = failure.message.split(/\.?; ?This limit was set/)
  const what = words.startsWith('failed to offload') ? 'temporary files beside its memory' : 'memory'
  return {
    ...failure,
    message: `${WORK[task]} ran out of ${what}: ${words}. Its share is ${shareText(own.memory, plan)}`,
    evidence: { ...failure.evidence, task, most: own.memory, total: plan.total },
  }
}

/** The objects without which a task cannot go on, by name; undefined for any other failure. */
export function objectsWanted(error: unknown): string[] | undefined {
  const names = error instanceof Failure ? error.evidence.fetch : undefined
  return Array.isArray(names) ? names.map(String) : undefined
}

function shareText(most: number, { total, text }: MemoryPlan): string {
  return `${bytes(most)} of the ${bytes(total)} that all tasks of this process may use (memory: ${text}). Raise memory or temp in nightshift.yaml, or start the worker with fewer --places`
}

/** Description of a task in messages. */
const WORK: Record<TaskName, string> = {
  features: 'computing the features',
  scores: 'scoring',
  shard: 'scoring a shard',
  join: 'joining the shards',
  divide: 'dividing the night',
  'feature-shard': 'computing the features of a shard',
  'feature-join': 'joining the shards',
  describe: 'describing the view',
  labels: 'describing the labels',
  metrics: 'checking the metrics',
  inputs: 'listing the inputs',
  inspect: 'reading the model file',
  trial: 'trying the model',
  staleness: 'searching for stale nights',
  sample: 'writing the sample data',
  propose: 'looking at the data',
  look: 'looking at the features',
  example: 'running the example',
  listing: 'listing the files',
  lookup: 'looking up the row',
  list: 'reading the list',
  'list-file': 'writing the list',
  'explain-row': 'finding the reasons of a score',
  restamp: 'preparing the scores',
  warm: 'starting',
  parity: 'comparing serving with training',
  monitor: 'checking the night',
  profile: 'profiling the night',
  baseline: 'profiling the holdout',
  'first-night': 'profiling the first night',
  slices: 'searching for the rows that moved',
  outcome: 'measuring the outcome',
  compare: 'comparing scores',
  freeze: 'reading the scores of the current process',
  dataset: 'building the training set',
  evaluate: 'evaluating the version',
  leaks: 'searching for leaks',
  replay: 're-running it',
}

/** Signals that a crashing process causes itself, for example by an invalid memory access or a stack overflow. */
const CRASHES: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP'])

/** The child's own code crashed on its input. */
export class Crash extends Error {
  readonly #task: TaskName
  readonly #how: string

  constructor(task: TaskName, how: string) {
    super(`the compute process ended ${how} while it worked on ${task}`)
    this.#task = task
    this.#how = how
  }

  asContract(): Failure {
    return new Failure(
      'contract',
      `${WORK[this.#task]} ended its process twice ${this.#how}: the engines cannot process this SQL, model file or data`,
      { cause: this, evidence: { task: this.#task, ended: 'crash' } },
    )
  }
}

export function died(task: TaskName, code: number | null, signal: NodeJS.Signals | null): Error {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`
  // Some of these signals arrive as the exit code that a shell assigns to them.
  if (CRASHES.has(signal ?? '') || (code !== null && code !== 0)) return new Crash(task, how)
  // Only the kernel's out-of-memory killer sends SIGKILL to a child that we did not kill.
  const failureClass = signal === 'SIGKILL' ? 'resource' : 'transient'
  const hint = signal === 'SIGKILL' ? '; the kernel does that when memory runs out' : ''
  return new Failure(failureClass, `the compute process ended ${how} while it worked on ${task}${hint}`, {
    evidence: { task, code, signal },
  })
}

export function closing(cause?: unknown): Failure {
  return new Failure('transient', 'the worker is closing', { cause, evidence: { closing: true } })
}

export function aborted(signal: AbortSignal | undefined): Failure {
  const reason: unknown = signal?.reason
  return reason instanceof Failure
    ? reason
    : new Failure('transient', 'the attempt was cancelled', { cause: reason })
}
