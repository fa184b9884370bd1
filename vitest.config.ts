import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/longest-first.ts'
import { Slowest } from './test/slowest.ts'

const results = process.env.NIGHTSHIFT_TEST_RESULTS
const json: ['json', { outputFile: string }][] =
  results === undefined ? [] : [['json', { outputFile: results }]]
const slowest = process.env.NIGHTSHIFT_TEST_SLOWEST === undefined ? undefined : new Slowest()

export default defineConfig({
  test: {
    // Ends what hangs. How long a test takes says more about the machine than about the program.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // ONNX Runtime reports to its vendor otherwise.
    env: {
      ORT_DISABLE_TELEMETRY: '1',
      ...(slowest === undefined ? {} : { NIGHTSHIFT_TEST_PROCESSOR: slowest.processorFile }),
    },
    setupFiles: slowest === undefined ? [] : ['test/processor-time.ts'],
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup.ts'],
    sequence: { sequencer: LongestFirst },
    // More than cores: tests of faults wait for a long time. Six were no faster on two cores.
    maxWorkers: 4,
    // A process loads the modules once for many files. Each file cleans up after itself.
    isolate: false,
    reporters: ['default', ...json, ...(slowest === undefined ? [] : [slowest])],
  },
})
