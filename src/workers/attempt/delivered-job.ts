import type { Run } from '../../ledger/nights/run-records.ts'

/** A job as the queue gives it to a worker. */
export interface DeliveredJob {
  data: unknown
  lane: 'nightly' | 'backfill'
  /** A line in the job's log on the queue board. */
  log: (line: string) => void
  progress: (progress: { text: string; rows?: number; total?: number }) => void
  /** Features may be left to shards: other workers are there, and the night is none of a backfill. */
  divides: boolean
  /** Adds the shards of an attempt to the queue, and their join. */
  flow: (run: Run, attempt: number, shards: number) => Promise<void>
  /** Aborted when the queue's lock is lost: another worker may have the job by then. */
  signal: AbortSignal
}
