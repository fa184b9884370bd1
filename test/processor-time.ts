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

/** Processor seconds of this process and of those that it has started and that have ended. Linux only. */
function usedSeconds(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100
}
