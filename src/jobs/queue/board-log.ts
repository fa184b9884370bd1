import type { TakenJob } from './queue-engine.ts'

/**
 * Writes lines into a job's log on the queue board, one after the other: of two at once, both take the same place in
 * PostgreSQL, and one is lost. A line that cannot be written is left out: no run depends on it.
 */
export function boardLog(job: Pick<TakenJob, 'log'>): (line: string) => void {
  let last: Promise<unknown> = Promise.resolve()
  return (line) => {
    last = last.then(() => job.log(line)).catch(() => {})
  }
}
