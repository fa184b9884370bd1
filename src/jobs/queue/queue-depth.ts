import { QUEUE_NAMES, type QueueName, type Queues } from './queues.ts'

export interface QueueDepth {
  queue: QueueName
  /** Jobs by state; ended jobs are those that the board still keeps. */
  jobs: Record<(typeof STATES)[number], number>
  /** How long the first job in line has waited, in seconds; 0 if none waits. */
  oldestSeconds: number
}

const STATES = ['waiting', 'active', 'delayed', 'failed'] as const

/** Number of waiting jobs in each queue, and since when. Takes as long as the queue's server: see `within`. */
export function queueDepths(queues: Queues, now: number): Promise<QueueDepth[]> {
  return Promise.all(
    QUEUE_NAMES.map(async (name) => {
      const queue = queues.queue(name)
      const counts = await queue.getJobCounts(...STATES)
      const jobs = {
        waiting: counts.waiting ?? 0,
        active: counts.active ?? 0,
        delayed: counts.delayed ?? 0,
        failed: counts.failed ?? 0,
      }
      const front = await Promise.all(
        frontOf(queues.backend, jobs.waiting).map((span) => queue.getWaiting(...span)),
      )
      const times = front.flat().map(({ timestamp }) => timestamp)
      const oldestSeconds = times.length === 0 ? 0 : Math.max(0, (now - Math.min(...times)) / 1000)
      return { queue: name, jobs, oldestSeconds }
    }),
  )
}

/**
 * The position of the first job in line among the waiting jobs. On PostgreSQL, BullMQ counts from the newest, so it
 * is at the end, which may shift during the query.
 */
function frontOf(backend: Queues['backend'], waiting: number): [number, number][] {
  if (waiting === 0) return []
  return backend === 'redis' ? [[0, 0]] : [[Math.max(0, waiting - 3), waiting + 2]]
}
