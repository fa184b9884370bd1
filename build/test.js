// `npm test`: vitest with its own arguments; `--slowest` adds a list of the files and tests that took longest.
import { spawn } from 'node:child_process'

const given = process.argv.slice(2)
const slowest = given.includes('--slowest')
const vitest = spawn(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', ...given.filter((arg) => arg !== '--slowest')],
  { stdio: 'inherit', env: { ...process.env, ...(slowest ? { NIGHTSHIFT_TEST_SLOWEST: '1' } : {}) } },
)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => vitest.kill(signal))
vitest.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1
})
