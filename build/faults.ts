// Injects every fault in its full form and writes what came of it into docs/reliability.md; where tests are named
// (test/faults/mail-away.test.ts), their faults alone, and the other rows stay. Rows of the full form stay too where
// NIGHTSHIFT_FAULTS=short, or fewer tries (NIGHTSHIFT_FAULTS_TRIES), are asked for. With --break: takes the guards away
// instead, one at a time, and shows that the checkers notice.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { faultTable, readTries, withTable } from '../test/faults/table.ts'
import { breakGuards } from './break.ts'

const PAGE = 'docs/reliability.md'
/** Tests with a short form in CI. */
const LONG = [
  'test/faults',
  'test/fixtures/story.test.ts',
  'test/host/life-in-a-bucket.test.ts',
  'test/host/objects-gone.test.ts',
  'test/alerts/remedies',
  'test/docs/shop-pages.test.ts',
  'test/docs/telco-pages.test.ts',
  'test/docs/walks.test.ts',
  'test/docs/deploying-walk.test.ts',
  'test/workers/drift-story.test.ts',
  'test/workers/parity-nights.test.ts',
]
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
const named = given.some((each) => !each.startsWith('-'))
const full =
  (process.env.NIGHTSHIFT_FAULTS ?? 'full') === 'full' && process.env.NIGHTSHIFT_FAULTS_TRIES === undefined
const tries = join(folder, 'tries.jsonl')
try {
  writeFileSync(tries, '')
  const { status } = spawnSync('npx', ['vitest', 'run', ...(named ? given : [...LONG, ...given])], {
    stdio: 'inherit',
    env: {
      ...process.env,
      NIGHTSHIFT_FAULTS: process.env.NIGHTSHIFT_FAULTS ?? 'full',
      NIGHTSHIFT_FAULTS_RECORD: tries,
    },
  })
  if (status === 0) {
    const page = readFileSync(PAGE, 'utf8')
    const table = faultTable(readTries(readFileSync(tries, 'utf8')), full && !named ? '' : page)
    writeFileSync(PAGE, withTable(page, table))
  } else {
    process.stderr.write(`a promise was broken: ${PAGE} is left as it was\n`)
    process.exitCode = status ?? 1
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
