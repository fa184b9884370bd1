import { describe, expect, test } from 'vitest'
import { drawNight, openWorld } from '../../../bench/world.ts'
import { LEAST_ROWS } from '../../../src/pipeline/drift/compare-column.ts'
import { judgeDrift, resamplesFor } from '../../../src/pipeline/drift/judge-drift.ts'
import { openRandom } from '../../../src/pipeline/evaluation/bootstrap.ts'
import type { CategoryProfile, ColumnProfile, Profile } from '../../../src/pipeline/profile/profile.ts'
import { numberProfile, times } from './number-profile.ts'

const SETTINGS = { columns: undefined, score: true, minEffect: 0.1, seed: 1, parts: [] }

const EDGES = spread(99)

function profile(...columns: ColumnProfile[]): Profile {
  const rows = columns[0]?.rows ?? 0
  return { rows, entities: rows, columns, left_out: [] }
}

/** Evenly spread quantiles of a normal distribution, nearly (a logistic one), moved. */
function spread(count: number, moved = 0): number[] {
  return Array.from({ length: count }, (_, index) => {
    const p = (index + 0.5) / count
    return Math.log(p / (1 - p)) / 1.7 + moved
  })
}

function plans(counts: number[], more: Partial<CategoryProfile> = {}): CategoryProfile {
  const { nulls = 0, unseen = 0 } = more
  return {
    kind: 'category',
    column: 'plan',
    type: 'VARCHAR',
    score: false,
    rows: counts.reduce((sum, count) => sum + count, nulls + unseen),
    nulls,
    distinct: 3,
    values: ['basic', 'plus', 'pro'],
    counts,
    other: 0,
    unseen,
    unseen_values: [],
    ...more,
  }
}

function judgeNumbers(before: number[], now: number[], by = 1) {
  const [reference, tonight] = [before, now].map((values) => profile(times(numberProfile(values, EDGES), by)))
  if (reference === undefined || tonight === undefined) throw new Error('expected two profiles')
  const [drift] = judgeDrift({ ...SETTINGS, reference, tonight })
  if (drift === undefined) throw new Error('expected one column to be judged')
  return drift
}

describe('what is found', () => {
  test('a shift of half a standard deviation among 1,000 rows', () => {
    const drift = judgeNumbers(spread(10_000), spread(1000, 0.5))
    expect(drift).toMatchObject({ drifted: true, fired: ['distribution'], statistic: 'psi', note: null })
    expect(drift.psi).toBeGreaterThan(drift.threshold ?? 1)
    expect(drift.p).toBeCloseTo(1 / (resamplesFor(1) + 1), 12)
    expect(drift.wasserstein).toBeCloseTo(0.5, 1)
  })

  test('no shift, and one too small to matter, however sure it is', () => {
    expect(judgeNumbers(spread(10_000), spread(1000)).drifted).toBe(false)
    const small = judgeNumbers(spread(10_000), spread(10_000, 0.1), 100)
    expect(small).toMatchObject({ drifted: false, threshold: 0.1, threshold_from: 'min_effect' })
    // 200 resamples are enough for what cannot be drift.
    expect(small.p).toBeCloseTo(1 / 201, 12)
  })

  test('the same shift of 100 rows needs a higher threshold than of 10,000', () => {
    const few = judgeNumbers(spread(10_000), spread(100))
    expect(few.threshold_from).toBe('resampling')
    expect(few.threshold).toBeGreaterThan(0.2)
  })

  test('nulls, though the values that are left look as before', () => {
    const nulls = (count: number) => new Array<number>(count).fill(Number.NaN)
    expect(judgeNumbers(spread(10_000), [...spread(1940), ...nulls(60)]).fired).toContain('nulls')
    const drift = judgeNumbers([...spread(9000), ...nulls(1000)], [...spread(1600), ...nulls(400)])
    expect(drift.fired).toEqual(['nulls'])
    expect(drift.null_rate).toBeCloseTo(0.2, 12)
    expect(drift.psi).toBeLessThan(drift.threshold ?? 0)
  })

  test('half a percent of nulls in 1,000,000 rows is none of anybody’s night', () => {
    const nulls = new Array<number>(50).fill(Number.NaN)
    expect(judgeNumbers(spread(10_000), [...spread(9950), ...nulls], 100).drifted).toBe(false)
  })

  test('a category that grows is named, with its shares', () => {
    const [drift] = judgeDrift({
      ...SETTINGS,
      reference: profile(plans([5000, 3000, 2000])),
      tonight: profile(plans([300, 300, 400])),
    })
    expect(drift).toMatchObject({
      statistic: 'jensen_shannon',
      fired: ['distribution'],
      note: 'basic went from 50 % to 30 %',
      wasserstein: null,
    })
  })

  test('values that the reference does not have', () => {
    const tonight = plans([500, 300, 170], { unseen: 30, unseen_values: [{ value: 'max', count: 30 }] })
    const [drift] = judgeDrift({
      ...SETTINGS,
      reference: profile(plans([5000, 3000, 2000])),
      tonight: profile(tonight),
    })
    expect(drift?.fired).toContain('unseen')
    expect(drift).toMatchObject({
      unseen_rate: 0.03,
      note: 'values that the reference does not have: max (30)',
    })
  })
})

describe('odd columns are figures or findings', () => {
  test('three rows are not enough, and none neither', () => {
    expect(judgeNumbers(spread(10_000), [1, 2, 3])).toMatchObject({
      drifted: false,
      threshold: null,
      p: null,
      note: `not enough rows: there are 3, at least ${LEAST_ROWS} are needed`,
    })
    expect(judgeNumbers(spread(10_000), [])).toMatchObject({ drifted: false, note: 'no rows', psi: null })
    expect(judgeNumbers([1, 2], spread(1000)).note).toBe(
      `not enough rows: the reference has 2, at least ${LEAST_ROWS} are needed`,
    )
  })

  test('all null, all null as before, and all null once', () => {
    const nulls = new Array<number>(500).fill(Number.NaN)
    expect(judgeNumbers(spread(1000), nulls)).toMatchObject({ drifted: true, note: 'all null' })
    expect(judgeNumbers(spread(1000), nulls).fired).toContain('nulls')
    expect(judgeNumbers(nulls, nulls)).toMatchObject({
      drifted: false,
      note: 'all null, as in the reference',
    })
    expect(judgeNumbers(nulls, spread(500))).toMatchObject({
      drifted: true,
      note: 'the reference is all null',
    })
  })

  test('a constant stays one, or moves', () => {
    const constant = (value: number) => ({
      ...numberProfile(new Array<number>(1000).fill(value), [5, 5.000000000000001]),
    })
    const judge = (value: number) =>
      judgeDrift({ ...SETTINGS, reference: profile(constant(5)), tonight: profile(constant(value)) })[0]
    expect(judge(5)).toMatchObject({ drifted: false, note: 'constant: 5', psi: 0 })
    for (const value of [4, 6]) expect(judge(value)).toMatchObject({ drifted: true, wasserstein: null })
  })

  test('a column that is gone, is new, or has become a text', () => {
    const reference = profile(numberProfile(spread(1000), EDGES))
    const gone = judgeDrift({ ...SETTINGS, reference, tonight: { ...profile(plans([500, 300, 200])) } })
    expect(gone).toMatchObject([{ column: 'x', drifted: true, note: 'there is no such column' }])
    const text = judgeDrift({
      ...SETTINGS,
      reference,
      tonight: profile(plans([500, 300, 200], { column: 'x' })),
    })
    expect(text).toMatchObject([
      { drifted: true, note: 'was DOUBLE and is VARCHAR: they cannot be compared' },
    ])
    const more = judgeDrift({
      ...SETTINGS,
      columns: ['plan', 'x'],
      reference,
      tonight: profile(numberProfile(spread(1000), EDGES), plans([500, 300, 200])),
    })
    expect(more).toMatchObject([
      { column: 'x', drifted: false },
      { column: 'plan', drifted: false, note: 'the reference has no such column' },
    ])
  })
})

test('the reference’s own nights raise the threshold above their differences', () => {
  const nights = [0, 0, 0, 0, 0.6, 0.6].map((moved) => profile(numberProfile(spread(1000, moved), EDGES)))
  const columns = numberProfile(
    [0, 0, 0, 0, 0.6, 0.6].flatMap((moved) => spread(1000, moved)),
    EDGES,
  )
  const reference = { ...profile(columns), entities: 1000 }
  const tonight = profile(numberProfile(spread(1000, 0.6), EDGES))
  expect(judgeDrift({ ...SETTINGS, reference, tonight })[0]?.drifted).toBe(true)
  expect(judgeDrift({ ...SETTINGS, reference, tonight, parts: nights })[0]?.drifted).toBe(false)
})

test('as-ofs of a few rows each, as where rows have times of their own, do not hide a shift', () => {
  const all = spread(600)
  const few = Array.from({ length: 100 }, (_, part) => all.filter((_, index) => index % 100 === part))
  const parts = few.map((values) => profile(numberProfile(values, EDGES)))
  const reference = profile(numberProfile(all, EDGES))
  const judged = (moved: number) =>
    judgeDrift({ ...SETTINGS, reference, parts, tonight: profile(numberProfile(spread(350, moved), EDGES)) })
  expect(judged(0.7)).toMatchObject([{ drifted: true, threshold_from: 'resampling' }])
  expect(judged(0)).toMatchObject([{ drifted: false }])
})

test('as-ofs of 60 rows each do not hide a shift of a night of thousands, for what they differ by is chance', () => {
  const random = openRandom(5)
  const all = spread(60 * 40)
  const draw = () => Array.from({ length: 60 }, () => all[Math.floor(random() * all.length)] ?? 0)
  const parts = Array.from({ length: 40 }, () => profile(numberProfile(draw(), EDGES)))
  const reference = profile(numberProfile(all, EDGES))
  const judged = (moved: number) =>
    judgeDrift({ ...SETTINGS, reference, parts, tonight: profile(numberProfile(spread(5000, moved), EDGES)) })
  expect(judged(0.5)).toMatchObject([{ drifted: true }])
  expect(judged(0)).toMatchObject([{ drifted: false }])
})

test('on 30 nights of 100 rows without drift, at most one column in a hundred cries wolf; the same twice', () => {
  const world = openWorld({ weekday: 0.4, customers: 'several rows', nights: 7 }, 100, 4)
  let [alarms, of] = [0, 0]
  const { reference, parts } = world
  for (let night = 0; night < 30; night++) {
    const tonight = drawNight(world, { night, shift: 0, nulls: 0 })
    const drift = judgeDrift({ ...SETTINGS, reference, parts, tonight, seed: night })
    if (night === 0) expect(judgeDrift({ ...SETTINGS, reference, parts, tonight, seed: 0 })).toEqual(drift)
    alarms += drift.filter(({ drifted }) => drifted).length
    of += drift.length
  }
  expect(of).toBe(300)
  expect(alarms).toBeLessThanOrEqual(3)
})
