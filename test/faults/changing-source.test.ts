import { appendFileSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ended, type Finished, nightshiftJson, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, writeParquet } from '../projects/generated.ts'
import { record } from './record.ts'

const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
const TRIES = FULL ? 5 : 1
const CUSTOMERS = 1_000
/** Read in many parts: each part may be of another moment. */
const EVENTS = FULL ? 2_000_000 : 800_000
/** A customer's events all have one amount: rows of two files would give another mean. */
const SQL = `-- The hashes make reading slow enough to be seen.
SELECT customer_id, avg(amount)::DOUBLE AS mean, count(*) AS events, sum(hash(md5(md5(md5(happened_at::VARCHAR)))) % 1000)::DOUBLE AS slow
FROM events GROUP BY customer_id
`
const events = (amount: number) =>
  `select i % ${CUSTOMERS} as customer_id, timestamp '2026-01-01' + to_seconds(i) as happened_at, ${amount}::double as amount
     from range(${EVENTS}) t(i)`

let database: FreshDatabase
let project: TemporaryProject
let at: { project: string; env: Record<string, string> }
let path: string
let night = 1

beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject({ sql: SQL })
  at = { project: project.root, env: { DATABASE_URL: database.url } }
  rmSync(join(project.root, 'data'), { recursive: true })
  path = join(project.root, 'data/events/events.parquet')
})
afterAll(async () => {
  await project?.remove()
  await database?.drop()
})

interface Change {
  what: string
  change(replacement: string): void
  /** Makes the file whole, where the change did not. */
  mend(replacement: string): void
}

const CHANGES: Change[] = [
  { what: 'replaced', change: (other) => renameSync(other, path), mend: () => {} },
  {
    what: 'truncated',
    change: () => truncateSync(path, Math.floor(statSync(path).size / 3)),
    mend: (other) => renameSync(other, path),
  },
  {
    what: 'growing',
    change: () => appendFileSync(path, Buffer.alloc(100_000)),
    mend: (other) => renameSync(other, path),
  },
]

test.each(FULL ? CHANGES : CHANGES.slice(1, 2))(
  'a source that is $what while it is read: what is published is of one file, whole',
  async ({ what, change, mend }) => {
    for (let number = 0; number < TRIES; number++) {
      const other = join(project.root, 'other.parquet')
      await writeParquet(path, events(1))
      await writeParquet(other, events(2))
      const { asOf, refresh } = await reading()
      change(other)
      const changed = performance.now()
      const first = JSON.parse((await refresh).stdout)
      // Where nothing is published, the file is what is wrong, and the next try with a whole one publishes.
      if (first.state !== 'published') expect(first.failure.message).toContain('events.parquet')
      mend(other)
      const { json } =
        first.state === 'published'
          ? { json: first }
          : await nightshiftJson(['refresh', 'activity', '--as-of', asOf], at)
      expect(json, JSON.stringify(json)).toMatchObject({ state: 'published', rows: CUSTOMERS })
      const file = await asyncBufferFromFile(join(project.root, json.path))
      const rows = await parquetReadObjects({ file, columns: ['mean', 'events'] })
      const means = new Set(rows.map(({ mean }) => mean))
      expect([...means]).toHaveLength(1)
      expect([1, 2]).toContain([...means][0])
      expect(new Set(rows.map((row) => Number(row.events)))).toEqual(new Set([EVENTS / CUSTOMERS]))
      rmSync(other, { force: true })
      record({
        fault: `a source file is ${what} while it is read`,
        promise: 'what is published is of one file, whole',
        happened:
          first.state === 'published'
            ? `published, whole, by attempt ${first.attempts}`
            : 'not published, with the file named; published once it was whole',
        seconds: (performance.now() - changed) / 1000,
      })
    }
  },
  FULL ? 900_000 : 200_000,
)

/** Starts a night and waits until it reads. One that is over before anybody has looked is followed by another. */
async function reading(): Promise<{ asOf: string; refresh: Promise<Finished> }> {
  for (let tries = 0; tries < 10; tries++) {
    const asOf = `2026-03-${String(++night).padStart(2, '0')}`
    let over = false
    const refresh = ended(start(['refresh', 'activity', '--as-of', asOf, '--json'], at)).finally(() => {
      over = true
    })
    while (!over) {
      if (await isReading(asOf)) return { asOf, refresh }
      await sleep(10)
    }
  }
  throw new Error('no night was seen while it read')
}

async function isReading(partition: string): Promise<boolean> {
  const { rows } = await database.database.pool.query<{ text: string | null }>(
    `select progress->>'text' as text from nightshift.runs where partition = $1 and state = 'running'`,
    [partition],
  )
  return rows[0]?.text !== undefined && rows[0].text !== null && rows[0].text !== 'resolve'
}
