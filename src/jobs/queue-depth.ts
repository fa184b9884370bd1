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
      const [counts, [front]] = await Promise.all([queue.getJobCounts(...STATES), queue.getWaiting(0, 0)])
      const jobs = {
        waiting: counts.waiting ?? 0,
        active: counts.active ?? 0,
        delayed: counts.delayed ?? 0,
        failed: counts.failed ?? 0,
      }
      const oldestSeconds = front === undefined ? 0 : Math.max(0, (now - front.timestamp) / 1000)
      return { queue: name, jobs, oldestSeconds }
    }),
  )
}
