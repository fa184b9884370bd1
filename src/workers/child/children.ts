import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { FailureClass } from '../../failures/classes.ts'
import { duration } from '../../format/elapsed.ts'
import { bytes } from '../../format/sizes.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import type { Timeouts } from '../../project/project.ts'
import { memoryLimit, PURPOSE, residentBytes, timeoutOf } from '../time-limits.ts'
import type { ChildMessage, FactsOf, Progress, RequestOf, TaskMessage, TaskName } from './tasks.ts'

/**
 * Where a task finds its child: nightly work takes any place, back-filled nights all but one (with a single place they
 * have a child of their own), and what looks at published nights has one child beside all places.
 */
export type Lane = 'nightly' | 'backfill' | 'monitor'

export interface TaskOptions {
  lane?: Lane
  /**
   * The child is ended after this long: DuckDB and ONNX Runtime cannot be asked to stop. Default: what the project
   * declares under `timeouts` for tasks of this purpose.
   */
  timeoutMs?: number
  /** Ends the child and fails the task as transient. */
  signal?: AbortSignal
  progress?: Progress
  /** Told how long the task waited for its place, in milliseconds, once it has it. */
  onPlace?: (waited: number) => void
}

/** A fixed number of warm compute processes, each doing one task at a time. */
export interface Children {
  readonly places: number
  /** Waits for a free place, runs the task there, and throws a Failure with the child's own class. */
  run<Name extends TaskName>(
    task: Name,
    request: RequestOf<Name>,
    options?: TaskOptions,
  ): Promise<FactsOf<Name>>
  close(): Promise<void>
}

interface Waiting {
  lane: Lane
  take: () => void
}

const PROGRAM = fileURLToPath(new URL('../../../dist/workers/child/child.js', import.meta.url))

export interface ChildrenOptions {
  places: number
  /** Starts the children at once. */
  warm?: boolean
  /** Of the project, read anew for each task. Default: those of a project that declares none. */
  timeouts?: () => Timeouts
}

/**
 * Opens the pool. Children are started when first needed, or at once with `warm`, and kept.
 *
 * Throws nothing by itself. A task that takes too long or too much memory is ended with its child, as `resource` (a
 * check as `contract`: the same file would take as long again). One that crashes its child is tried once more on a
 * fresh one and is `contract` then. A child that somebody else has ended fails its task as `resource` or `transient`.
 */
export function openChildren({ places, warm = false, timeouts }: ChildrenOptions): Children {
  const idle: ChildProcess[] = []
  const all = new Set<ChildProcess>()
  const waiting: Waiting[] = []
  const busy = { nightly: 0, backfill: 0, monitor: 0 }
  const most = { nightly: places, backfill: Math.max(1, places - 1), monitor: 1 }
  const shared = Math.max(2, places)
  let closed = false
  let nextId = 1

  const free = (lane: Lane) =>
    busy[lane] < most[lane] && (lane === 'monitor' || busy.nightly + busy.backfill < shared)

  async function enter(lane: Lane): Promise<void> {
    if (!free(lane)) await new Promise<void>((take) => waiting.push({ lane, take }))
    else busy[lane]++
  }

  function leave(lane: Lane): void {
    busy[lane]--
    const next = (['nightly', 'backfill', 'monitor'] as const)
      .map((each) => waiting.findIndex((entry) => entry.lane === each && free(each)))
      .find((index) => index >= 0)
    if (next === undefined) return
    const [entry] = waiting.splice(next, 1)
    if (entry === undefined) return
    busy[entry.lane]++
    entry.take()
  }

  function start(): ChildProcess {
    const child = fork(PROGRAM, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { PATH: process.env.PATH, TZ: 'UTC', TMPDIR: process.env.TMPDIR, LANG: 'C.UTF-8' },
    })
    all.add(child)
    child.on('exit', () => {
      all.delete(child)
      const index = idle.indexOf(child)
      if (index >= 0) idle.splice(index, 1)
    })
    // Without a listener a send to a dead child would end the worker; the task learns of it by 'exit'.
    child.on('error', () => {})
    return child
  }

  async function run<Name extends TaskName>(
    task: Name,
    request: RequestOf<Name>,
    options: TaskOptions = {},
  ): Promise<FactsOf<Name>> {
    const lane = options.lane ?? 'nightly'
    const asked = performance.now()
    await enter(lane)
    options.onPlace?.(performance.now() - asked)
    try {
      if (closed) throw closing()
      if (options.signal?.aborted) throw aborted(options.signal)
      const bounds = {
        timeoutMs:
          options.timeoutMs ?? timeoutOf(lane === 'monitor' ? 'monitors' : PURPOSE[task], timeouts?.()),
        bytes: memoryLimit(task),
      }
      for (let again = false; ; again = true) {
        const child = again ? start() : (idle.pop() ?? start())
        try {
          const facts = await perform(child, { id: nextId++, task, request }, options, bounds)
          if (child.connected) idle.push(child)
          return facts as FactsOf<Name>
        } catch (error) {
          if (closed) throw closing(error)
          if (!(error instanceof Crash)) throw error
          // Once may be the machine's fault; the same input that ends two children would end a third.
          if (again) throw error.asContract()
          if (options.signal?.aborted) throw aborted(options.signal)
        }
      }
    } finally {
      leave(lane)
    }
  }

  if (warm) {
    for (let place = 0; place < places; place++) {
      const child = start()
      child.send({ id: 0, task: 'warm', request: {} } satisfies TaskMessage)
      idle.push(child)
    }
  }

  return {
    places,
    run,
    async close() {
      closed = true
      await Promise.all(
        [...all].map(
          (child) =>
            new Promise<void>((resolve) => {
              child.once('exit', () => resolve())
              child.kill('SIGKILL')
            }),
        ),
      )
    },
  }
}

interface Bounds {
  timeoutMs: number
  bytes: number
}

const LOOK_AT_MEMORY_MS = 250

/** One task on one child. A child that failed a task is ended: a DuckDB instance may be unusable after an error. */
function perform(
  child: ChildProcess,
  message: TaskMessage,
  options: TaskOptions,
  bounds: Bounds,
): Promise<unknown> {
  const { task } = message
  return new Promise((resolve, reject) => {
    let ending: Failure | undefined
    const end = (failure: Failure) => {
      ending ??= failure
      child.kill('SIGKILL')
    }
    const timer = setTimeout(() => end(tookTooLong(task, bounds.timeoutMs)), longest(bounds.timeoutMs))
    const memory = setInterval(() => {
      const held = child.pid === undefined ? undefined : residentBytes(child.pid)
      if (held !== undefined && held > bounds.bytes) end(tookTooMuch(task, held, bounds.bytes))
    }, LOOK_AT_MEMORY_MS)
    const onAbort = () => end(aborted(options.signal))
    options.signal?.addEventListener('abort', onAbort, { once: true })

    const settle = () => {
      clearTimeout(timer)
      clearInterval(memory)
      options.signal?.removeEventListener('abort', onAbort)
      child.off('message', onMessage)
      child.off('exit', onExit)
    }
    const onMessage = (answer: ChildMessage) => {
      if (answer.id !== message.id) return
      if (answer.kind === 'progress') {
        options.progress?.(answer.text, answer.rows, answer.total)
        return
      }
      settle()
      if (answer.kind === 'facts') resolve(answer.facts)
      else {
        child.kill('SIGKILL')
        const { failure, stack } = answer
        const cause = new Error(failure.message)
        cause.stack = stack
        reject(new Failure(failure.class, failure.message, { cause, evidence: failure.evidence }))
      }
    }
    const onExit = (code: number | null, signal: NodeJS.Signals | null) => {
      settle()
      reject(ending ?? died(task, code, signal))
    }
    child.on('message', onMessage)
    child.once('exit', onExit)
    child.send(message)
  })
}

/** Timers of JavaScript end at once where they are longer than 2^31 - 1 ms. */
function longest(ms: number): number {
  return Math.min(ms, 2 ** 31 - 1)
}

/** The class of a task that asked for more than it may have: what a check reads would ask for as much again. */
function greedy(task: TaskName): FailureClass {
  return PURPOSE[task] === 'checks' ? 'contract' : 'resource'
}

function tookTooLong(task: TaskName, timeoutMs: number): Failure {
  const setting = `timeouts.${PURPOSE[task]} in nightshift.yaml`
  const message =
    task === 'features' || task === 'scores'
      ? `the attempt ran past its timeout of ${duration(timeoutMs)}`
      : `${WORK[task]} took longer than ${duration(timeoutMs)} and was ended (${setting})`
  return new Failure(greedy(task), message, { evidence: { timeout_ms: timeoutMs, task, ended: 'timeout' } })
}

function tookTooMuch(task: TaskName, held: number, most: number): Failure {
  return new Failure(
    greedy(task),
    `${WORK[task]} took ${bytes(held)} of memory and was ended: it may take ${bytes(most)}`,
    { evidence: { task, bytes: held, most, ended: 'memory' } },
  )
}

/** What a task does, as people are told of it. */
const WORK: Record<TaskName, string> = {
  features: 'computing the features',
  scores: 'scoring',
  describe: 'describing the view',
  labels: 'describing the labels',
  metrics: 'checking the metrics',
  inputs: 'listing the inputs',
  inspect: 'reading the model file',
  trial: 'trying the model',
  staleness: 'looking for stale nights',
  sample: 'writing the sample data',
  lookup: 'looking the row up',
  restamp: 'preparing the scores',
  warm: 'starting',
  parity: 'comparing serving with training',
  monitor: 'looking at the night',
  profile: 'profiling the night',
  baseline: 'profiling the holdout',
  'first-night': 'profiling the first night',
  slices: 'looking for the rows that moved',
  outcome: 'measuring the outcome',
  dataset: 'building the training set',
  evaluate: 'evaluating the version',
  leaks: 'looking for leaks',
  replay: 'running it again',
}

/** Signals that a process sends itself when its own code fails: of memory that is not there, of a stack that ends. */
const CRASHES: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP'])

/** The child's own code failed on what it was given. */
class Crash extends Error {
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
      `${WORK[this.#task]} ended its process twice ${this.#how}: the SQL, the model file or the data do what the engines cannot`,
      { cause: this, evidence: { task: this.#task, ended: 'crash' } },
    )
  }
}

function died(task: TaskName, code: number | null, signal: NodeJS.Signals | null): Error {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`
  // Some of these signals reach us as the exit code that a shell gives them.
  if (CRASHES.has(signal ?? '') || (code !== null && code !== 0)) return new Crash(task, how)
  // Nobody but the kernel's out-of-memory killer sends SIGKILL to a child that we did not end.
  const failureClass = signal === 'SIGKILL' ? 'resource' : 'transient'
  const hint = signal === 'SIGKILL' ? '; the kernel does that when memory runs out' : ''
  return new Failure(failureClass, `the compute process ended ${how} while it worked on ${task}${hint}`, {
    evidence: { task, code, signal },
  })
}

function closing(cause?: unknown): Failure {
  return new Failure('transient', 'the worker is closing', { cause, evidence: { closing: true } })
}

function aborted(signal: AbortSignal | undefined): Failure {
  const reason: unknown = signal?.reason
  return reason instanceof Failure
    ? reason
    : new Failure('transient', 'the attempt was cancelled', { cause: reason })
}
