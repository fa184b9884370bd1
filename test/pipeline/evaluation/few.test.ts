import { expect, test } from 'vitest'
import { wilson } from '../../../src/pipeline/evaluation/few.ts'
import { type MeasureRequest, measure } from '../../../src/pipeline/evaluation/measure.ts'

/** Labels with scores that go up and down, one row an entity where nothing else is said. */
function measured(labels: number[], more: Partial<MeasureRequest<string>> = {}) {
  return measure({
    sample: {
      scores: Float64Array.from(labels, (_, row) => ((row * 7) % 10) / 10),
      labels: Float64Array.from(labels),
    },
    entities: Uint32Array.from(labels, (_, row) => row),
    entityCount: labels.length,
    parts: [],
    rival: undefined,
    k: 0.5,
    seed: 1,
    resamples: 100,
    ...more,
  })
}

const NONE = { low: null, high: null }
const classes = (ones: number, zeros: number) => [...Array(ones).fill(1), ...Array(zeros).fill(0)]
/** No interval, or one that has a width. */
const honest = ({ low, high }: { low: number | null; high: number | null }) =>
  low === null ? high === null : high !== null && low < high

test('one row is certain of nothing', () => {
  const { intervals, realized, metrics, notes } = measured([0])
  expect(metrics.brier).toBe(0)
  expect(Object.values(intervals).every((each) => each.low === null && each.high === null)).toBe(true)
  // Wilson (1927) for 0 of 1: up to z² / (1 + z²).
  expect(realized).toEqual({ value: 0, low: 0, high: expect.closeTo(0.7935, 4) })
  expect(notes).toContain('too few rows for an interval: it needs at least 10 entities of each class')
})

test.each([
  [classes(9, 200), false],
  [classes(200, 9), false],
  [classes(10, 10), true],
  [Array.from({ length: 29 }, (_, row) => row), false],
  [Array.from({ length: 30 }, (_, row) => row), true],
])('an interval takes ten entities of each class, or thirty numbers', (labels, enough) => {
  const { kind, intervals, metrics, realized, notes } = measured(labels)
  const main = kind === 'classification' ? intervals.auc : intervals.rmse
  expect(main?.low !== null && main?.high !== null).toBe(enough)
  expect(notes.some((note) => note.includes('too few'))).toBe(!enough)
  // The figures themselves are given all the same.
  expect(kind === 'classification' ? metrics.auc : metrics.rmse).toEqual(expect.any(Number))
  expect([...Object.values(intervals), realized ?? NONE].every(honest)).toBe(true)
})

test('the rows of one entity are no further ones', () => {
  const labels = classes(40, 40)
  const entities = Uint32Array.from(labels, (_, row) => row % 8)
  const { intervals, realized } = measured(labels, { entities, entityCount: 8 })
  expect(intervals.auc).toEqual(NONE)
  expect(realized).toEqual({ value: 0.5, ...wilson(0.5, 8) })
})

test('a part of few rows has no interval where the whole has one', () => {
  const { intervals, parts } = measured(classes(50, 50), { parts: [{ key: 'small', rows: [0, 1, 98] }] })
  expect(honest(intervals.auc ?? NONE) && intervals.auc?.low !== null).toBe(true)
  expect(parts[0]?.metrics.auc).toEqual(expect.any(Number))
  expect(parts[0]?.intervals.auc).toEqual(NONE)
})

test('a difference of few rows has no interval either', () => {
  const labels = classes(3, 30)
  const { rival } = measured(labels, { rival: Float64Array.from(labels, (_, row) => (row % 4) / 4) })
  expect(rival?.difference.auc).toEqual({ value: expect.any(Number), ...NONE })
})

test('where every resample has the same figure, it has no interval', () => {
  const labels = classes(50, 50)
  const { metrics, intervals } = measured(labels, {
    sample: { scores: Float64Array.from(labels), labels: Float64Array.from(labels) },
  })
  expect(metrics.auc).toBe(1)
  expect(intervals.auc).toEqual(NONE)
})
