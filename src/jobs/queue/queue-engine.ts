import type { FlowProducer, Job, Queue } from 'bullmq'

export type Log = (level: 'info' | 'warn' | 'error', message: string) => void

/** What the work of a job needs of it. */
export type TakenJob = Pick<Job, 'id' | 'name' | 'data'> & {
  /** A line in the job's log. */
  log(line: string): Promise<unknown>
  updateProgress(progress: object): Promise<void>
}

export interface WorkRequest {
  /** Concurrent jobs. */
  concurrency: number
  /**
   * Runs one job; its return value is shown on the board. `signal` aborts when the job's lock is lost (it was
   * delivered again, or the queue was wiped) and when the worker is closed and the grace period has ended.
   */
  process: (job: TakenJob, signal: AbortSignal) => Promise<unknown>
  /** Called with the id of each job whose lock was lost, in addition to the signal. */
  onLost?: (id: string) => void
}

export interface WorkerHandle {
  /**
   * Takes no more jobs and waits for running ones; after `graceMs` (default 10 s) aborts them, and returns at most 4
   * s later. Unfinished jobs are delivered again, to another worker.
   */
  close(graceMs?: number): Promise<void>
}

/**
 * What the two backends provide; the rest is the same for both. BullMQ's types distinguish queues by backend and the
 * board accepts those of Redis, so both are constructed as such (see `queues-postgres.ts`).
 */
export interface Engine {
  backend: 'redis' | 'postgres'
  openQueue(name: string): Queue
  openFlows(): FlowProducer
  openWorker(name: string, process: Processor, settings: WorkerSettings): BullWorker
  /** Resolves when the server is usable. Rejects with a ConfigurationError if it is misconfigured. */
  usable(): Promise<void>
  /** Called with each error of a queue or worker; reports it once per outage. */
  complain(error: Error): void
  /** Why the server is unavailable, if a failed query does not state it. */
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

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
