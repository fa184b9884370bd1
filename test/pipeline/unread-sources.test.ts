import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { buildDataset } from '../../src/pipeline/dataset/build-dataset.ts'
import { describeView, snapshotInputs } from '../../src/pipeline/features/compute-features.ts'
import { checkParity } from '../../src/pipeline/parity/check-parity.ts'
import { findStale } from '../../src/pipeline/sources/staleness.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { type CaseView, compute, duration, makeFolder, makeView, writeParquet } from './feature-case.ts'

const PEOPLE = `SELECT i AS id, i * 2 AS v, TIMESTAMP '2026-11-20' AS seen FROM range(5) t(i) UNION ALL SELECT 9, 0, TIMESTAMP '2026-11-25'`
const LEAVES = `SELECT 1::BIGINT AS id, TIMESTAMP '2026-11-20 12:00:00' AS left_at UNION ALL SELECT 2, TIMESTAMP '2026-11-25'`
/** `leaves` is what labels.sql reads: features.sql does not. */
const VIEW: CaseView = {
  sql: 'SELECT id, sum(v)::FLOAT AS v FROM people GROUP BY id -- leaves are the label',
  sources: {
    people: { kind: 'events', path: 'data/people/*.parquet', event_time: 'seen' },
    leaves: { kind: 'events', path: 'data/leaves/*.parquet', event_time: 'left_at' },
  },
}
const NIGHT = '2026-11-22'

let root: string
beforeEach(async () => {
  root = makeFolder()
  await writeParquet(join(root, 'data/people/a.parquet'), PEOPLE)
  await writeParquet(join(root, 'data/leaves/a.parquet'), LEAVES)
})

const lateLabels = () => writeParquet(join(root, 'data/leaves/late.parquet'), LEAVES)

/** What runs recorded before they left such sources out: every source of view.yaml. */
async function asRecordedBefore() {
  const { facts } = await compute(root, VIEW, NIGHT, { sources: 'declared' })
  expect(facts.inputs.map(({ source }) => source)).toEqual(['people', 'leaves'])
  return facts
}

describe('a source that features.sql does not read', () => {
  it('is no input of a night', async () => {
    const { facts } = await compute(root, VIEW, NIGHT)
    expect(facts.inputs.map(({ path }) => path)).toEqual(['data/people/a.parquet'])
    const view = makeView(root, VIEW)
    const seen = await snapshotInputs({ root, view, asOf: parseAsOf(NIGHT, 'UTC'), timezone: 'UTC' })
    expect(seen.inputs.map(({ path }) => path)).toEqual(['data/people/a.parquet'])
    expect(seen.viewHash).toBe(facts.viewHash)
  })

  it.each(['read', 'declared'] as const)(
    'makes no night stale, where its run recorded the sources that are %s',
    async (sources) => {
      const { facts } = await compute(root, VIEW, NIGHT, { sources })
      const reasons = () =>
        findStale({
          root,
          view: makeView(root, VIEW),
          timezone: 'UTC',
          threads: 1,
          partitions: [{ asOf: parseAsOf(NIGHT, 'UTC'), viewHash: facts.viewHash, inputs: facts.inputs }],
        })
      expect(await reasons()).toEqual([undefined])
      await lateLabels()
      expect(await reasons()).toEqual([undefined])
      rmSync(join(root, 'data/leaves'), { recursive: true })
      expect(await reasons()).toEqual([undefined])
      await writeParquet(join(root, 'data/people/b.parquet'), PEOPLE)
      expect(await reasons()).toMatchObject([
        { reason: 'data/people/b.parquet is new, with 5 rows before the cut' },
      ])
    },
  )

  it('may be late or gone: no night waits for it', async () => {
    const late = { ...VIEW, expect: { rows: undefined, fresh: { leaves: duration('1h') } } }
    expect((await compute(root, late, NIGHT, { waits: true })).rows).toHaveLength(5)
    rmSync(join(root, 'data/leaves'), { recursive: true })
    expect((await compute(root, late, NIGHT, { waits: true })).rows).toHaveLength(5)
  })

  it('keeps no column of the view from being described, and is said to be missing', async () => {
    rmSync(join(root, 'data/leaves'), { recursive: true })
    const view = makeView(root, { ...VIEW, expect: { rows: undefined, fresh: { leaves: duration('1h') } } })
    const { columns, reads, problems } = await describeView({ root, view, timezone: 'UTC' })
    expect(columns.map(({ name }) => name)).toEqual(['id', 'v'])
    expect(reads).toEqual(['people'])
    expect(problems.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
      'warning: expect.fresh.leaves: features.sql does not read leaves, so no night waits for it; remove it',
      expect.stringMatching(/^error: source leaves: expected at least one Parquet file/),
    ])
  })

  it('is no change that parity names, where older runs recorded it', async () => {
    const facts = await asRecordedBefore()
    const compare = () =>
      checkParity({
        root,
        view: makeView(root, VIEW),
        asOf: parseAsOf(NIGHT, 'UTC'),
        timezone: 'UTC',
        published: {
          file: facts.file.path,
          run: 'r',
          viewHash: facts.viewHash,
          knownAt: '2999-01-01T00:00:00Z',
          inputs: facts.inputs,
        },
        against: { kind: 'recomputed' },
        threads: 1,
      })
    await lateLabels()
    expect(await compare()).toMatchObject({ differing: 0, late: 0, changed_files: [] })
    // What the run read is all there: what differs is known to have come late.
    await writeParquet(join(root, 'data/people/b.parquet'), PEOPLE)
    rmSync(join(root, 'data/leaves'), { recursive: true })
    expect(await compare()).toMatchObject({
      differing: 0,
      late: 4,
      cause: 'late',
      changed_files: ['data/people/b.parquet is new'],
      notes: [],
    })
  })

  it('still is in the manifest of a training set, which has labels too', async () => {
    const { manifest } = await buildDataset({
      root,
      model: 'm',
      view: makeView(root, VIEW),
      labels: {
        sql: 'SELECT people.id, (left_at IS NOT NULL)::INTEGER AS gone FROM people LEFT JOIN leaves USING (id)',
        sqlFile: join(root, 'l.sql'),
        horizon: duration('1d'),
        lag: duration('0d'),
      },
      asOfs: [parseAsOf('2026-11-21', 'UTC')],
      holdoutFrom: undefined,
      timezone: 'UTC',
      now: '2026-12-01T00:00:00Z',
      folder: join(root, 'warehouse/datasets/m'),
      threads: 1,
      release: 'test',
    })
    expect(manifest.inputs['2026-11-21']?.map(({ path }) => path)).toEqual([
      'data/people/a.parquet',
      'data/leaves/a.parquet',
    ])
  })
})
