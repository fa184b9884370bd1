import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Failure } from '../pipeline/failure.ts'
import type { ChildMessage, FactsOf, Progress, RequestOf, TaskMessage, TaskName } from './tasks.ts'

/** Where a compute child may take a place: nightly work any, back-filled nights all but one. */
export type Lane = 'nightly' | 'backfill'

export interface TaskOptions {
  lane?: Lane
  /** The child is ended after this long: DuckDB and ONNX Runtime cannot be asked to stop. */
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

const PROGRAM = fileURLToPath(new URL('../../dist/workers/child.js', import.meta.url))

/**
 * Opens the pool. Children are started when first needed, or at once with `warm`, and kept.
 * Throws nothing by itself; a child that dies fails its task as `transient` (or `resource` when it was ended
 * by the kernel's out-of-memory killer or at its timeout) and is replaced.
 */
export function openChildren({ places, warm = false }: { places: number; warm?: boolean }): Children {
  const idle: ChildProcess[] = []
  const all = new Set<ChildProcess>()
  const waiting: Waiting[] = []
  const busy = { nightly: 0, backfill: 0 }
  let closed = false
  let nextId = 1

  const free = (lane: Lane) =>
    busy.nightly + busy.backfill < places && (lane === 'nightly' || busy.backfill < Math.max(1, places - 1))

  async function enter(lane: Lane): Promise<void> {
    if (!free(lane)) await new Promise<void>((take) => waiting.push({ lane, take }))
    else busy[lane]++
  }

  function leave(lane: Lane): void {
    busy[lane]--
    const next = (['nightly', 'backfill'] as const)
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
      if (closed) throw new Failure('transient', 'the worker is closing')
      if (options.signal?.aborted) throw aborted(options.signal)
      const child = idle.pop() ?? start()
      const facts = await perform(child, { id: nextId++, task, request }, options)
      if (child.connected) idle.push(child)
      return facts as FactsOf<Name>
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

/** One task on one child. A child that failed a task is ended: a DuckDB instance may be unusable after an error. */
function perform(child: ChildProcess, message: TaskMessage, options: TaskOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let ending: Failure | undefined
    const end = (failure: Failure) => {
      ending ??= failure
      child.kill('SIGKILL')
    }
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            end(
              new Failure('resource', `the attempt ran past its timeout of ${seconds(options.timeoutMs)}`, {
                evidence: { timeout_ms: options.timeoutMs, task: message.task },
              }),
            )
          }, options.timeoutMs)
    const onAbort = () => end(aborted(options.signal))
    options.signal?.addEventListener('abort', onAbort, { once: true })

    const settle = () => {
      clearTimeout(timer)
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
      reject(ending ?? died(message.task, code, signal))
    }
    child.on('message', onMessage)
    child.once('exit', onExit)
    child.send(message)
  })
}

function died(task: TaskName, code: number | null, signal: NodeJS.Signals | null): Failure {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`
  // Nobody but the kernel's out-of-memory killer sends SIGKILL to a child that we did not end.
  const failureClass = signal === 'SIGKILL' ? 'resource' : 'transient'
  const hint = signal === 'SIGKILL' ? '; the kernel does that when memory runs out' : ''
  return new Failure(failureClass, `the compute process ended ${how} while it worked on ${task}${hint}`, {
    evidence: { task, code, signal },
  })
}

function aborted(signal: AbortSignal | undefined): Failure {
  const reason: unknown = signal?.reason
  return reason instanceof Failure
    ? reason
    : new Failure('transient', 'the attempt was cancelled', { cause: reason })
}

function seconds(ms: number | undefined): string {
  return `${Math.round((ms ?? 0) / 1000)} s`
}
