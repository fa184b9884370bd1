import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type EvaluationFacts,
  type EvaluationRequest,
  evaluate,
} from '../../../src/pipeline/evaluation/evaluate-dataset.ts'
import type { EvaluatedVersion } from '../../../src/pipeline/evaluation/holdout.ts'
import { smallModel } from '../../projects/generated.ts'
import { type Case, openCase } from '../scoring-case.ts'

/** 1,500 customers as of two months; the score is 1 / (1 + exp(y - x)). */
const ROWS = `SELECT i % 1500 AS id, CASE WHEN i < 1500 THEN DATE '2026-05-01' ELSE DATE '2026-06-01' END AS as_of,
  (hash(i) % 1000 / 250.0)::FLOAT AS x, (hash(i + 7) % 1000 / 250.0)::FLOAT AS y,
  ['north', 'south', NULL][i % 3 + 1] AS region FROM range(3000) t(i)`
const SCORE = '1 / (1 + exp(y::DOUBLE - x::DOUBLE))'
const NUMBER = `SELECT *, ${SCORE} + (hash(id + 99) % 100 / 100.0 - 0.5) * 0.4 AS label FROM (${ROWS})`
const CLASS = `SELECT *, (hash(id * 31 + x::INTEGER) % 1000 / 1000.0 < ${SCORE})::INTEGER AS label FROM (${ROWS})`

let made: Case
beforeEach(async () => {
  made = await openCase({ model: smallModel(), sql: 'SELECT 1 AS id, 1::FLOAT AS x, 1::FLOAT AS y' })
})
afterEach(() => made.remove())

async function evaluated(sql: string, more: Partial<EvaluationRequest> = {}) {
  await made.rewrite(`SELECT * FROM (${sql}) ORDER BY as_of, id`)
  const file = join(made.folder, 'model.onnx')
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex')
  const version: EvaluatedVersion = { version: 2, file, sha256, mapping: made.mapping }
  return evaluate({
    holdout: made.request.features,
    entity: ['id'],
    label: 'label',
    segments: ['region'],
    version,
    champion: undefined,
    score: { column: 'p', min: undefined, max: undefined, threshold: 0.5 },
    k: 0.1,
    seed: 1,
    resamples: 200,
    temp: join(made.folder, 'tmp'),
    threads: 1,
    ...more,
  })
}

/** The same figures by SQL. */
async function bySql(select: string, where = 'true'): Promise<number[]> {
  const [row] = await made.query(
    `SELECT ${select} FROM (SELECT *, ${SCORE} AS p FROM $file WHERE ${where})`,
    made.request.features,
  )
  return (row ?? []).map(Number)
}

describe('a model that foretells a number', () => {
  const SELECT =
    'sqrt(avg((p - label) ** 2)), avg(abs(p - label)), 1 - sum((p - label) ** 2) / (var_pop(label) * count(*))'

  test('has RMSE, MAE and R2, whole, by as-of and by segment, as SQL has them', async () => {
    const facts = await evaluated(NUMBER)
    expect(facts).toMatchObject({
      kind: 'regression',
      rows: 3000,
      entities: 1500,
      confusion: null,
      calibration: [],
    })
    const figures = ({ metrics }: Pick<typeof facts, 'metrics'>) => [metrics.rmse, metrics.mae, metrics.r2]
    const near = (values: number[]) => values.map((value) => expect.closeTo(value, 5))
    expect(figures(facts)).toEqual(near(await bySql(SELECT)))
    for (const part of facts.by_as_of) {
      expect(figures(part)).toEqual(near(await bySql(SELECT, `as_of = DATE '${part.as_of}'`)))
    }
    expect(facts.by_as_of.map(({ as_of, rows }) => [as_of, rows])).toEqual([
      ['2026-05-01', 1500],
      ['2026-06-01', 1500],
    ])
    for (const part of facts.by_segment) {
      const where = part.value === 'null' ? 'region IS NULL' : `region = '${part.value}'`
      expect(figures(part)).toEqual(near(await bySql(SELECT, where)))
    }
    expect(facts.by_segment.map(({ segment, value }) => `${segment} ${value}`)).toEqual([
      'region north',
      'region null',
      'region south',
    ])
    const { low, high } = facts.intervals.rmse ?? {}
    expect(low).toBeLessThan(facts.metrics.rmse ?? 0)
    expect(high).toBeGreaterThan(facts.metrics.rmse ?? 0)
  })

  test('calls the hours of an hourly training set as their partitions are called', async () => {
    const { by_as_of } = await evaluated(
      NUMBER.replaceAll(/DATE '(2026-0\d-01)'/g, (_, date) => `TIMESTAMP '${date} 03:00:00'`),
    )
    expect(by_as_of.map(({ as_of }) => as_of)).toEqual(['2026-05-01T03Z', '2026-06-01T03Z'])
  })

  test('is held against the champion on the same rows', async () => {
    // The champion reads the two columns the other way round: a model that knows nothing.
    const inputs = made.mapping.inputs.map((input) => ({ ...input, columns: [...input.columns].reverse() }))
    const swapped = { ...made.mapping, inputs }
    const file = join(made.folder, 'model.onnx')
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex')
    const facts = await evaluated(NUMBER, { champion: { version: 1, file, sha256, mapping: swapped } })
    const rmse = facts.against_champion?.difference.rmse
    expect(facts.against_champion?.version).toBe(1)
    expect(rmse?.value).toBeCloseTo(
      (facts.metrics.rmse ?? 0) - (facts.against_champion?.metrics.rmse ?? 0),
      12,
    )
    expect(rmse?.high).toBeLessThan(0)
    // Paired: narrower than two intervals that know nothing of each other.
    const width = (each: { low: number | null; high: number | null } | undefined) =>
      (each?.high ?? 0) - (each?.low ?? 0)
    expect(width(rmse)).toBeGreaterThan(0)
  })
})

describe('a model that tells two classes apart', () => {
  test('has Brier, log loss, calibration, precision and lift at k as SQL has them', async () => {
    const facts = await evaluated(CLASS)
    expect(facts.kind).toBe('classification')
    const [brier, loss, positives] = await bySql(
      'avg((p - label) ** 2), -avg(label * ln(p) + (1 - label) * ln(1 - p)), sum(label)',
    )
    expect(facts.metrics.brier).toBeCloseTo(brier ?? 0, 5)
    expect(facts.metrics.log_loss).toBeCloseTo(loss ?? 0, 5)
    expect(facts.positives).toBe(positives)
    // Truly drawn from the scores: calibrated, up to chance.
    expect(facts.metrics.ece).toBeLessThan(0.05)
    expect(facts.calibration.reduce((sum, bin) => sum + bin.rows, 0)).toBe(3000)
    expect(facts.metrics.lift_at_k).toBeCloseTo(
      (facts.metrics.precision_at_k ?? 0) / ((positives ?? 0) / 3000),
      12,
    )
    const { true_positive, false_positive, true_negative, false_negative } = facts.confusion ?? {}
    const counts = await bySql(
      `count(*) FILTER (p >= 0.5 AND label = 1), count(*) FILTER (p >= 0.5 AND label = 0),
       count(*) FILTER (p < 0.5 AND label = 0), count(*) FILTER (p < 0.5 AND label = 1)`,
    )
    expect([true_positive, false_positive, true_negative, false_negative]).toEqual(counts)
  })

  test('is the same for the same seed', async () => {
    const [a, b] = [await evaluated(CLASS), await evaluated(CLASS)]
    expect(a.intervals).toEqual(b.intervals)
    expect((await evaluated(CLASS, { seed: 2 })).intervals).not.toEqual(a.intervals)
  })
})

test('a score that meets the threshold in its own type is decided for, as by the nights', async () => {
  const rows = `SELECT i AS id, DATE '2026-05-01' AS as_of, ln(7)::FLOAT AS x, ln(3)::FLOAT AS y, NULL::VARCHAR AS region, 1 AS label FROM range(3) t(i)`
  // 1 / (1 + 3 / 7) is 0.7, which FLOAT has as 0.699999988.
  const score = { column: 'p', min: undefined, max: undefined, threshold: 0.7 }
  const { confusion, metrics } = await evaluated(rows, { score })
  expect(1 - Math.sqrt(metrics.brier ?? 0)).toBeLessThan(0.7)
  expect(confusion).toMatchObject({ threshold: 0.7, true_positive: 3, false_negative: 0 })
})

describe('more rows than are measured in memory', () => {
  /** Figures to 9 decimals; intervals apart. */
  const figuresOf = ({ intervals: _, resamples: __, notes: ___, ...facts }: EvaluationFacts) =>
    JSON.parse(
      JSON.stringify(facts, (key, value) =>
        key === 'intervals' || key === 'low' || key === 'high'
          ? undefined
          : typeof value === 'number'
            ? Number(value.toFixed(9))
            : value,
      ),
    )

  test.each([
    ['classes', CLASS],
    ['numbers', NUMBER],
  ])('%s have the same figures, parts, curves and champion', async (_, sql) => {
    const inputs = made.mapping.inputs.map((input) => ({ ...input, columns: [...input.columns].reverse() }))
    const file = join(made.folder, 'model.onnx')
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex')
    const champion = { version: 1, file, sha256, mapping: { ...made.mapping, inputs } }
    const [small, large] = [
      await evaluated(sql, { champion }),
      await evaluated(sql, { champion, most: 1000 }),
    ]
    expect(figuresOf(large)).toEqual(figuresOf(small))
    expect(large.notes.at(-1)).toMatch(/^intervals are those of \d+ of 1500 entities \(\d+ of 3000 rows\)/)
    expect(await evaluated(sql, { champion, most: 1000 })).toEqual(large)
  })

  test('intervals are as wide as those of all rows, up to chance', async () => {
    const [small, large] = [await evaluated(CLASS), await evaluated(CLASS, { most: 1000 })]
    for (const name of ['auc', 'log_loss', 'brier', 'precision_at_k'] as const) {
      const width = ({ intervals }: EvaluationFacts) =>
        (intervals[name]?.high ?? Number.NaN) - (intervals[name]?.low ?? Number.NaN)
      expect(width(large) / width(small), name).toBeGreaterThan(0.7)
      expect(width(large) / width(small), name).toBeLessThan(1.4)
    }
  })
})
