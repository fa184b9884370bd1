import { openQueues, type QueueOptions, type Queues } from '../../../src/jobs/queue/queues.ts'

export type OnFinished = (release: () => Promise<void>) => void

/** Queues that the end of a test closes; what they log is added to `lines`. */
export async function open(
  connection: Omit<QueueOptions, 'log'>,
  onTestFinished: OnFinished,
  lines: string[] = [],
): Promise<Queues> {
  const queues = await openQueues({
    ...connection,
    log: (level, message) => lines.push(`${level} ${message}`),
  })
  onTestFinished(() => queues.close())
  return queues
}

export const score = (id: string) => ({ id, title: 'score churn 2026-11-22', data: { run: id, attempt: 1 } })
