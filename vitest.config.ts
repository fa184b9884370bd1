import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/longest-first.ts'
import { Slowest } from './test/slowest.ts'

const results = process.env.NIGHTSHIFT_TEST_RESULTS
const json: ['json', { outputFile: string }][] =
  results === undefined ? [] : [['json', { outputFile: results }]]
const slowest = process.env.NIGHTSHIFT_TEST_SLOWEST === undefined ? [] : [new Slowest()]

const all = {
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // ONNX Runtime reports to its vendor otherwise.
  env: { ORT_DISABLE_TELEMETRY: '1' },
}
/**
 * Every file has what it changes to itself: a folder, a ledger, processes of its own. So one process loads the modules once
 * for many files, which halves the processor time of the suite.
 */
export default defineConfig({
  test: {
    ...all,
    isolate: false,
    globalSetup: ['test/setup.ts'],
    sequence: { sequencer: LongestFirst },
    include: ['test/**/*.test.ts'],
    // More than cores: tests of faults wait for a long time.
    maxWorkers: 5,
    reporters: ['default', ...json, ...slowest],
  },
})
