import { describe, expect, test } from 'vitest'
import { foundAt } from '../../../src/charts/evaluation/ranking-charts.ts'
import { curvesOf, GROWTH, type Ranking, SHARES, STEP } from '../../../src/pipeline/evaluation/curves.ts'
import type { Sample } from '../../../src/pipeline/evaluation/metrics.ts'
import { uniform } from '../../charts/sample.ts'

/** Scores in random order, rounded so that some are equal; labels follow them. */
function sampleOf(rows: number, { digits = 3, rate = 0.1 } = {}): Sample {
  const next = uniform(rows)
  const scores = Float64Array.from({ length: rows }, () => Number((next() ** 2).toFixed(digits)))
  const labels = Float64Array.from(scores, (score) => (next() < 2 * rate * score ? 1 : 0))
  return { scores, labels }
}

/** The counts at or above a score, by looking at every row. */
function countsAt({ scores, labels }: Sample, score: number): [rows: number, positives: number] {
  let [rows, positives] = [0, 0]
  scores.forEach((each, row) => {
    if (each < score) return
    rows++
    positives += labels[row] ?? 0
  })
  return [rows, positives]
}

function rankingOf(sample: Sample): Ranking {
  const ranking = curvesOf('classification', sample)?.ranking
  if (ranking == null) throw new Error('expected a ranking')
  return ranking
}

describe.each([
  [30, 1],
  [5_000, 2],
  [3_007, 6],
])('the ranking of %i rows with scores of %i digits', (rows, digits) => {
  const sample = sampleOf(rows, { digits })
  const ranking = rankingOf(sample)

  test('counts exactly, from the highest score down, to the last row', () => {
    ranking.score.forEach((score, index) => {
      expect([ranking.rows[index], ranking.positives[index]]).toEqual(countsAt(sample, score))
    })
    expect(ranking.rows.at(-1)).toBe(rows)
    expect(ranking.score).toEqual(ranking.score.toSorted((a, b) => b - a))
  })

  test('leaves out no more than it says, at any score', () => {
    const distinct = [...new Set(sample.scores)].sort((a, b) => b - a)
    const positives = ranking.positives.at(-1) ?? 0
    for (const score of distinct) {
      const [above, hits] = countsAt(sample, score)
      const next = ranking.rows.findIndex((count) => count >= above)
      if (ranking.rows[next] === above) continue
      const [before, beforeHits] = [ranking.rows[next - 1] ?? 0, ranking.positives[next - 1] ?? 0]
      const step =
        (hits - beforeHits) / positives + (above - before - (hits - beforeHits)) / (rows - positives)
      expect(step).toBeLessThanOrEqual(STEP)
      expect(above - before).toBeLessThanOrEqual(GROWTH * before)
    }
  })

  test('is exact at the shares of the rows that sentences and tables name', () => {
    const points = [...new Set(sample.scores)].map((score) => countsAt(sample, score))
    const all = ranking.positives.at(-1) ?? 0
    for (const share of SHARES) {
      const at = share * rows
      const [to, found] = points.filter(([n]) => n >= at).sort((a, b) => a[0] - b[0])[0] ?? [rows, all]
      const [from, before] = points.filter(([n]) => n < at).sort((a, b) => b[0] - a[0])[0] ?? [0, 0]
      const exact = before + ((at - from) / (to - from)) * (found - before)
      expect(foundAt(ranking, share)).toBeCloseTo(exact / all, 10)
    }
  })

  test('is of bounded size', () => {
    expect(ranking.rows.length).toBeLessThanOrEqual(
      2 / STEP + Math.log(rows) / Math.log1p(GROWTH) + 35 + 2 * SHARES.length,
    )
  })
})

test('a perfect, a constant and a one-class score have a ranking too', () => {
  const labels = Float64Array.of(1, 0, 1, 0)
  expect(rankingOf({ scores: labels, labels })).toEqual({ score: [1, 0], rows: [2, 4], positives: [2, 2] })
  expect(rankingOf({ scores: new Float64Array(4), labels })).toEqual({
    score: [0],
    rows: [4],
    positives: [2],
  })
  expect(rankingOf({ scores: labels, labels: new Float64Array(4) }).positives).toEqual([0, 0])
})

test('tenths hold every row once, equal scores together, and what came true lies in its interval', () => {
  const sample = sampleOf(10_000, { digits: 1 })
  const tenths = curvesOf('classification', sample)?.tenths ?? []
  expect(tenths.reduce((sum, { rows }) => sum + rows, 0)).toBe(10_000)
  // Eleven distinct scores: no tenth has a part of one.
  expect(tenths.length).toBeGreaterThan(2)
  for (const { rows, mean_score, realized, low, high } of tenths) {
    expect(low).toBeLessThanOrEqual(realized)
    expect(high).toBeGreaterThanOrEqual(realized)
    expect(rows).toBeGreaterThan(0)
    expect(mean_score).toBeLessThanOrEqual(1)
  }
  expect(tenths.map(({ mean_score }) => mean_score)).toEqual(
    tenths.map(({ mean_score }) => mean_score).toSorted((a, b) => a - b),
  )
})

test('the histogram counts each row of each class once', () => {
  const sample = sampleOf(3_000)
  const histogram = curvesOf('classification', sample)?.histogram
  const positives = sample.labels.reduce((sum, label) => sum + label, 0)
  const totals = histogram?.series.map(({ name, counts }) => [name, counts.reduce((a, b) => a + b, 0)])
  expect(totals).toEqual([
    ['negatives', 3_000 - positives],
    ['positives', positives],
  ])
  expect([histogram?.from, histogram?.to]).toEqual([0, 1])
})

test('numbers have tenths and a histogram of scores beside labels, and no ranking', () => {
  const scores = Float64Array.from({ length: 100 }, (_, row) => row)
  const curves = curvesOf('regression', { scores, labels: scores.map((score) => 2 * score) })
  expect(curves?.ranking).toBeNull()
  expect(curves?.tenths).toHaveLength(10)
  expect(curves?.tenths[0]).toMatchObject({ rows: 10, mean_score: 4.5, realized: 9 })
  expect(curves?.histogram).toMatchObject({
    from: 0,
    to: 198,
    series: [
      { name: 'labels', mean: 99 },
      { name: 'scores', mean: 49.5 },
    ],
  })
})

test('without rows, or with a score that is no number, there is nothing to draw', () => {
  expect(curvesOf('classification', { scores: new Float64Array(), labels: new Float64Array() })).toBeNull()
  const scores = Float64Array.of(0.1, Number.NaN)
  expect(curvesOf('classification', { scores, labels: new Float64Array(2) })).toBeNull()
})
