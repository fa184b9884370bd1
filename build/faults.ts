// Injects every fault in its full form and writes what came of it into docs/reliability.md. With --break: takes the
// guards away instead, one at a time, and shows that the checkers notice.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { faultTable, readTries, withTable } from '../test/faults/table.ts'
import { breakGuards } from './break.ts'

const PAGE = 'docs/reliability.md'
const given = process.argv.slice(2)
if (given.includes('--break')) {
  process.exit(
    breakGuards(
      given.filter((each) => each !== '--break'),
      PAGE,
    ),
  )
}

const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-'))
const tries = join(folder, 'tries.jsonl')
try {
  writeFileSync(tries, '')
  const { status } = spawnSync('npx', ['vitest', 'run', 'test/faults', ...given], {
    stdio: 'inherit',
    env: { ...process.env, NIGHTSHIFT_FAULTS: 'full', NIGHTSHIFT_FAULTS_RECORD: tries },
  })
  if (status === 0) {
    const table = faultTable(readTries(readFileSync(tries, 'utf8')))
    writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8'), table))
  } else {
    process.stderr.write(`a promise was broken: ${PAGE} is left as it was\n`)
    process.exitCode = status ?? 1
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
