import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, test } from 'vitest'
import { buildDataset } from '../../src/pipeline/dataset/build-dataset.ts'
import {
  measureOutcome,
  type OutcomeAnswer,
  type OutcomeRequest,
} from '../../src/pipeline/outcomes/measure-outcome.ts'
import type { Source } from '../../src/project/project.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { labelView } from '../../src/project/time/label-window.ts'
import { compute, duration, makeFolder, makeView, readRows, writeParquet } from './feature-case.ts'

const DAYS = `SELECT i % 4 + 1 AS id, TIMESTAMP '2026-06-01 12:00:00' + to_days(i::INTEGER) AS happened FROM range(30) t(i)`
const LEAVES = `SELECT unnest([1, 2]) AS id, unnest([TIMESTAMP '2026-06-07', TIMESTAMP '2026-06-21']) AS left_at UNION ALL SELECT 99, TIMESTAMP '2026-06-30'`
const SOURCES: Record<string, Source> = {
  leaves: { kind: 'events', path: 'own/leaves/*.parquet', event_time: 'left_at' },
  costs: { kind: 'events', path: 'own/costs/*.parquet', event_time: 'spent_at' },
}
const LABELS = `SELECT id, coalesce(max((left_at >= $as_of)::INTEGER), 0) AS gone FROM t LEFT JOIN leaves USING (id) GROUP BY id`

let root: string
beforeEach(async () => {
  root = makeFolder()
  await writeParquet(join(root, 'data/a.parquet'), DAYS)
  await writeParquet(join(root, 'own/leaves/a.parquet'), LEAVES)
})

const view = () =>
  makeView(root, {
    sql: 'SELECT id, count(*)::FLOAT AS n FROM t GROUP BY id',
    sources: { t: { kind: 'events', path: 'data/*.parquet', event_time: 'happened' } },
  })
const labels = () => ({
  sql: LABELS,
  sqlFile: join(root, 'models/m/labels.sql'),
  horizon: duration('7d'),
  lag: duration('0d'),
})

const build = (asOfs: string[], more: Pick<Parameters<typeof buildDataset>[0], 'sources' | 'labels'>) =>
  buildDataset({
    root,
    model: 'm',
    view: view(),
    ...more,
    asOfs: asOfs.map((date) => parseAsOf(date, 'UTC')),
    holdoutFrom: undefined,
    timezone: 'UTC',
    now: '2026-12-01T00:00:00Z',
    folder: join(root, 'warehouse/datasets/m'),
    threads: 1,
    release: 'test',
  })

describe('a training set', () => {
  const two = () => build(['2026-06-05', '2026-06-27'], { sources: SOURCES, labels: labels() })

  it('has labels of a source of the model, which is cut, counts for maturity and stands in the manifest', async () => {
    const { manifest, folder } = await two()
    expect(await readRows(join(folder, 'train.parquet'))).toEqual(
      ['1', '2', '3', '4'].map((id) => expect.objectContaining({ id, gone: id === '1' ? '1' : '0' })),
    )
    // `costs` has no file, and nobody needs it. `leaves` has come as far as the 30th, and the second window further.
    expect(manifest.left_out.immature.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('the newest event of source '),
    ])
    expect(manifest.inputs['2026-06-05']?.map(({ source }) => source)).toEqual(['t', 'leaves'])
  })

  it('is another when such a source says something else, on a view of the same hash', async () => {
    const first = await two()
    await writeParquet(join(root, 'own/leaves/b.parquet'), LEAVES.replace('1, 2', '3, 4'))
    const second = await two()
    expect(second.manifest.id).not.toBe(first.manifest.id)
    expect(second.manifest.view_hash).toBe(first.manifest.view_hash)
    const { facts } = await compute(root, view(), '2026-06-05')
    expect(facts.viewHash).toBe(first.manifest.view_hash)
    expect((await compute(root, labelView(view(), { sources: SOURCES }), '2026-06-05')).facts.viewHash).toBe(
      facts.viewHash,
    )
  })
})

test('a label counts what arrived until its data is complete: the end of the window plus lag', async () => {
  // Customer 2 left on the 7th, which was known on the 15th: after the window and its cutoff, within a lag of 5 days.
  await writeParquet(
    join(root, 'own/leaves/a.parquet'),
    `SELECT unnest([1, 2, 99]) AS id, unnest([TIMESTAMP '2026-06-07', TIMESTAMP '2026-06-07', TIMESTAMP '2026-06-30']) AS left_at, unnest([TIMESTAMP '2026-06-07 01:00:00', TIMESTAMP '2026-06-15', TIMESTAMP '2026-06-30']) AS told_at`,
  )
  const leavers = async (lag: string) => {
    const { folder } = await build(['2026-06-05'], {
      sources: {
        leaves: {
          kind: 'events',
          path: 'own/leaves/*.parquet',
          event_time: 'left_at',
          available_at: 'told_at',
          cutoff: duration('6h'),
        },
      },
      labels: { ...labels(), lag: duration(lag) },
    })
    const rows = await readRows(join(folder, 'train.parquet'))
    return rows.filter(({ gone }) => Number(gone) === 1).map(({ id }) => Number(id))
  }
  expect(await leavers('0d')).toEqual([1])
  expect(await leavers('2d')).toEqual([1])
  expect(await leavers('5d')).toEqual([1, 2])
})

describe('an outcome', () => {
  let folders = 0
  const measure = async (
    before?: OutcomeRequest['before'],
    metric = 'SELECT sum(cost) FROM costs',
  ): Promise<OutcomeAnswer> => {
    const temp = join(root, `temp-${folders++}`)
    mkdirSync(temp)
    return measureOutcome({
      root,
      view: labelView(view(), { sources: SOURCES }),
      ownSources: Object.keys(SOURCES),
      labels: labels(),
      asOf: parseAsOf('2026-06-05', 'UTC'),
      timezone: 'UTC',
      now: '2026-07-01T00:00:00Z',
      scores: { path: join(root, 'scores.parquet'), run: 'r1' },
      features: undefined,
      score: { column: 'score', min: 0, max: 1, threshold: undefined },
      segments: [],
      k: 0.5,
      seed: 1,
      resamples: 50,
      outcomes: {
        treated: 'SELECT id FROM leaves WHERE left_at < $as_of + INTERVAL 3 DAY',
        control: undefined,
        metrics: [{ name: 'money', sql: metric, target: undefined }],
      },
      modelFile: join(root, 'models/m/model.yaml'),
      before,
      temp,
      threads: 1,
    })
  }
  beforeEach(() =>
    writeParquet(
      join(root, 'scores.parquet'),
      `SELECT i AS id, i / 10.0 AS score, 1::INTEGER AS version FROM range(1, 5) t(i)`,
      ", KV_METADATA {run: 'r1'}",
    ).then(() => undefined),
  )

  it('reads them for groups and figures, cut at the end of the window', async () => {
    await writeParquet(
      join(root, 'own/costs/a.parquet'),
      `SELECT unnest([5, 7, 100]) AS cost, unnest([TIMESTAMP '2026-06-01', TIMESTAMP '2026-06-11 23:00:00', TIMESTAMP '2026-06-12']) AS spent_at`,
    )
    const found = await measure(undefined, 'SELECT sum(cost) + (SELECT count(*) FROM scores) FROM costs')
    if (found.state !== 'measured') throw new Error(found.state)
    expect(found.facts.business).toEqual([{ name: 'money', target: null, value: 16, error: null }])
    expect(found.facts.treated).toMatchObject({ known: true, rows: 1 })
    expect([...new Set(found.facts.inputs.map(({ source }) => source))].sort()).toEqual([
      'costs',
      'leaves',
      't',
    ])
    const { inputs, definition } = found.facts
    const again = await measure(
      { inputs, definition },
      'SELECT sum(cost) + (SELECT count(*) FROM scores) FROM costs',
    )
    expect(again.state).toBe('unchanged')
  })

  it('loses one figure where its source has no file, and measures again until it has', async () => {
    const found = await measure()
    if (found.state !== 'measured') throw new Error(found.state)
    expect(found.facts.metrics).not.toEqual({})
    expect(found.facts.business[0]?.value).toBeNull()
    expect(found.facts.business[0]?.error).toContain('source costs: expected at least one Parquet file')
    const { inputs, definition } = found.facts
    expect((await measure({ inputs, definition })).state).toBe('measured')
  })
})
