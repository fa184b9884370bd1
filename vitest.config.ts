import { defineConfig } from 'vitest/config'
import { Slowest } from './test/slowest.ts'

const results = process.env.NIGHTSHIFT_TEST_RESULTS
const json: ['json', { outputFile: string }][] =
  results === undefined ? [] : [['json', { outputFile: results }]]
const slowest = process.env.NIGHTSHIFT_TEST_SLOWEST === undefined ? [] : [new Slowest()]

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // ONNX Runtime reports to its vendor otherwise.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    globalSetup: ['test/setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    reporters: ['default', ...json, ...slowest],
  },
})
