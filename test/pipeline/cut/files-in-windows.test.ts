import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { featureCut } from '../../../src/pipeline/cut/cut.ts'
import { cutViewSql } from '../../../src/pipeline/cut/cut-view.ts'
import { openFeatureQuery } from '../../../src/pipeline/features/feature-query.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { compute, makeFolder, makeView, writeParquet } from '../feature-case.ts'

const DAYS = 40
const WEEK = 'happened_at >= $as_of - INTERVAL 7 DAY'
const sqlOf = (condition: string) =>
  `SELECT id, count(*)::INTEGER AS n, min(happened_at)::VARCHAR AS first FROM events WHERE ${condition} GROUP BY id`
const sources = { events: { kind: 'events' as const, path: 'data/**/*.parquet', event_time: 'happened_at' } }

/** Files of a day of UTC each, an event every hour. */
async function dailyFiles(root: string): Promise<void> {
  for (let day = 0; day < DAYS; day++) {
    const at = `TIMESTAMP '2026-10-01' + INTERVAL ${day} DAY`
    await writeParquet(
      join(root, `data/${String(day).padStart(2, '0')}.parquet`),
      `SELECT i % 3 AS id, ${at} + i * INTERVAL 1 HOUR AS happened_at FROM range(24) t(i)`,
    )
  }
}

let root: string
beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'nightshift-test-')))
  await dailyFiles(root)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

it.each(['UTC', 'Europe/Berlin', 'Asia/Kathmandu'])(
  'in %s a window reads the same rows as a filter that nothing knows in advance',
  async (timezone) => {
    for (const asOf of ['2026-10-26', '2026-11-01', '2026-11-20']) {
      const windowed = await compute(root, { sql: sqlOf(WEEK), sources }, asOf, { timezone })
      const filtered = await compute(root, { sql: sqlOf(`${WEEK} OR id IS NULL`), sources }, asOf, {
        timezone,
      })
      expect(windowed.rows).toEqual(filtered.rows)
    }
  },
)

it('names the files that can hold a row of the window, one where none can', async () => {
  const named = async (asOf: string) => {
    const at = parseAsOf(asOf, 'Europe/Berlin')
    const cut = featureCut(at, '2999-01-01T00:00:00Z', 'Europe/Berlin')
    const temp = makeFolder()
    const view = makeView(root, { sql: sqlOf(WEEK), sources })
    const query = await openFeatureQuery({ root, view, asOf: at, cut, writable: temp, temp, threads: 1 })
    try {
      const [table] = query.tables
      return table === undefined ? [] : (cutViewSql(table, cut).match(/\.parquet'/g) ?? [])
    } finally {
      query.close()
    }
  }
  // From the evening before the first local midnight on.
  expect(await named('2026-10-25')).toHaveLength(8)
  expect(await named('2027-03-01')).toHaveLength(1)
})
