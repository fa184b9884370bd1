import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { buildDataset } from '../../src/pipeline/dataset/build-dataset.ts'
import type { DatasetRequest } from '../../src/pipeline/dataset/dataset-request.ts'
import { readDataset } from '../../src/pipeline/dataset/read-dataset.ts'
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

/** One event a day at noon for customers 1 to 3 through June; customer 2 stops on the 10th. */
const EVENTS = `SELECT id, day + INTERVAL 12 HOUR AS happened, id * 1.0::DOUBLE AS amount
  FROM (SELECT unnest([1, 2, 3]) AS id), (SELECT unnest(generate_series(TIMESTAMP '2026-06-01', TIMESTAMP '2026-06-30', INTERVAL 1 DAY)) AS day)
 WHERE id <> 2 OR day <= TIMESTAMP '2026-06-10'`
const VIEW: CaseView = {
  sql: 'SELECT id, count(*)::FLOAT AS events FROM t GROUP BY id',
  sources: { t: { kind: 'events', path: 'data/*.parquet', event_time: 'happened' } },
}
/** Whether the customer came back within the horizon; customer 3 has no label. */
const LABELS = `SELECT id, (count(*) FILTER (happened >= $as_of AND happened < $label_end) > 0)::INTEGER AS came
  FROM t WHERE id <> 3 GROUP BY id`

let root: string
beforeEach(async () => {
  root = makeFolder()
  await writeParquet(join(root, 'data/a.parquet'), EVENTS)
})

function build(more: Partial<DatasetRequest> & { dates: string[] }) {
  const { dates, ...rest } = more
  const timezone = rest.timezone ?? 'UTC'
  return buildDataset({
    root,
    model: 'm',
    view: makeView(root, VIEW),
    labels: {
      sql: LABELS,
      sqlFile: join(root, 'models/m/labels.sql'),
      horizon: duration('7d'),
      lag: duration('0d'),
    },
    asOfs: dates.map((date) => parseAsOf(date, timezone)),
    holdoutFrom: undefined,
    timezone,
    now: '2026-12-01T00:00:00Z',
    folder: join(root, 'warehouse/datasets/m'),
    threads: 2,
    release: 'test',
    ...rest,
  })
}

describe('a training set', () => {
  it('has no columns of the folders that the project lies in', async () => {
    root = join(root, 'env=prod', 'id=7')
    await writeParquet(join(root, 'data/a.parquet'), EVENTS)
    const { folder } = await build({ dates: ['2026-06-05'] })
    const [row] = await readRows(join(folder, 'train.parquet'))
    expect(Object.keys(row ?? {})).toEqual(['id', 'as_of', 'events', 'came'])
  })

  it('has the features that serving computes and the labels of the window behind them', async () => {
    const { manifest, folder } = await build({ dates: ['2026-06-05', '2026-06-12'] })
    expect(await readRows(join(folder, 'train.parquet'))).toEqual([
      { id: '1', as_of: '2026-06-05', events: '4.0', came: '1' },
      { id: '2', as_of: '2026-06-05', events: '4.0', came: '1' },
      { id: '1', as_of: '2026-06-12', events: '11.0', came: '1' },
      { id: '2', as_of: '2026-06-12', events: '10.0', came: '0' },
    ])
    const served = await compute(root, VIEW, '2026-06-12')
    expect(served.rows.filter((row) => row.id !== '3')).toEqual([
      { id: '1', events: '11.0' },
      { id: '2', events: '10.0' },
    ])
    expect(manifest).toMatchObject({
      view_hash: served.facts.viewHash,
      train: { rows: 4, as_of: ['2026-06-05', '2026-06-12'], balance: { 0: 1, 1: 3 } },
      holdout: { rows: 0, as_of: [] },
      left_out: { without_label: 2, gap: [], immature: [] },
      label: { column: 'came', horizon: '7d' },
    })
    expect(manifest.inputs['2026-06-12']?.[0]?.path).toBe('data/a.parquet')
    expect(await readRows(join(folder, 'holdout.parquet'))).toEqual([])
  })

  it('leaves a gap of one horizon before the holdout, and counts it', async () => {
    const { manifest } = await build({
      dates: ['2026-06-05', '2026-06-08', '2026-06-09', '2026-06-15', '2026-06-16'],
      holdoutFrom: parseAsOf('2026-06-15', 'UTC'),
    })
    expect(manifest.train.as_of).toEqual(['2026-06-05', '2026-06-08'])
    expect(manifest.holdout.as_of).toEqual(['2026-06-15', '2026-06-16'])
    expect(manifest.left_out.gap).toEqual([{ as_of: '2026-06-09', rows: 2 }])
  })

  it('does not wait for a history that rests beside events that go on', async () => {
    await writeParquet(
      join(root, 'plans/a.parquet'),
      `SELECT id, 'basic' AS plan, TIMESTAMP '2026-01-01' AS valid_from, NULL::TIMESTAMP AS valid_to FROM range(1, 4) t(id)`,
    )
    const history = {
      kind: 'history' as const,
      path: 'plans/*.parquet',
      key: ['id'],
      valid_from: 'valid_from',
      valid_to: 'valid_to',
    }
    const view = makeView(root, { ...VIEW, sources: { ...VIEW.sources, plans: history } })
    const labels = (sql: string) => ({
      sql,
      sqlFile: join(root, 'models/m/labels.sql'),
      horizon: duration('7d'),
      lag: duration('0d'),
    })
    const both = `SELECT id, (count(t.id) > 3)::INTEGER AS came FROM plans LEFT JOIN t USING (id) GROUP BY id`
    const { manifest } = await build({ dates: ['2026-06-05', '2026-06-28'], view, labels: labels(both) })
    expect(manifest.as_of).toEqual(['2026-06-05'])
    expect(manifest.left_out.immature[0]?.reason).toContain('the newest event of source t is at')
    const alone = labels('SELECT id, (max(valid_to) IS NOT NULL)::INTEGER AS came FROM plans GROUP BY id')
    await expect(build({ dates: ['2026-06-05'], view, labels: alone })).rejects.toThrow(
      'the newest event of source plans is at 2026-01-01T00:00:00Z',
    )
  })

  it('leaves out what is not over: by the newest event, by the clock, by the lag', async () => {
    const dates = ['2026-06-05', '2026-06-23', '2026-06-24', '2026-06-30']
    const newest = await build({ dates })
    expect(newest.manifest.as_of).toEqual(['2026-06-05', '2026-06-23'])
    expect(newest.manifest.left_out.immature[0]).toMatchObject({
      as_of: '2026-06-24',
      reason: expect.stringContaining('the newest event of source t is at 2026-06-30T12:00:00Z'),
    })
    const clock = await build({ dates, now: '2026-06-29T00:00:00Z' })
    expect(clock.manifest.as_of).toEqual(['2026-06-05'])
    expect(clock.manifest.left_out.immature[0]?.reason).toContain('is in the future')
    const { labels } = {
      labels: {
        sql: LABELS,
        sqlFile: join(root, 'models/m/labels.sql'),
        horizon: duration('7d'),
        lag: duration('2d'),
      },
    }
    const lagging = await build({ dates, labels })
    expect(lagging.manifest.as_of).toEqual(['2026-06-05'])
    await expect(
      build({ dates: ['2026-06-05', '2026-06-30'], holdoutFrom: parseAsOf('2026-06-30', 'UTC') }),
    ).rejects.toThrow(
      /the holdout split is empty: none of 2026-06-30 can be used\. 2026-06-30: its label window ends at 2026-07-07/,
    )
    await expect(
      build({ dates: ['2026-06-05', '2026-06-08'], holdoutFrom: parseAsOf('2026-06-08', 'UTC') }),
    ).rejects.toThrow(/the train split is empty: none of 2026-06-05 can be used\. .*within the holdout/)
  })

  it('has one id for one content, whatever the order of its rows and files', async () => {
    const ids = new Set<string>()
    for (let round = 0; round < 5; round++) ids.add((await build({ dates: ['2026-06-05'] })).manifest.id)
    const some = (which: string) => `SELECT * FROM (${EVENTS}) WHERE ${which} ORDER BY happened DESC`
    await writeParquet(join(root, 'data/a.parquet'), some('id = 1'))
    await writeParquet(join(root, 'data/b.parquet'), some('id <> 1'))
    const split = await build({ dates: ['2026-06-05'] })
    ids.add(split.manifest.id)
    expect(ids.size).toBe(1)
    expect(split.known).toBe(true)
    const found = await readDataset(join(root, 'warehouse'), 'm', split.manifest.id.slice(0, 4))
    expect(found.manifest).toEqual(
      (await readDataset(join(root, 'warehouse'), 'm', split.manifest.id)).manifest,
    )
    await writeParquet(
      join(root, 'data/c.parquet'),
      `SELECT 1 AS id, TIMESTAMP '2026-06-03 01:00:00' AS happened, 1.0::DOUBLE AS amount`,
    )
    const other = await build({ dates: ['2026-06-05'] })
    expect(other.manifest.id).not.toBe(split.manifest.id)
    // A label that looks at another day of the same rows is another set.
    const moved = await build({ dates: ['2026-06-06'] })
    expect(moved.manifest.id).not.toBe(other.manifest.id)
    await expect(readDataset(join(root, 'warehouse'), 'm', 'zzz')).rejects.toThrow(/got: zzz/)
  })

  it('ends its windows at local midnight on both sides of a change of clocks', async () => {
    await writeParquet(
      join(root, 'data/a.parquet'),
      `SELECT 1 AS id, TIMESTAMPTZ '2026-10-24 22:30:00+02' AS happened UNION ALL SELECT 1, TIMESTAMPTZ '2026-10-26 23:30:00+01' UNION ALL SELECT 2, TIMESTAMPTZ '2026-10-01 12:00:00+02' UNION ALL SELECT 2, TIMESTAMPTZ '2026-11-30 12:00:00+01' UNION ALL SELECT 3, TIMESTAMPTZ '2026-10-01 12:00:00+02'`,
    )
    const { folder } = await build({
      dates: ['2026-10-25'],
      timezone: 'Europe/Berlin',
      now: '2027-01-01T00:00:00Z',
      labels: { sql: LABELS, sqlFile: join(root, 'l.sql'), horizon: duration('2d'), lag: duration('0d') },
    })
    expect(await readRows(join(folder, 'train.parquet'))).toMatchObject([
      { id: '1', came: '1' },
      { id: '2', came: '0' },
    ])
  })

  it('refuses labels that are no labels, naming the file', async () => {
    const labels = (sql: string) => ({
      sql,
      sqlFile: join(root, 'models/m/labels.sql'),
      horizon: duration('7d'),
      lag: duration('0d'),
    })
    await expect(
      build({ dates: ['2026-06-05'], labels: labels('SELECT id, 1 AS x FROM t') }),
    ).rejects.toThrow(
      /models\/m\/labels\.sql: expected one row for each id as of 2026-06-05, got several: 1 \(11 times\), 2 \(10 times\)/,
    )
    await expect(
      build({ dates: ['2026-06-05'], labels: labels('SELECT id, 1 AS x, 2 AS y FROM t GROUP BY id') }),
    ).rejects.toThrow(/expected the entity \(id\) and one more column, the label, got: id, x, y/)
    await expect(
      build({ dates: ['2026-06-05'], labels: labels('SELECT id, 1 AS events FROM t GROUP BY id') }),
    ).rejects.toThrow(/a unique name, got: events/)
    await expect(
      build({ dates: ['2026-06-05'], labels: labels('SELECT id, NULL::INTEGER AS x FROM t GROUP BY id') }),
    ).rejects.toThrow(/models\/m\/labels\.sql, as of 2026-06-05: expected the label x in every row, got null/)
    await expect(
      build({ dates: ['2026-06-05'], labels: labels('SELECT DISTINCT id, 1 AS x FROM t WHERE id > 99') }),
    ).rejects.toThrow(/the train split is empty: as of 2026-06-05 no entity of the view has a label/)
  })

  it.each([
    [
      "CASE WHEN id = 1 THEN 'yes' ELSE 'no' END",
      /label x to be a number or BOOLEAN, got: VARCHAR; write \("x" = 'yes'\)::INTEGER AS "x"/,
    ],
    ['max(happened)', /label x to be a number or BOOLEAN, got: TIMESTAMP/],
    [
      'CASE WHEN id = 1 THEN 2 ELSE 1 END',
      /label x to be 0 or 1, or BOOLEAN, got: 1 and 2; write \("x" = 2\)::INTEGER AS "x"/,
    ],
    ['CASE WHEN id = 1 THEN -1 ELSE 1 END', /got: -1 and 1; write \("x" = 1\)/],
    [
      'CASE WHEN id = 1 THEN 1 END',
      /label x in every row, got null \(or NaN\) in 2 of 3 rows; .*coalesce\("x", 0\)/,
    ],
    ["CASE WHEN id = 1 THEN 'nan'::DOUBLE ELSE 1 END", /got null \(or NaN\) in 1 of 3 rows/],
  ])('refuses %s as a label, with what to write', async (sql, message) => {
    const labels = {
      sql: `SELECT id, ${sql} AS x FROM t GROUP BY id`,
      sqlFile: join(root, 'models/m/labels.sql'),
      horizon: duration('7d'),
      lag: duration('0d'),
    }
    await expect(build({ dates: ['2026-06-05'], labels })).rejects.toThrow(message)
  })

  it('says that a static source gives train and holdout the same rows', async () => {
    await writeParquet(join(root, 'fixed/a.parquet'), 'SELECT id, id * 2 AS size FROM range(1, 4) t(id)')
    const view = makeView(root, {
      sql: 'SELECT id, size FROM fixed',
      sources: { fixed: { kind: 'static', path: 'fixed/*.parquet' } },
    })
    const labels = {
      sql: 'SELECT id, size > 3 AS large FROM fixed',
      sqlFile: join(root, 'models/m/labels.sql'),
      horizon: duration('7d'),
      lag: duration('0d'),
    }
    const dates = ['2026-06-01', '2026-06-15']
    expect(
      (await build({ dates, view, labels, holdoutFrom: parseAsOf('2026-06-15', 'UTC') })).warnings,
    ).toEqual([
      expect.stringContaining(
        'source fixed is static: every as-of sees the same rows of it. Train and holdout have the same customers with the same features and label in 3 of 3 rows of the holdout',
      ),
    ])
  })
})
