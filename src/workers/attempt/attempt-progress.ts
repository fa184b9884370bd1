import { recordProgress } from '../../ledger/nights/run-facts.ts'
import type { Context } from '../context.ts'

const EVERY_MS = 500

interface Told {
  text: string
  rows?: number
  total?: number
}

/**
 * Passes an attempt's progress on to the ledger (for `run` and the pages) and to the queue board, at most
 * twice a second: a row of progress is not worth a write of its own.
 */
export function followProgress(
  context: Context,
  run: string,
  job: { progress: (progress: Told) => void },
): {
  step(text: string): void
  rows(text: string, rows?: number, total?: number): void
  close(): Promise<void>
} {
  let latest: Told | undefined
  let timer: NodeJS.Timeout | undefined
  let writing = Promise.resolve()

  const write = () => {
    timer = undefined
    const told = latest
    if (told === undefined) return
    latest = undefined
    job.progress(told)
    writing = writing.then(async () => {
      // Progress is a courtesy: a ledger that is away is told by the attempt itself.
      await recordProgress(context.database.pool, run, told).catch(() => {})
    })
  }
  const tell = (told: Told) => {
    latest = told
    timer ??= setTimeout(write, EVERY_MS)
  }
  return {
    step: (text) => tell({ text }),
    rows: (text, rows, total) =>
      tell({ text, ...(rows === undefined ? {} : { rows }), ...(total === undefined ? {} : { total }) }),
    async close() {
      clearTimeout(timer)
      write()
      await writing
    },
  }
}
