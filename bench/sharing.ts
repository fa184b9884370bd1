import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { AS_OF, benchProject } from './data.ts'
import { median, wholeNumber } from './figures.ts'
import { thisMachine } from './machine.ts'
import { keepResults, printSection } from './results.ts'
import { counted, seconds, times } from './rows.ts'

/**
 * What two views on the same sources could share: reading and cutting them once, for both. Each way takes its turn in
 * rounds, in one engine of two threads; processor seconds, medians.
 */
const { values } = parseArgs({
  options: {
    customers: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
  },
})
const customers = wholeNumber('--customers', values.customers)
const rounds = wholeNumber('--rounds', values.rounds)
const machine = thisMachine()
const project = await benchProject(fileURLToPath(new URL('../.nightshift/bench', import.meta.url)), customers)
const folder = mkdtempSync(join(tmpdir(), 'nightshift-sharing-'))
const CUT = `SELECT * REPLACE (make_timestamp(epoch_us(happened_at) + 3600000000) AS happened_at)
  FROM read_parquet('${join(project.root, 'data/*.parquet')}') WHERE happened_at < TIMESTAMP '${AS_OF} 00:00:00'`
const FEATURES = readFileSync(join(project.root, 'features/activity/features.sql'), 'utf8').replaceAll(
  '$as_of',
  `TIMESTAMP '${AS_OF} 00:00:00'`,
)
const featuresOf = (events: string, name: string) =>
  `COPY (WITH events AS (${events}) SELECT * FROM (${FEATURES}) ORDER BY customer_id) TO '${join(folder, name)}' (FORMAT parquet)`

/** As it is: each view reads and cuts for itself. And as it would be: what was cut is kept for both, in memory or on disk. */
const WAYS: Record<string, string[]> = {
  apart: [featuresOf(CUT, 'a.parquet'), featuresOf(CUT, 'b.parquet')],
  'kept in memory': [
    `CREATE OR REPLACE TEMP TABLE kept AS ${CUT}`,
    featuresOf('SELECT * FROM kept', 'a.parquet'),
    featuresOf('SELECT * FROM kept', 'b.parquet'),
    'DROP TABLE kept',
  ],
  'kept on disk': [
    `COPY (${CUT}) TO '${join(folder, 'kept.parquet')}' (FORMAT parquet)`,
    featuresOf(`SELECT * FROM read_parquet('${join(folder, 'kept.parquet')}')`, 'a.parquet'),
    featuresOf(`SELECT * FROM read_parquet('${join(folder, 'kept.parquet')}')`, 'b.parquet'),
  ],
}

const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
const db = await instance.connect()
try {
  await db.run('SET preserve_insertion_order = false')
  const used: Record<string, number[]> = {}
  for (let round = 0; round <= rounds; round++) {
    for (const [way, statements] of Object.entries(WAYS)) {
      const processor = await processorOf(db, statements)
      // The first round warms up.
      if (round > 0) used[way] = [...(used[way] ?? []), processor]
    }
  }
  const apart = median(used.apart ?? [])
  const command = `npm run bench:sharing -- --customers ${customers}`
  const section = {
    machine,
    rows: Object.entries(used).map(([way, each]) => ({
      what: `two views on the same ${counted(30 * customers)} events, what they cut ${way}`,
      measured: `processor ${seconds(median(each))}: ${times(median(each) / apart)}`,
      target: '',
      command,
    })),
  }
  printSection(section)
  keepResults({ sharing: section })
} finally {
  db.closeSync()
  instance.closeSync()
  rmSync(folder, { recursive: true, force: true })
}

async function processorOf(db: DuckDBConnection, statements: string[]): Promise<number> {
  const used = process.cpuUsage()
  for (const statement of statements) await db.run(statement)
  const { user, system } = process.cpuUsage(used)
  return (user + system) / 1e6
}
