import { QUEUE_NAMES, type QueueName, type Queues } from './queues.ts'

export interface QueueDepth {
  queue: QueueName
  /** Jobs by state; ended ones are what the board still keeps. */
  jobs: Record<(typeof STATES)[number], number>
  /** Seconds that the job in front has waited; 0 where none waits. */
  oldestSeconds: number
}

const STATES = ['waiting', 'active', 'delayed', 'failed'] as const

/** How much waits in each queue, and since when. Takes as long as the queue's server does: see `within`. */
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
 * Where the job in front is among those that wait. On PostgreSQL BullMQ counts them from the newest, so it is at the
 * end, which moves a little while we ask.
 */
function frontOf(backend: Queues['backend'], waiting: number): [number, number][] {
  if (waiting === 0) return []
  return backend === 'redis' ? [[0, 0]] : [[Math.max(0, waiting - 3), waiting + 2]]
}
