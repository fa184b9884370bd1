import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/longest-first.ts'
import { Slowest } from './test/slowest.ts'

const results = process.env.NIGHTSHIFT_TEST_RESULTS
const json: ['json', { outputFile: string }][] =
  results === undefined ? [] : [['json', { outputFile: results }]]
const slowest = process.env.NIGHTSHIFT_TEST_SLOWEST === undefined ? undefined : new Slowest()

const all = {
  // Ends what hangs. How long a test takes says more about the machine than about the program.
  testTimeout: 600_000,
  hookTimeout: 600_000,
  // ONNX Runtime reports to its vendor otherwise.
  env: {
    ORT_DISABLE_TELEMETRY: '1',
    ...(slowest === undefined ? {} : { NIGHTSHIFT_TEST_PROCESSOR: slowest.processorFile }),
  },
  setupFiles: slowest === undefined ? [] : ['test/processor-time.ts'],
}
/** These change nothing outside their folders and ledgers, so that one process loads the modules once for many files. */
const shared = [
  'actions',
  'alerts',
  'bench',
  'build',
  'charts',
  'cli',
  'fixtures',
  'format',
  'host',
  'hostile',
  'jobs',
  'ledger',
  'monitoring',
  'pipeline',
  'project',
  'readiness',
  'registry',
  'web',
].map((folder) => `test/${folder}/**/*.test.ts`)

export default defineConfig({
  test: {
    globalSetup: ['test/setup.ts'],
    sequence: { sequencer: LongestFirst },
    // Of each project, so four at once: tests of faults wait for a long time.
    maxWorkers: 2,
    reporters: ['default', ...json, ...(slowest === undefined ? [] : [slowest])],
    projects: [
      { test: { ...all, name: 'whole', include: ['test/**/*.test.ts'], exclude: shared } },
      { test: { ...all, name: 'shared', include: shared, isolate: false } },
    ],
  },
})
