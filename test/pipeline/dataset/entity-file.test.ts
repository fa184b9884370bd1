import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { buildDataset } from '../../../src/pipeline/dataset/build-dataset.ts'
import type { DatasetRequest } from '../../../src/pipeline/dataset/dataset-request.ts'
import { readDataset } from '../../../src/pipeline/dataset/read-dataset.ts'
import { Failure } from '../../../src/pipeline/engine/failure.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { duration, makeFolder, makeView, readRows, writeParquet } from '../feature-case.ts'

/** Customers 1 to 40 buy every day at noon (UTC) through June. */
const EVENTS = `SELECT id, day + INTERVAL 12 HOUR AS happened
  FROM range(1, 41) a(id), (SELECT unnest(generate_series(TIMESTAMP '2026-06-01', TIMESTAMP '2026-06-30', INTERVAL 1 DAY)) AS day)`
const LABELS = `SELECT id, (count(*) FILTER (happened >= $as_of) > 6)::INTEGER AS came FROM t GROUP BY id`

let root: string
beforeEach(async () => {
  root = makeFolder()
  await writeParquet(join(root, 'data/a.parquet'), EVENTS)
})

function build(more: Partial<DatasetRequest>) {
  return buildDataset({
    root,
    model: 'm',
    view: makeView(root, {
      sql: 'SELECT id, count(*)::FLOAT AS events, id % 5 AS shop FROM t GROUP BY id',
      sources: { t: { kind: 'events', path: 'data/*.parquet', event_time: 'happened' } },
    }),
    labels: {
      sql: LABELS,
      sqlFile: join(root, 'models/m/labels.sql'),
      horizon: duration('7d'),
      lag: duration('0d'),
    },
    asOfs: [],
    holdoutFrom: undefined,
    timezone: 'UTC',
    now: '2026-12-01T00:00:00Z',
    folder: join(root, 'warehouse/datasets/m'),
    threads: 2,
    release: 'test',
    ...more,
  })
}
const entities = (name: string) => ({ shown: name, path: join(root, name) })
const csv = (text: string) => {
  writeFileSync(join(root, 'rows.csv'), text)
  return { entities: entities('rows.csv') }
}
const train = async (more: Partial<DatasetRequest>) => {
  const { folder, manifest } = await build(more)
  return { manifest, rows: await readRows(join(folder, 'train.parquet')) }
}
async function refusal(more: Partial<DatasetRequest>): Promise<string> {
  const error: unknown = await build(more).catch((reason: unknown) => reason)
  if (!(error instanceof Failure)) throw new Error(`expected a Failure, got: ${String(error)}`)
  return `${error.failureClass}: ${error.message}`
}

describe('a training set of chosen rows', () => {
  it('has the features and the label of each entity at its own instant, to the second', async () => {
    const { rows, manifest } = await train(
      csv(
        'id,at\n1,2026-06-05\n2,2026-06-05T11:59:59\n2,2026-06-05T12:00:01\n3,2026-06-10T02:00:00+02:00\n3,2026-06-10T00:00:00Z\n99,2026-06-05\n1,2026-06-25\n',
      ),
    )
    expect(rows.map(({ id, as_of, events, came }) => [id, as_of, events, came])).toEqual([
      ['1', '2026-06-05 00:00:00', '4.0', '1'],
      ['2', '2026-06-05 11:59:59', '4.0', '1'],
      ['2', '2026-06-05 12:00:01', '5.0', '1'],
      ['3', '2026-06-10 00:00:00', '9.0', '1'],
    ])
    expect(manifest.as_of).toEqual([
      '2026-06-05',
      '2026-06-05T11:59:59Z',
      '2026-06-05T12:00:01Z',
      '2026-06-10',
    ])
    expect(manifest.left_out).toMatchObject({ without_features: 1, immature: [{ as_of: '2026-06-25' }] })
    expect(manifest.entities).toMatchObject({ file: 'rows.csv', rows: 6 })
    const read = await readDataset(join(root, 'warehouse'), 'm', manifest.id)
    expect(read.manifest).toEqual(manifest)
  })

  it('has rows of the same entity and time once, and says how many were more', async () => {
    const { rows, manifest } = await train(
      csv('id,at\n1,2026-06-05\n1,2026-06-05\n1,2026-06-05T00:00:00Z\n2,2026-06-05\n'),
    )
    expect(rows.map(({ id }) => id)).toEqual(['1', '2'])
    const { warnings } = await build(csv('id,at\n1,2026-06-05\n1,2026-06-05\n2,2026-06-05\n'))
    expect(warnings).toContain(
      '1 row of rows.csv says the same entity and time as another one: the set has each once',
    )
    expect(manifest.entities).toMatchObject({ rows: 2 })
  })

  it('reads wall times of the project, ids of another type, and dates as days like those of a grid', async () => {
    await writeParquet(
      join(root, 'rows.parquet'),
      "SELECT 1.0::DOUBLE AS ID, TIMESTAMP '2026-06-05 14:00:00' AS seen, 'x' AS note UNION ALL SELECT 2.0, TIMESTAMP '2026-06-05 14:00:01', 'y'",
    )
    const { rows } = await train({ entities: entities('rows.parquet'), timezone: 'Europe/Berlin' })
    // 14:00 in Berlin is noon in UTC, when customers buy.
    expect(rows.map(({ id, events, as_of }) => [id, events, as_of])).toEqual([
      ['1', '4.0', '2026-06-05 12:00:00'],
      ['2', '5.0', '2026-06-05 12:00:01'],
    ])
    await writeParquet(join(root, 'days.parquet'), "SELECT 7::BIGINT AS id, DATE '2026-06-05' AS as_of")
    const days = await train({ entities: entities('days.parquet') })
    const grid = await train({ asOfs: [parseAsOf('2026-06-05', 'UTC')] })
    expect(days.rows).toEqual(grid.rows.filter(({ id }) => id === '7'))
    expect(days.manifest.id).not.toBe(grid.manifest.id)
  })

  it('refuses a file that says no entity, no time, or something else, with what it got', async () => {
    expect(await refusal(csv('customer,at\n1,2026-06-05\n'))).toBe(
      'contract: --entities rows.csv: expected the entity id among its columns, got: customer, at',
    )
    expect(await refusal(csv('id,at,until\n1,2026-06-05,2026-06-06\n'))).toContain(
      'expected a column as_of with a time for each row, or one column of times, got: id VARCHAR, at VARCHAR, until VARCHAR',
    )
    expect(await refusal(csv('id,at\n1,05.06.2026\n2,2026-06-05\n'))).toContain(
      "expected at to be a date or time such as 2026-11-22 or 2026-11-22T08:30:00+01:00, got: '05.06.2026' (1 rows are no time)",
    )
    expect(await refusal(csv('id,at\n1,\n'))).toContain('expected id, at in every row, got: 1 rows without')
    expect(await refusal(csv('id,at\n'))).toContain('expected at least one row, got: none')
    expect(await refusal({ entities: entities('gone.csv') })).toContain('a path that cannot be read')
    writeFileSync(join(root, 'bad.parquet'), 'no parquet')
    expect(await refusal({ entities: entities('bad.parquet') })).toContain('got one that cannot be read')
  })
})

describe('a holdout of groups', () => {
  const asOfs = ['2026-06-05', '2026-06-10'].map((date) => parseAsOf(date, 'UTC'))

  it('has all rows of some entities, the same at any share above theirs, and no entity on both sides', async () => {
    const idsOf = async (share: number, by = ['id'], column = 'id') => {
      const { folder, manifest } = await build({ asOfs, holdoutGroups: { share, by } })
      const ids = async (name: string) => [
        ...new Set((await readRows(join(folder, `${name}.parquet`))).map((row) => String(row[column]))),
      ]
      return { manifest, train: await ids('train'), holdout: await ids('holdout') }
    }
    const [fifth, half] = [await idsOf(0.2), await idsOf(0.5)]
    expect(fifth.train.filter((id) => fifth.holdout.includes(id))).toEqual([])
    expect(fifth.train.length + fifth.holdout.length).toBe(40)
    expect(fifth.holdout.length).toBeGreaterThan(2)
    expect(fifth.holdout.length).toBeLessThan(16)
    expect(half.holdout).toEqual(expect.arrayContaining(fifth.holdout))
    expect(fifth.manifest).toMatchObject({
      holdout_groups: { share: 0.2, by: ['id'], holdout: fifth.holdout.length },
      train: { as_of: ['2026-06-05', '2026-06-10'], rows: 2 * fifth.train.length },
      holdout: { as_of: ['2026-06-05', '2026-06-10'], rows: 2 * fifth.holdout.length },
      left_out: { gap: [] },
    })
    const shops = await idsOf(0.8, ['shop'], 'shop')
    expect([...shops.train, ...shops.holdout].sort()).toEqual(['0', '1', '2', '3', '4'])
    expect(shops.train.filter((shop) => shops.holdout.includes(shop))).toEqual([])
  })

  it('says which columns make a group, and which split is empty', async () => {
    expect(await refusal({ asOfs, holdoutGroups: { share: 0.2, by: ['region'] } })).toBe(
      'contract: --group-by: expected columns of the entity or of the view, got: region; they are: id, events, shop',
    )
    expect(await refusal({ asOfs, holdoutGroups: { share: 0.000001, by: ['id'] } })).toBe(
      'late-data: the holdout split is empty: no group of id with a label falls into it at a share of 0.000001: choose another share',
    )
  })
})
