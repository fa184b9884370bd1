import { appendFileSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect } from 'vitest'

/** Where each test file's processor time is written, for test/slowest.ts. */
const file = process.env.NIGHTSHIFT_TEST_PROCESSOR

if (file !== undefined) {
  let before = 0
  beforeAll(() => {
    before = usedSeconds()
  })
  afterAll(() => {
    const path = expect.getState().testPath ?? ''
    appendFileSync(file, `${JSON.stringify({ path, seconds: usedSeconds() - before })}\n`)
  })
}

/** Processor seconds of this process, of those below it, and of those that have ended. Linux only. */
function usedSeconds(pid = String(process.pid)): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const own = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100
    const below = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
    return below.reduce((sum, child) => sum + usedSeconds(child), own)
  } catch {
    // It has ended: its time is its parent's now.
    return 0
  }
}
