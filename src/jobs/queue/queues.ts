import type { JobType, Queue } from 'bullmq'
import { DEFAULT_SCHEMA, queueSchema } from '../../ledger/connection/schema.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { asError, type Engine, type Log, type WorkerHandle, type WorkRequest } from './queue-engine.ts'
import { startWork } from './queue-worker.ts'
import { within } from './within.ts'

/** Queues of scheduled nights. Backfills have their own, so that no scheduled night waits for a backfill. */
export const NIGHTLY_QUEUES = ['features', 'scoring'] as const
export const BACKFILL_QUEUES = ['features-backfill', 'scoring-backfill'] as const
export const QUEUE_NAMES = [
  ...NIGHTLY_QUEUES,
  ...BACKFILL_QUEUES,
  'shadow',
  'parity',
  'monitor',
  'outcomes',
  'retraining',
  'operations',
] as const
export type QueueName = (typeof QUEUE_NAMES)[number]

export interface QueueOptions {
  /** REDIS_URL; undefined: the queues are in PostgreSQL. */
  redisUrl?: string | undefined
  databaseUrl: string
  log: Log
  /** Begins the keys in Redis, so that ledgers can share one. */
  prefix?: string
  /** The ledger's schema in PostgreSQL: that of the queues stands beside it. */
  schema?: string
  /** The clock by which a job waits; default: this machine's. */
  now?: () => Promise<Date>
}
export interface JobRequest {
  /** `<run>-a<attempt>`. */
  id: string
  /** Shown on the board, such as `score churn 2026-11-22`. */
  title: string
  data: Record<string, unknown>
}

/** What planning and working need of the queues. */
export interface JobQueues {
  /**
   * Adds a job; does nothing if a job with this id is waiting or active. An ended job with this id is replaced.
   * @throws Failure 'transient' if the queue does not answer within 5 s; the job may have been added.
   */
  add(name: QueueName, job: JobRequest): Promise<void>
  /**
   * Adds jobs, and one that is given out when all of them have ended, well or not.
   * @throws Failure 'transient' like `add`; all may have been added.
   */
  addFlow(name: QueueName, last: JobRequest, jobs: JobRequest[]): Promise<void>
  /** Whether a job with this id is waiting or active. @throws Failure 'transient' like `add`. */
  has(name: QueueName, id: string): Promise<boolean>
  /** Ids of all jobs that are waiting or active. @throws Failure 'transient' like `add`. */
  ids(name: QueueName): Promise<ReadonlySet<string>>
  /** Starts taking jobs. Works while the queue is down, and takes jobs when it is available again. */
  work(name: QueueName, request: WorkRequest): Promise<WorkerHandle>
  /** Closes the workers too. */
  close(): Promise<void>
}

export interface Queues extends JobQueues {
  backend: 'redis' | 'postgres'
  /** BullMQ's own queue, for the board; a new one if its start failed. Do not keep a reference. */
  queue(name: QueueName): Queue
  /** Why the queue's server is unavailable, if it is known and not stated by the failed query itself. */
  trouble(): Error | undefined
}

/** In the order that a job takes, so that one that moves on between two queries is seen. */
const UNDER_WAY: JobType[] = ['waiting', 'prioritized', 'delayed', 'waiting-children', 'active']

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
    // BullMQ keeps a failed start for ever: the next caller gets a new queue.
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
      await query(engine, `job ${id} could not be added to the queue ${name}`, async () => {
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
    async addFlow(name, last, jobs) {
      await query(engine, `the flow ${last.id} could not be added to the queue ${name}`, async () => {
        const flows = engine.openFlows()
        flows.on('error', (error) => engine.complain(error))
        try {
          const timestamp = options.now === undefined ? {} : { timestamp: (await options.now()).getTime() }
          const job = ({ id, title, data }: JobRequest) => ({
            name: title,
            queueName: name,
            data,
            opts: { jobId: id, ...timestamp, attempts: 1, removeOnComplete: KEEP, removeOnFail: KEEP },
          })
          await flows.add({
            ...job(last),
            // A job that fails is not the end of the others: what became of each is in the ledger.
            children: jobs.map(job).map(({ opts, ...rest }) => ({
              ...rest,
              opts: { ...opts, ignoreDependencyOnFailure: true },
            })),
          })
        } finally {
          await within(CLOSE_WITHIN_MS, flows.close()).catch(() => {})
        }
      })
    },
    async has(name, id) {
      return await query(engine, `the queue ${name} could not be queried for job ${id}`, async () => {
        return !isOver(await queue(name).getJobState(id))
      })
    },
    async ids(name) {
      return await query(engine, `the queue ${name} could not be queried for its jobs`, async () => {
        return new Set(await queue(name).getRanges(UNDER_WAY, 0, -1))
      })
    },
    async work(name, request) {
      const started = startWork(engine, name, request)
      const handle: WorkerHandle = {
        async close(graceMs) {
          await started.close(graceMs)
          handles.delete(handle)
        },
      }
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
  return await openPostgresEngine(
    options.databaseUrl,
    queueSchema(options.schema ?? DEFAULT_SCHEMA),
    options.log,
  )
}

/** BullMQ reports `unknown` for a job that it does not have. */
function isOver(state: string): boolean {
  return state === 'completed' || state === 'failed' || state === 'unknown'
}

/** Queries the queue's server, which may be unavailable, for at most 5 s. */
async function query<T>(engine: Engine, problem: string, request: () => Promise<T>): Promise<T> {
  try {
    return await within(
      ADD_WITHIN_MS,
      engine.usable().then(() => request()),
    )
  } catch (error) {
    if (error instanceof ConfigurationError) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new Failure('transient', `${problem}: ${why}`, { cause: error })
  }
}
