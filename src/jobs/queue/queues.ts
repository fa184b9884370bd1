import type { Job, Queue } from 'bullmq'
import { Failure } from '../../pipeline/engine/failure.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { startWork } from './queue-worker.ts'
import { within } from './within.ts'

/** Queues of the nights. Backfills have their own, so that no night waits behind one. */
export const NIGHTLY_QUEUES = ['features', 'scoring'] as const
export const BACKFILL_QUEUES = ['features-backfill', 'scoring-backfill'] as const
export const QUEUE_NAMES = [
  ...NIGHTLY_QUEUES,
  ...BACKFILL_QUEUES,
  'shadow',
  'parity',
  'monitor',
  'outcomes',
] as const
export type QueueName = (typeof QUEUE_NAMES)[number]

export interface QueueOptions {
  /** REDIS_URL; undefined: the queues are in PostgreSQL. */
  redisUrl?: string | undefined
  databaseUrl: string
  log: Log
  /** Begins the keys in Redis, so that projects can share one. In PostgreSQL a project has a database. */
  prefix?: string
  /** By which clock a job is said to wait; default: this machine's. */
  now?: () => Promise<Date>
}
export type Log = (level: 'info' | 'warn' | 'error', message: string) => void

export interface JobRequest {
  /** `<run>-a<attempt>`. */
  id: string
  /** What the board shows, such as `score churn 2026-11-22`. */
  title: string
  data: Record<string, unknown>
}

export interface WorkRequest {
  /** Jobs at a time. */
  concurrency: number
  /**
   * Does one job; what it returns is shown on the board. `signal` aborts when the job's lock is lost (it was
   * delivered again, or the queue was wiped) and when the worker is closed and has waited long enough.
   */
  process: (job: Job, signal: AbortSignal) => Promise<unknown>
  /** Told the id of each job whose lock was lost, besides the signal. */
  onLost?: (id: string) => void
}

export interface WorkerHandle {
  /**
   * Takes no more jobs and waits for those that run; after `graceMs` (default 10 s) aborts them, and returns at
   * the latest 4 s later. What had not ended is delivered again, to another worker.
   */
  close(graceMs?: number): Promise<void>
}

export interface Queues {
  backend: 'redis' | 'postgres'
  /** BullMQ's own, for the board; another one where its start had failed. Not to be kept. */
  queue(name: QueueName): Queue
  /**
   * Adds a job, or does nothing where one of this id waits or runs. One of this id that has ended is replaced.
   * @throws Failure 'transient' where the queue does not answer within 5 s; the job may have been added.
   */
  add(name: QueueName, job: JobRequest): Promise<void>
  /** Whether a job of this id waits or runs. @throws Failure 'transient' like `add`. */
  has(name: QueueName, id: string): Promise<boolean>
  /** Starts to take jobs. Goes on where the queue is down, and takes jobs when it is back. */
  work(name: QueueName, request: WorkRequest): Promise<WorkerHandle>
  /** Why the queue's server is away, where it is known and a question that failed does not say it. */
  trouble(): Error | undefined
  /** Closes the workers too. */
  close(): Promise<void>
}

/**
 * What the two backends have to bring; the rest is the same for both. BullMQ's types know queues by their backend,
 * and the board takes those of Redis, so both are built as such (see `queues-postgres.ts`).
 */
export interface Engine {
  backend: 'redis' | 'postgres'
  openQueue(name: string): Queue
  openWorker(name: string, process: Processor, settings: WorkerSettings): BullWorker
  /** Resolves when the server may be used. Rejects with a ConfigurationError where it is set up wrongly. */
  usable(): Promise<void>
  /** Called with each error of a queue or worker; says it once per outage. */
  complain(error: Error): void
  /** Why the server is away, where a question that failed does not say it. */
  trouble(): Error | undefined
  close(): Promise<void>
}
export type BullWorker = import('bullmq').Worker
export type Processor = (
  job: Job,
  token: string | undefined,
  signal: AbortSignal | undefined,
) => Promise<unknown>
export interface WorkerSettings {
  concurrency: number
  lockDuration: number
  stalledInterval: number
  maxStalledCount: number
  maxStartedAttempts: number
  runRetryDelay: number
}

const ADD_WITHIN_MS = 5_000
const CLOSE_WITHIN_MS = 2_000
const KEEP = { age: 90 * 24 * 3600 }

/** Opens the queues, on Redis or in the ledger's PostgreSQL. */
export async function openQueues(options: QueueOptions): Promise<Queues> {
  const engine = await openEngine(options)
  const queues = new Map<QueueName, Queue>()
  const handles = new Set<WorkerHandle>()

  const queue = (name: QueueName): Queue => {
    const known = queues.get(name)
    if (known !== undefined) return known
    const open = engine.openQueue(name)
    queues.set(name, open)
    open.on('error', (error) => engine.complain(error))
    // BullMQ keeps a start that has failed for ever: whoever asks next gets a queue that starts anew.
    open.waitUntilReady().catch((error: unknown) => {
      engine.complain(asError(error))
      if (queues.get(name) === open) queues.delete(name)
      void within(CLOSE_WITHIN_MS, open.close()).catch(() => {})
    })
    return open
  }

  return {
    backend: engine.backend,
    queue,
    trouble: () => engine.trouble(),
    async add(name, { id, title, data }) {
      await ask(engine, `job ${id} could not be added to the queue ${name}`, async () => {
        const state = await queue(name).getJobState(id)
        if (!isOver(state)) return
        if (state !== 'unknown') await queue(name).remove(id)
        await queue(name).add(title, data, {
          jobId: id,
          ...(options.now === undefined ? {} : { timestamp: (await options.now()).getTime() }),
          attempts: 1,
          removeOnComplete: KEEP,
          removeOnFail: KEEP,
        })
      })
    },
    async has(name, id) {
      return await ask(engine, `the queue ${name} could not be asked for job ${id}`, async () => {
        return !isOver(await queue(name).getJobState(id))
      })
    },
    async work(name, request) {
      const handle = startWork(engine, name, request)
      handles.add(handle)
      return handle
    },
    async close() {
      await Promise.all([...handles].map((handle) => handle.close()))
      await Promise.all(
        [...queues.values()].map((open) => within(CLOSE_WITHIN_MS, open.close()).catch(() => {})),
      )
      await engine.close()
    },
  }
}

async function openEngine(options: QueueOptions): Promise<Engine> {
  if (options.redisUrl !== undefined) {
    const { openRedisEngine } = await import('./queues-redis.ts')
    return await openRedisEngine(options.redisUrl, options.prefix ?? 'nightshift', options.log)
  }
  const { openPostgresEngine } = await import('./queues-postgres.ts')
  return await openPostgresEngine(options.databaseUrl, options.log)
}

/** `unknown` is what BullMQ says of a job that it does not have. */
function isOver(state: string): boolean {
  return state === 'completed' || state === 'failed' || state === 'unknown'
}

/** Asks the queue's server, which may be away: never longer than 5 s. */
async function ask<T>(engine: Engine, problem: string, question: () => Promise<T>): Promise<T> {
  try {
    return await within(
      ADD_WITHIN_MS,
      engine.usable().then(() => question()),
    )
  } catch (error) {
    if (error instanceof ConfigurationError) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new Failure('transient', `${problem}: ${why}`, { cause: error })
  }
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
