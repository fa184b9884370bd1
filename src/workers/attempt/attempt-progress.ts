import { recordProgress } from '../../ledger/nights/run-facts.ts'
import type { Context } from '../context.ts'

const EVERY_MS = 500

interface Reported {
  text: string
  rows?: number
  total?: number
}

/**
 * Reports an attempt's progress to the ledger (for `run` and the pages) and to the queue board, at most twice a
 * second, to limit the writes.
 */
export function followProgress(
  context: Context,
  run: string,
  job: { progress: (progress: Reported) => void },
): {
  step(text: string): void
  rows(text: string, rows?: number, total?: number): void
  close(): Promise<void>
} {
  let latest: Reported | undefined
  let timer: NodeJS.Timeout | undefined
  let writing = Promise.resolve()

  const write = () => {
    timer = undefined
    const progress = latest
    if (progress === undefined) return
    latest = undefined
    job.progress(progress)
    writing = writing.then(async () => {
      // Progress is optional: the attempt itself reports an unavailable ledger.
      await recordProgress(context.database.pool, run, progress).catch(() => {})
    })
  }
  const report = (progress: Reported) => {
    latest = progress
    timer ??= setTimeout(write, EVERY_MS)
  }
  return {
    step: (text) => report({ text }),
    rows: (text, rows, total) =>
      report({ text, ...(rows === undefined ? {} : { rows }), ...(total === undefined ? {} : { total }) }),
    async close() {
      clearTimeout(timer)
      write()
      await writing
    },
  }
}
