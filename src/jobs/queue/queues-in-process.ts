import type { TakenJob, WorkerHandle, WorkRequest } from './queue-engine.ts'
import type { JobQueues, JobRequest, QueueName } from './queues.ts'

/** Queues within one process, for a simulation: its clock moves only while nothing is under way. */
export interface InProcessQueues extends JobQueues {
  /** Resolves when all jobs have ended, to how many have since the last call. Rejects if one keeps failing. */
  idle(): Promise<number>
}

/** A job that fails this often in a row, without a change of time, would fail for ever. */
const MOST_FAILURES = 5

/**
 * Jobs are taken in the order in which they were added, by the same work as from BullMQ's queues. A job without a worker
 * waits. One that fails is gone, as from those queues: whoever planned it plans it again.
 */
export function openInProcessQueues(): InProcessQueues {
  const waiting = new Map<QueueName, Map<string, JobRequest>>()
  const workers = new Map<QueueName, WorkRequest>()
  const active = new Map<string, Promise<void>>()
  const failures = new Map<string, number>()
  const flows: { name: QueueName; last: JobRequest; left: Set<string> }[] = []
  const closing = new AbortController()
  let ended = 0
  let stuck: unknown

  const keyOf = (name: QueueName, id: string) => `${name} ${id}`
  const running = (name: QueueName) => [...active.keys()].filter((key) => key.startsWith(`${name} `)).length

  async function perform(name: QueueName, job: JobRequest, request: WorkRequest): Promise<void> {
    const taken: TakenJob = {
      id: job.id,
      name: job.title,
      data: job.data,
      log: async () => {},
      updateProgress: async () => {},
    }
    const key = keyOf(name, job.id)
    try {
      await request.process(taken, closing.signal)
      failures.delete(key)
    } catch (error) {
      const count = (failures.get(key) ?? 0) + 1
      failures.set(key, count)
      if (count >= MOST_FAILURES) stuck = error
    }
  }

  function take(name: QueueName): void {
    const request = workers.get(name)
    const jobs = waiting.get(name)
    if (request === undefined || jobs === undefined || closing.signal.aborted) return
    for (const [id, job] of jobs) {
      if (running(name) >= request.concurrency) return
      jobs.delete(id)
      const key = keyOf(name, id)
      active.set(
        key,
        perform(name, job, request).finally(() => {
          active.delete(key)
          ended += 1
          for (const flow of flows) if (flow.name === name && flow.left.delete(id)) follow(flow)
          take(name)
        }),
      )
    }
  }

  function add(name: QueueName, job: JobRequest): void {
    const jobs = waiting.get(name) ?? new Map<string, JobRequest>()
    waiting.set(name, jobs)
    if (!active.has(keyOf(name, job.id)) && !jobs.has(job.id)) jobs.set(job.id, job)
    take(name)
  }

  /** Adds the last job of a flow once all before it have ended. */
  function follow(flow: (typeof flows)[number]): void {
    if (flow.left.size > 0) return
    flows.splice(flows.indexOf(flow), 1)
    add(flow.name, flow.last)
  }

  return {
    add: async (name, job) => add(name, job),
    async addFlow(name, last, jobs) {
      flows.push({ name, last, left: new Set(jobs.map(({ id }) => id)) })
      for (const job of jobs) add(name, job)
    },
    async has(name, id) {
      return active.has(keyOf(name, id)) || waiting.get(name)?.has(id) === true
    },
    async ids(name) {
      const under = `${name} `
      const keys = [...active.keys()].filter((key) => key.startsWith(under))
      return new Set([...(waiting.get(name)?.keys() ?? []), ...keys.map((key) => key.slice(under.length))])
    },
    async work(name, request): Promise<WorkerHandle> {
      workers.set(name, request)
      take(name)
      return {
        async close() {
          workers.delete(name)
          await Promise.all(active.values())
        },
      }
    },
    async idle() {
      while (active.size > 0) await Promise.race(active.values())
      if (stuck !== undefined) throw stuck
      const count = ended
      ended = 0
      return count
    },
    async close() {
      closing.abort()
      await Promise.all(active.values())
    },
  }
}
