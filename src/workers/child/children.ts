import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EngineBounds } from '../../pipeline/engine/engine-bounds.ts'
import type { Usage } from '../../pipeline/engine/facts.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import type { Timeouts } from '../../project/project.ts'
import { machineMemory } from '../machine-memory.ts'
import { PURPOSE, timeoutOf } from '../time-limits.ts'
import {
  aborted,
  Crash,
  closing,
  died,
  objectsWanted,
  ofShare,
  tookTooLong,
  tookTooMuch,
} from './child-endings.ts'
import { keepSpare, startChild, takeSpare } from './child-process.ts'
import {
  type Granted,
  grantMemory,
  type MemoryPlan,
  type MemorySettings,
  ownBytes,
  planMemory,
} from './memory-shares.ts'
import type { ChildMessage, FactsOf, Progress, RequestOf, TaskMessage, TaskName } from './tasks.ts'

/**
 * Which children a task may use: nightly work any of them, backfilled nights all but one (with a capacity of one they
 * have a separate child), checks of published nights one additional child, and versions in shadow another, which
 * yields the processor to all others.
 */
export type Lane = 'nightly' | 'backfill' | 'monitor' | 'shadow'

export interface TaskOptions {
  lane?: Lane
  /**
   * The child is killed after this time, since DuckDB and ONNX Runtime cannot be interrupted. Default: the value
   * under `timeouts` in the project for tasks of this purpose.
   */
  timeoutMs?: number
  /** Kills the child and fails the task as transient. */
  signal?: AbortSignal
  progress?: Progress
  /** Called with the time in milliseconds that the task waited for a child. */
  onPlace?: (waited: number) => void
  /** Called with the child's process id when it has been given the task: a drill kills it. */
  onChild?: (pid: number) => void
  /** Called with what the task has used when a child has ended it, well or not. */
  onUsage?: (usage: Usage) => void
}

/** A fixed number of warm compute processes, each doing one task at a time. */
export interface Children {
  readonly places: number
  /** Waits for a free child, runs the task there, and throws a Failure with the child's own class. */
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

export interface ChildrenOptions {
  places: number
  /** Starts the children at once. */
  warm?: boolean
  /** How many checks of published nights run at once, in children beside the places. Default 1. */
  monitors?: number
  /** The project's timeouts, read again for each task. Default: those of a project that declares none. */
  timeouts?: () => Timeouts
  /** The project's `memory` and `temp`, read again for each task. Default: 75 % of the machine and of its free disk. */
  memory?: () => MemorySettings
}

/**
 * Opens the pool. Children are started on first use, or at once with `warm`, and are kept; those that are idle when the pool is
 * closed are taken over by the next pools of this process, up to three.
 *
 * Does not throw. Each task has a share of the memory (memory-shares.ts), within which its engines work or spill. A task
 * may hold more than its share while all children together hold no more than the whole.
 * A task that takes too long or too much memory is ended with its child, as `resource` (for a check
 * as `contract`, since the same file would take as long again). A task that crashes its child is tried once more in a
 * new child and then is `contract`. If another process killed the child, the task fails as `resource` or `transient`.
 */
export function openChildren(options: ChildrenOptions): Children {
  const { places, warm = false, monitors = 1, timeouts, memory } = options
  const idle: ChildProcess[] = []
  /** A process whose priority was lowered cannot have it back. */
  const idleInShadow: ChildProcess[] = []
  const all = new Set<ChildProcess>()
  const waiting: Waiting[] = []
  const busy = { nightly: 0, backfill: 0, monitor: 0, shadow: 0 }
  const most = { nightly: places, backfill: Math.max(1, places - 1), monitor: monitors, shadow: 1 }
  const shared = Math.max(2, places)
  const planNow = () => planMemory(machineMemory(), { places: shared, monitors }, memory?.())
  const granted = new Set<Granted>()
  const heldByAll = () =>
    [...all].reduce((sum, { pid }) => sum + (pid === undefined ? 0 : (ownBytes(pid) ?? 0)), 0)
  let closed = false
  let nextId = 1

  const free = (lane: Lane) =>
    busy[lane] < most[lane] && (isBeside(lane) || busy.nightly + busy.backfill < shared)

  async function enter(lane: Lane): Promise<void> {
    if (!free(lane)) await new Promise<void>((take) => waiting.push({ lane, take }))
    else busy[lane]++
  }

  function leave(lane: Lane): void {
    busy[lane]--
    const next = (['nightly', 'backfill', 'monitor', 'shadow'] as const)
      .map((each) => waiting.findIndex((entry) => entry.lane === each && free(each)))
      .find((index) => index >= 0)
    if (next === undefined) return
    const [entry] = waiting.splice(next, 1)
    if (entry === undefined) return
    busy[entry.lane]++
    entry.take()
  }

  function start(lane?: Lane): ChildProcess {
    const child = takeSpare() ?? startChild()
    all.add(child)
    yieldTo(child, lane === 'shadow' ? NICE.shadow : NICE.night)
    child.on('exit', forget)
    return child
  }

  function forget(this: ChildProcess): void {
    all.delete(this)
    for (const list of [idle, idleInShadow]) {
      const index = list.indexOf(this)
      if (index >= 0) list.splice(index, 1)
    }
  }

  async function run<Name extends TaskName>(
    task: Name,
    request: RequestOf<Name>,
    options: TaskOptions = {},
  ): Promise<FactsOf<Name>> {
    const lane = options.lane ?? 'nightly'
    const queuedAt = performance.now()
    await enter(lane)
    options.onPlace?.(performance.now() - queuedAt)
    let own: Granted | undefined
    try {
      if (closed) throw closing()
      if (options.signal?.aborted) throw aborted(options.signal)
      const plan = planNow()
      const slot = isBeside(lane) ? (lane === 'shadow' ? 'shadow' : 'check') : 'place'
      own = { slot, bytes: grantMemory(plan, [...granted], slot, isModest(task)) }
      granted.add(own)
      const limits: Limits = {
        timeoutMs: options.timeoutMs ?? timeoutOf(isBeside(lane) ? 'monitors' : PURPOSE[task], timeouts?.()),
        plan,
        own: { memory: own.bytes, temp: plan.temp },
        heldByAll,
      }
      for (let again = false; ; again = true) {
        const kept = lane === 'shadow' ? idleInShadow : idle
        const child = (again ? undefined : kept.pop()) ?? start(lane)
        try {
          const facts = await withTemporary((temp) =>
            perform(child, { id: nextId++, task, request, temp, bounds: limits.own }, options, limits),
          )
          if (child.connected) kept.push(child)
          return facts as FactsOf<Name>
        } catch (error) {
          if (child.connected && objectsWanted(error) !== undefined) kept.push(child)
          if (closed) throw closing(error)
          if (!(error instanceof Crash)) throw error
          // One crash may be caused by the machine; an input that crashes two children would crash a third.
          if (again) throw error.asContract()
          if (options.signal?.aborted) throw aborted(options.signal)
        }
      }
    } finally {
      if (own !== undefined) granted.delete(own)
      leave(lane)
    }
  }

  if (warm) {
    for (let place = 0; place < places; place++) {
      const child = start()
      child.send({ id: 0, task: 'warm', request: {}, temp: undefined } satisfies TaskMessage)
      idle.push(child)
    }
  }

  return {
    places,
    run,
    async close() {
      closed = true
      for (const child of [...idle]) {
        if (!child.connected || !keepSpare(child)) continue
        child.off('exit', forget)
        forget.call(child)
      }
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

const MODEST: ReadonlySet<TaskName> = new Set(['scores', 'shard', 'join', 'divide'])

/** Tasks whose memory does not grow with the rows. */
function isModest(task: TaskName): boolean {
  return MODEST.has(task) || PURPOSE[task] === 'checks'
}

/** Lanes that take no place from nights. */
function isBeside(lane: Lane): boolean {
  return lane === 'monitor' || lane === 'shadow'
}

/**
 * Nice values: computing leaves the processor first to what answers (pages, heartbeats, the planner, the ledger), and what
 * nothing waits for leaves it to the nights.
 */
const NICE = { night: 5, shadow: 10 }

function yieldTo(child: ChildProcess, nice: number): void {
  try {
    if (child.pid !== undefined) setPriority(child.pid, nice)
  } catch {
    // It has ended, or the system does not allow it: it computes the same at the usual priority.
  }
}

/** A task's files aside are removed with it, however its child ended. */
async function withTemporary<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-task-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Limits {
  timeoutMs: number
  plan: MemoryPlan
  /** The task's own share. */
  own: EngineBounds
  /** Bytes that all children hold now. */
  heldByAll: () => number
}

const LOOK_AT_MEMORY_MS = 250
/** A check reads schemas, footers and a few rows; a file that needs more than this is malicious or broken. */
const CHECK_BYTES = 4 * 1024 ** 3

/**
 * Runs one task in one child. A child whose task failed is killed: a DuckDB instance may be unusable after an error.
 */
function perform(
  child: ChildProcess,
  message: TaskMessage,
  options: TaskOptions,
  limits: Limits,
): Promise<unknown> {
  const { task } = message
  return new Promise((resolve, reject) => {
    let ending: Failure | undefined
    let peak = 0
    const end = (failure: Failure) => {
      ending ??= failure
      child.kill('SIGKILL')
    }
    const timer = setTimeout(() => end(tookTooLong(task, limits.timeoutMs)), longest(limits.timeoutMs))
    const memory = setInterval(() => {
      const held = child.pid === undefined ? undefined : ownBytes(child.pid)
      if (held === undefined) return
      peak = Math.max(peak, held)
      if (PURPOSE[task] === 'checks' && held > CHECK_BYTES) end(tookTooMuch(task, held, CHECK_BYTES))
      if (held > limits.own.memory && limits.heldByAll() > limits.plan.total)
        end(tookTooMuch(task, held, limits.own.memory, limits.plan))
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
      options.onUsage?.(answer.usage)
      if (answer.kind === 'facts') resolve(answer.facts)
      else {
        // A task that asks for objects has not failed.
        if (answer.failure.evidence.fetch === undefined) child.kill('SIGKILL')
        const { stack } = answer
        const failure = ofShare(answer.failure, task, limits.own, limits.plan)
        const cause = new Error(failure.message)
        cause.stack = stack
        reject(new Failure(failure.class, failure.message, { cause, evidence: failure.evidence }))
      }
    }
    const onExit = (code: number | null, signal: NodeJS.Signals | null) => {
      settle()
      // It may have ended before it said anything.
      if (peak > 0) options.onUsage?.({ memory: peak, limit: limits.own.memory, spilled: null })
      reject(ending ?? died(task, code, signal))
    }
    child.on('message', onMessage)
    child.once('exit', onExit)
    child.send(message)
    if (child.pid !== undefined) options.onChild?.(child.pid)
  })
}

/** JavaScript timers longer than 2^31 - 1 ms fire at once. */
function longest(ms: number): number {
  return Math.min(ms, 2 ** 31 - 1)
}
