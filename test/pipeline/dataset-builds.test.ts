import { existsSync, mkdirSync, readdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { buildDataset } from '../../src/pipeline/dataset/build-dataset.ts'
import type { DatasetRequest } from '../../src/pipeline/dataset/dataset-request.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import {
  type CaseView,
  compute,
  duration,
  makeFolder,
  makeView,
  readRows,
  writeParquet,
} from './feature-case.ts'

/** An event of each of two shops in each of two countries, every half hour of two days. */
const EVENTS = `SELECT country, shop, moment AS happened, shop * 1.5::DOUBLE AS amount
  FROM (SELECT unnest(['de', 'fr']) AS country), (SELECT unnest([1, 2]) AS shop),
       (SELECT unnest(generate_series(TIMESTAMP '2026-10-24 00:15:00', TIMESTAMP '2026-10-26 12:00:00', INTERVAL 30 MINUTE)) AS moment)`
const VIEW: CaseView = {
  entity: ['country', 'shop'],
  sql: 'SELECT country, shop, count(*)::FLOAT AS events FROM t WHERE happened >= $as_of - INTERVAL 6 HOUR GROUP BY ALL',
  sources: { t: { kind: 'events', path: 'data/*.parquet', event_time: 'happened' } },
}
const LABELS = `SELECT country, shop, count(*) FILTER (happened >= $as_of AND happened < $label_end)::INTEGER AS sold FROM t GROUP BY ALL`

let root: string
beforeEach(async () => {
  root = makeFolder()
  await writeParquet(join(root, 'data/a.parquet'), EVENTS)
})

function build(asOfs: string[], more: Partial<DatasetRequest> = {}) {
  const timezone = more.timezone ?? 'UTC'
  return buildDataset({
    root,
    model: 'm',
    view: makeView(root, VIEW),
    labels: { sql: LABELS, sqlFile: join(root, 'l.sql'), horizon: duration('3h'), lag: duration('0d') },
    asOfs: asOfs.map((asOf) => parseAsOf(asOf, timezone)),
    holdoutFrom: undefined,
    timezone,
    now: '2026-12-01T00:00:00Z',
    folder: join(root, 'warehouse/datasets/m'),
    threads: 2,
    release: 'test',
    ...more,
  })
}

describe('a training set of hours', () => {
  it('tells the hour that a change of clocks repeats apart, with entities of two columns', async () => {
    const asOfs = ['2026-10-25T00Z', '2026-10-25T01Z', '2026-10-25T02Z']
    const { manifest, folder } = await build(asOfs, { timezone: 'Europe/Berlin' })
    expect(manifest.as_of).toEqual(asOfs)
    const rows = await readRows(join(folder, 'train.parquet'))
    expect(rows).toHaveLength(12)
    expect(rows.slice(0, 4)).toEqual(
      [
        ['de', '1'],
        ['de', '2'],
        ['fr', '1'],
        ['fr', '2'],
      ].map(([country, shop]) => ({
        country,
        shop,
        as_of: '2026-10-25 00:00:00',
        events: '12.0',
        sold: '6',
      })),
    )
    const served = await compute(root, VIEW, '2026-10-25T01Z', { timezone: 'Europe/Berlin' })
    expect(rows.slice(4, 8).map((row) => row.events)).toEqual(served.rows.map((row) => row.events))
  })

  it('leaves a gap of the horizon in hours', async () => {
    const hours = Array.from({ length: 8 }, (_, hour) => `2026-10-24T${String(hour + 6).padStart(2, '0')}Z`)
    const { manifest } = await build(hours, { holdoutFrom: parseAsOf('2026-10-24T12Z', 'UTC') })
    expect(manifest.train.as_of).toEqual(['06', '07', '08', '09'].map((hour) => `2026-10-24T${hour}Z`))
    expect(manifest.left_out.gap.map(({ as_of }) => as_of)).toEqual(['2026-10-24T10Z', '2026-10-24T11Z'])
    expect(manifest.holdout.as_of).toEqual(['2026-10-24T12Z', '2026-10-24T13Z'])
  })
})

describe('builds of the same set', () => {
  const HOURS = ['2026-10-24T12Z', '2026-10-24T18Z']

  it('at once, with other numbers of threads, are one set', async () => {
    const all = await Promise.all([1, 2, 4].map((threads) => build(HOURS, { threads })))
    const [id] = all.map(({ manifest }) => manifest.id)
    expect(all.map(({ manifest }) => manifest.id)).toEqual([id, id, id])
    expect(readdirSync(join(root, 'warehouse/datasets/m'))).toEqual([id])
  })

  it('of files that were only touched, and on another day, have the same id', async () => {
    const before = await build(HOURS)
    utimesSync(join(root, 'data/a.parquet'), new Date(0), new Date(0))
    expect(await build(HOURS, { now: '2026-12-24T00:00:00Z' })).toMatchObject({
      known: true,
      manifest: { id: before.manifest.id },
    })
  })

  it('that were killed are swept by a later one, once they are a day old', async () => {
    const folder = join(root, 'warehouse/datasets/m')
    const [old, fresh] = [join(folder, '.building-old'), join(folder, '.building-new')]
    for (const left of [old, fresh]) mkdirSync(left, { recursive: true })
    const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000)
    utimesSync(old, hoursAgo(25), hoursAgo(25))
    utimesSync(fresh, hoursAgo(23), hoursAgo(23))
    await build(HOURS)
    expect([existsSync(old), existsSync(fresh)]).toEqual([false, true])
  })
})
