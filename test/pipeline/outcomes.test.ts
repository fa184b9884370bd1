import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  measureOutcome,
  type OutcomeAnswer,
  type OutcomeRequest,
} from '../../src/pipeline/outcomes/measure-outcome.ts'
import type { OutcomeFacts } from '../../src/pipeline/outcomes/outcome-facts.ts'
import type { Outcomes } from '../../src/project/project.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { duration, makeFolder, makeView, writeParquet } from './feature-case.ts'

/** Ten customers with an event on the 1st; 1 to 4 came back on the 6th, 10 has no label. */
const EVENTS = `SELECT i AS id, TIMESTAMP '2026-06-01 12:00:00' AS happened, 'seen' AS what FROM range(1, 11) t(i)
  UNION ALL SELECT i, TIMESTAMP '2026-06-06 12:00:00', 'bought' FROM range(1, 5) t(i)
  UNION ALL SELECT 1, TIMESTAMP '2026-06-20 12:00:00', 'bought'
  UNION ALL SELECT unnest([1, 6]), TIMESTAMP '2026-06-05 12:00:00', 'called'
  UNION ALL SELECT unnest([2, 3, 7, 8]), TIMESTAMP '2026-06-05 13:00:00', 'spared'`
const LABELS = `SELECT id, (count(*) FILTER (what = 'bought' AND happened >= $as_of) > 0)::INTEGER AS came
  FROM t WHERE id <> 10 GROUP BY id`
/** 0.9 for the first, 0.1 less for each that follows; customer 6 changes places with 4. */
const SCORES = `SELECT i AS id, (1 - (CASE i WHEN 4 THEN 6 WHEN 6 THEN 4 ELSE i END) / 11.0)::DOUBLE AS score,
  i <= 4 AS decision, 1::INTEGER AS version FROM range(1, 11) t(i)`
const FEATURES = `SELECT i AS id, (i * 10)::FLOAT AS price, CASE WHEN i % 2 = 0 THEN 'even' END AS plan FROM range(1, 11) t(i)`

let root: string
beforeEach(async () => {
  root = makeFolder()
  await writeParquet(join(root, 'data/a.parquet'), EVENTS)
  await writeParquet(join(root, 'scores.parquet'), SCORES, ", KV_METADATA {run: 'r1'}")
  await writeParquet(join(root, 'features.parquet'), FEATURES, ", KV_METADATA {run: 'f1'}")
})

let folders = 0
function answer(
  outcomes: Partial<Outcomes> | undefined,
  more: Partial<OutcomeRequest> = {},
): Promise<OutcomeAnswer> {
  const temp = join(root, `temp-${folders++}`)
  mkdirSync(temp)
  return measureOutcome({
    root,
    view: makeView(root, {
      sql: 'SELECT id FROM t GROUP BY id',
      sources: { t: { kind: 'events', path: 'data/*.parquet', event_time: 'happened' } },
    }),
    labels: {
      sql: LABELS,
      sqlFile: join(root, 'models/m/labels.sql'),
      horizon: duration('7d'),
      lag: duration('0d'),
    },
    asOf: parseAsOf('2026-06-04', 'UTC'),
    timezone: 'UTC',
    now: '2026-07-01T00:00:00Z',
    scores: { path: join(root, 'scores.parquet'), run: 'r1' },
    features: { path: join(root, 'features.parquet'), run: 'f1' },
    score: { column: 'score', min: 0, max: 1, threshold: undefined },
    segments: ['plan'],
    k: 0.5,
    seed: 1,
    resamples: 50,
    outcomes:
      outcomes === undefined
        ? undefined
        : { treated: undefined, control: undefined, metrics: [], ...outcomes },
    modelFile: join(root, 'models/m/model.yaml'),
    before: undefined,
    temp,
    threads: 1,
    ...more,
  })
}

async function facts(
  outcomes?: Partial<Outcomes>,
  more: Partial<OutcomeRequest> = {},
): Promise<OutcomeFacts> {
  const found = await answer(outcomes, more)
  if (found.state !== 'measured') throw new Error(`expected figures, got: ${JSON.stringify(found)}`)
  return found.facts
}

const figure = (name: string, sql: string, target?: number) => ({ name, sql, target })

describe('an outcome', () => {
  it('of more rows than fit into memory is the same, with intervals of a sample', async () => {
    const rows = (value: string, of = 3000) => `SELECT i AS id, ${value} FROM range(${of}) t(i)`
    await writeParquet(
      join(root, 'data/a.parquet'),
      `${rows("TIMESTAMP '2026-06-01 12:00:00' AS happened, 'seen' AS what")}
       UNION ALL SELECT i, TIMESTAMP '2026-06-06 12:00:00', 'bought' FROM range(3000) t(i) WHERE i * 7919 % 1000 < 100 + i % 400
       UNION ALL SELECT i, TIMESTAMP '2026-06-05 12:00:00', 'called' FROM range(0, 3000, 5) t(i)
       UNION ALL SELECT 1, TIMESTAMP '2026-06-20 12:00:00', 'seen'`,
    )
    await writeParquet(
      join(root, 'scores.parquet'),
      rows('(i % 400 // 3)::DOUBLE / 200 AS score, true AS decision, 1 AS version', 3100),
      ", KV_METADATA {run: 'r1'}",
    )
    await writeParquet(
      join(root, 'features.parquet'),
      rows("(i * 10)::FLOAT AS price, CASE WHEN i % 3 = 0 THEN 'third' END AS plan", 3100),
      ", KV_METADATA {run: 'f1'}",
    )
    await writeParquet(join(root, 'rival.parquet'), rows('(i % 50)::DOUBLE / 50 AS risk', 2500))
    const called = { treated: "SELECT id FROM t WHERE what = 'called'" }
    const rival = { path: join(root, 'rival.parquet'), run: undefined, entity: ['id'], score: 'risk' }
    for (const [outcomes, more] of [
      [undefined, {}],
      [called, {}],
      [called, { rival }],
    ] as const) {
      const whole = await facts(outcomes, more)
      const large = await facts(outcomes, { ...more, most: 1500 })
      // Sums in another order end in other last bits.
      const figures = (found: OutcomeFacts) =>
        JSON.parse(
          JSON.stringify({ ...found, notes: [] }, (key, value) =>
            key === 'low' || key === 'high' || key === 'difference'
              ? undefined
              : typeof value === 'number'
                ? Number(value.toPrecision(10))
                : value,
          ),
        )
      expect(figures(large)).toEqual(figures(whole))
      expect(large.notes.join()).toMatch(/intervals are those of \d+ of \d+ entities/)
      const [near, far] = [large.intervals.auc, whole.intervals.auc]
      const width = (found: typeof near) => (found?.high ?? Number.NaN) - (found?.low ?? Number.NaN)
      expect(width(near) / width(far)).toBeGreaterThan(0.4)
      expect(width(near) / width(far)).toBeLessThan(2.5)
    }
  })

  it('joins labels to scores, whole and by segment', async () => {
    const found = await facts()
    // Of 4 x 5 pairs only customer 6 before 4 and 5 before 4 are the wrong way round.
    expect(found).toMatchObject({
      kind: 'classification',
      rows: 9,
      scored: 10,
      unlabelled: 1,
      positives: 4,
      metrics: { auc: 18 / 20 },
      intervals: { auc: { low: null, high: null }, brier: { low: null, high: null } },
      // Wilson's, by hand: (4/9 + z²/18 ± z √(20/729 + z²/324)) / (1 + z²/9).
      realized: { value: 4 / 9, low: expect.closeTo(0.1888, 4), high: expect.closeTo(0.7333, 4) },
      treated: { known: false, rows: 0, measured_on: 'all', biased: false, note: null },
      business: [],
      notes: ['too few rows for an interval: it needs at least 10 entities of each class'],
    })
    expect(found.predicted).toBeCloseTo((45 / 9 / 11) * -1 + 1, 12)
    expect(
      found.by_segment.map(({ segment, value, rows, positives }) => [segment, value, rows, positives]),
    ).toEqual([
      ['plan', 'even', 4, 2],
      ['plan', 'null', 5, 2],
    ])
    expect(found.calibration.reduce((sum, { rows }) => sum + rows, 0)).toBe(9)
  })

  it('is measured on those whom nobody acted on, or on the control group alone', async () => {
    const treated = `SELECT id FROM t WHERE what = 'called' AND happened >= $as_of`
    const others = await facts({ treated })
    // Without 1 and 6: 3 x 4 pairs, 5 before 4 is wrong.
    expect(others).toMatchObject({
      rows: 7,
      positives: 3,
      metrics: { auc: 11 / 12 },
      treated: { known: true, rows: 2, measured_on: 'untreated', biased: false },
    })
    expect(others.treated.note).toContain('the range of scores is narrower')
    const control = await facts({ treated, control: `SELECT id FROM t WHERE what = 'spared'` })
    expect(control).toMatchObject({
      rows: 4,
      positives: 2,
      metrics: { auc: 1 },
      treated: { rows: 2, measured_on: 'control', biased: false },
    })
    const both = await facts({ treated, control: `SELECT id FROM t WHERE what IN ('spared', 'called')` })
    expect(both.treated).toMatchObject({
      biased: true,
      note: expect.stringContaining('2 of them were acted on'),
    })
  })

  it('says that the campaign colours it where scores decide and nobody knows who was acted on', async () => {
    const { treated } = await facts(undefined, { score: { column: 'score', min: 0, max: 1, threshold: 0.5 } })
    expect(treated).toMatchObject({ measured_on: 'all', biased: true })
    expect(treated.note).toContain('the campaign influences these figures')
  })

  it('gives business figures, and of one that is wrong the reason', async () => {
    const { business } = await facts({
      treated: `SELECT id FROM t WHERE what = 'called'`,
      metrics: [
        figure('contacted', 'SELECT count(*) FROM scores WHERE decision', 3),
        figure('at stake', 'SELECT sum(price) FROM features JOIN labels USING (id) WHERE came = 1'),
        figure('called', 'SELECT count(*) FROM treated'),
        figure('spared', 'SELECT count(*) FROM control'),
        figure('nothing', 'SELECT sum(price) FROM features WHERE price < 0'),
        figure('list', 'SELECT id FROM scores'),
        figure('typo', 'SELECT count(*) FROM scores WHERE decided'),
        figure('elsewhere', `SELECT count(*) FROM read_parquet('${root}/data/a.parquet')`),
        figure('days', `SELECT date_diff('day', $as_of, $label_end)`),
      ],
    })
    expect(business.slice(0, 4)).toEqual([
      { name: 'contacted', value: 4, target: 3, error: null },
      { name: 'at stake', value: 100, target: null, error: null },
      { name: 'called', value: 2, target: null, error: null },
      { name: 'spared', value: 0, target: null, error: null },
    ])
    expect(business.slice(4).map(({ name, value, error }) => [name, value, error])).toEqual([
      ['nothing', null, expect.stringContaining('got: null')],
      ['list', null, 'expected one row of one number, got: several rows'],
      ['typo', null, expect.stringContaining('decided')],
      ['elsewhere', null, expect.stringContaining('table functions are refused')],
      ['days', 7, null],
    ])
  })

  it('does without the features where others stand now, and says so', async () => {
    const found = await facts(
      {
        metrics: [
          figure('at stake', 'SELECT sum(price) FROM features'),
          figure('rows', 'SELECT count(*) FROM scores'),
        ],
      },
      { features: { path: join(root, 'features.parquet'), run: 'f0' } },
    )
    const missing = 'the features that were scored are no longer published: they were replaced since'
    expect(found).toMatchObject({
      rows: 9,
      by_segment: [],
      notes: [`no segments: ${missing}`, expect.stringContaining('too few rows for an interval')],
      business: [{ value: null, error: missing }, { value: 10 }],
    })
  })

  it('refuses the file of another run', async () => {
    await expect(
      answer(undefined, { scores: { path: join(root, 'scores.parquet'), run: 'r0' } }),
    ).rejects.toThrow('was replaced while it was being opened')
  })

  it('is immature while its labels are not all there', async () => {
    expect(await answer(undefined, { now: '2026-06-10T00:00:00Z' })).toMatchObject({
      state: 'immature',
      reason: expect.stringContaining('which is in the future'),
    })
    expect(await answer(undefined, { asOf: parseAsOf('2026-06-15', 'UTC') })).toMatchObject({
      state: 'immature',
      reason: expect.stringContaining('the newest event of source t is at 2026-06-20T12:00:00Z'),
    })
  })

  it('is measured again when its labels or its definition change, and not for anything else', async () => {
    const before = await facts()
    expect(await answer(undefined, { before })).toEqual({ state: 'unchanged', inputs: before.inputs })
    const later = `SELECT 9 AS id, TIMESTAMP '2026-06-25 12:00:00' AS happened, 'bought' AS what`
    await writeParquet(join(root, 'data/b.parquet'), later)
    expect(await answer(undefined, { before })).toMatchObject({ state: 'unchanged' })
    const edited = await answer({ metrics: [figure('rows', 'SELECT count(*) FROM scores')] }, { before })
    expect(edited).toMatchObject({ state: 'measured', facts: { business: [{ value: 10 }] } })
    await writeParquet(join(root, 'data/c.parquet'), later.replace('06-25', '06-07'))
    expect(await answer(undefined, { before })).toMatchObject({ state: 'measured', facts: { positives: 5 } })
  })

  it('measures scores that foretell a number', async () => {
    const sql = `SELECT id, (sum(id) / count(*) / 10)::DOUBLE AS amount FROM t GROUP BY id`
    const found = await facts(undefined, {
      labels: { sql, sqlFile: join(root, 'l.sql'), horizon: duration('7d'), lag: duration('0d') },
    })
    const labels = Array.from({ length: 10 }, (_, index) => (index + 1) / 10)
    const errors = labels.map((label, index) => {
      const id = index + 1
      const place = id === 4 ? 6 : id === 6 ? 4 : id
      return 1 - place / 11 - label
    })
    expect(found).toMatchObject({ kind: 'regression', rows: 10, positives: null, calibration: [] })
    expect(found.metrics.mae).toBeCloseTo(errors.reduce((sum, error) => sum + Math.abs(error), 0) / 10, 12)
    expect(found.metrics.rmse).toBeCloseTo(
      Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / 10),
      12,
    )
    expect(found.realized?.value).toBeCloseTo(0.55, 12)
  })

  it('refuses a group that says more than who is in it', async () => {
    await expect(answer({ treated: 'SELECT id, true AS was FROM t' })).rejects.toThrow(
      'models/m/model.yaml, outcomes.treated: expected the entity (id) alone, one row for each that belongs to the group, got: id, was',
    )
  })

  it('names the SQL whose entities are of another type than those of the scores, or that fails by itself', async () => {
    await expect(answer({ treated: `SELECT 'a' || id AS id FROM t` })).rejects.toThrow(
      'models/m/model.yaml, outcomes.treated: expected id to be BIGINT, as in the features, got: VARCHAR; they cannot be joined: cast it',
    )
    await expect(answer({ control: `SELECT ('a' || id)::BIGINT AS id FROM t` })).rejects.toThrow(
      /^models\/m\/model\.yaml, outcomes\.control: Could not convert string 'a\d+' to INT64/,
    )
    const sql = LABELS.replace('SELECT id,', `SELECT 'a' || id AS id,`)
    const labels = { sql, sqlFile: join(root, 'models/m/labels.sql') }
    await expect(
      answer(undefined, { labels: { ...labels, horizon: duration('7d'), lag: duration('0d') } }),
    ).rejects.toThrow('models/m/labels.sql: expected id to be BIGINT, as in the features, got: VARCHAR')
    expect(await facts({ treated: `SELECT id::UTINYINT AS id FROM t WHERE id < 3` })).toMatchObject({
      rows: 7,
    })
  })
})
