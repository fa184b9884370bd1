import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CompareRequest, compareScores } from '../../../src/pipeline/shadow/compare-scores.ts'
import type { ShadowFigures } from '../../../src/pipeline/shadow/shadow-figures.ts'
import { openShadowCase, rowsOf, type ShadowCase } from './compare-case.ts'

type Scores = Record<number, number | null | 'NaN'>

let files: ShadowCase
let number = 0
beforeAll(async () => {
  files = await openShadowCase()
})
afterAll(() => files.remove())

async function compare(
  champion: Scores | string,
  challenger: Scores | string,
  more: Partial<CompareRequest> = {},
): Promise<ShadowFigures> {
  const own = `c${number++}`
  const temp = join(files.folder, own)
  mkdirSync(temp)
  const side = async (name: string, scores: Scores | string) => ({
    path: await files.write(
      `${own}-${name}.parquet`,
      typeof scores === 'string' ? scores : rowsOf(scores),
      name,
    ),
    run: name,
    entity: ['id'],
    score: 'score',
  })
  return compareScores({
    champion: await side('champion', champion),
    challenger: await side('challenger', challenger),
    threshold: undefined,
    k: 0.5,
    segments: [],
    features: [],
    movedBy: 'score',
    temp,
    threads: 1,
    ...more,
  })
}

/** The same figures by another road: loops over arrays. */
function byHand(champion: Scores, challenger: Scores, k: number) {
  const real = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
  const shared = Object.keys(champion).filter((id) => id in challenger)
  const pairs = shared.flatMap((id): [number, number][] => {
    const [a, b] = [champion[Number(id)], challenger[Number(id)]]
    return real(a) && real(b) ? [[a, b]] : []
  })
  const ranks = (values: number[]) =>
    values.map(
      (value) =>
        values.filter((other) => other < value).length +
        (values.filter((other) => other === value).length + 1) / 2,
    )
  const a = pairs.map(([value]) => value)
  const b = pairs.map(([, value]) => value)
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const pearson = (x: number[], y: number[]) => {
    const [mx, my] = [mean(x), mean(y)]
    const sum = (f: (i: number) => number) => x.reduce((total, _, i) => total + f(i), 0)
    const spread = sum((i) => ((x[i] ?? 0) - mx) ** 2) * sum((i) => ((y[i] ?? 0) - my) ** 2)
    return spread === 0 ? null : sum((i) => ((x[i] ?? 0) - mx) * ((y[i] ?? 0) - my)) / Math.sqrt(spread)
  }
  const places = k < 1 ? Math.max(1, Math.round(a.length * k)) : Math.min(k, a.length)
  const shareOf = (values: number[]) =>
    values.map((value) => {
      const above = values.filter((other) => other > value).length
      const equal = values.filter((other) => other === value).length
      return Math.min(1, Math.max(0, (places - above) / equal))
    })
  const [sa, sb] = [shareOf(a), shareOf(b)]
  const alone = (scores: Scores) => Object.values(scores).filter(real)
  const [all, other] = [alone(champion), alone(challenger)]
  const edges = [...new Set([...all, ...other])].sort((x, y) => x - y)
  const below = (values: number[], x: number) => values.filter((value) => value <= x).length / values.length
  const gaps = edges.map((x) => Math.abs(below(all, x) - below(other, x)))
  return {
    both: shared.length,
    pairs: pairs.length,
    rank_correlation: a.length < 2 ? null : pearson(ranks(a), ranks(b)),
    overlap:
      a.length === 0 ? null : sa.reduce((sum, value, i) => sum + Math.min(value, sb[i] ?? 0), 0) / places,
    ks: all.length > 0 && other.length > 0 ? Math.max(...gaps) : null,
    wasserstein:
      all.length > 0 && other.length > 0
        ? gaps.reduce((sum, gap, i) => sum + gap * ((edges[i + 1] ?? edges[i] ?? 0) - (edges[i] ?? 0)), 0)
        : null,
  }
}

const PLAIN: Scores = { 1: 0.9, 2: 0.7, 3: 0.4, 4: 0.2, 5: 0.1, 6: 0.05 }
const CASES: [string, Scores, Scores][] = [
  ['the same scores', PLAIN, PLAIN],
  ['the reverse order', PLAIN, { 1: 0.05, 2: 0.1, 3: 0.2, 4: 0.4, 5: 0.7, 6: 0.9 }],
  [
    'ties on both sides',
    { 1: 0.5, 2: 0.5, 3: 0.5, 4: 0.1, 5: 0.9 },
    { 1: 0.5, 2: 0.4, 3: 0.4, 4: 0.4, 5: 0.3 },
  ],
  [
    'NaN, null and infinite scores',
    { ...PLAIN, 7: 'NaN', 8: null },
    { 1: 0.8, 2: 'NaN', 3: 0.5, 4: null, 5: 0.2, 6: 0.3, 7: 0.1, 8: 0.2 },
  ],
  [
    'entities on one side only',
    { ...PLAIN, 10: 0.6, 11: 0.3 },
    { 1: 0.8, 2: 0.75, 3: 0.1, 20: 0.9, 21: 0.95 },
  ],
  ['a constant challenger', PLAIN, { 1: 0.5, 2: 0.5, 3: 0.5, 4: 0.5, 5: 0.5, 6: 0.5 }],
  ['two constant sides', { 1: 0.5, 2: 0.5, 3: 0.5 }, { 1: 0.2, 2: 0.2, 3: 0.2 }],
  ['one row', { 1: 0.5 }, { 1: 0.6 }],
  ['nothing shared', { 1: 0.5, 2: 0.7 }, { 3: 0.5, 4: 0.7 }],
]

test.each(CASES)('agrees with a second computation: %s', async (_, champion, challenger) => {
  for (const k of [0.5, 2]) {
    const found = await compare(champion, challenger, { k })
    const expected = byHand(champion, challenger, k)
    const close = (a: number | null, b: number | null) =>
      b === null ? expect(a).toBeNull() : expect(a).toBeCloseTo(b, 12)
    expect(found.rows).toMatchObject({ both: expected.both, not_numbers: expected.both - expected.pairs })
    close(found.rank_correlation, expected.rank_correlation)
    close(found.top.overlap, expected.overlap)
    close(found.distance.ks, expected.ks)
    close(found.distance.wasserstein, expected.wasserstein)
  }
})

test('agrees with a second computation on 400 rows with many ties', async () => {
  const random = (seed: number) => () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed / 2_147_483_648
  }
  const next = random(7)
  const scores = (steps: number): Scores =>
    Object.fromEntries(Array.from({ length: 400 }, (_, id) => [id, Math.floor(next() * steps) / steps]))
  const [champion, challenger] = [scores(50), scores(9)]
  const found = await compare(champion, challenger, { k: 0.1 })
  const expected = byHand(champion, challenger, 0.1)
  expect(found.rank_correlation).toBeCloseTo(expected.rank_correlation ?? 9, 12)
  expect(found.top).toEqual({ k: 40, overlap: expect.closeTo(expected.overlap ?? 9, 12) })
  expect(found.distance.ks).toBeCloseTo(expected.ks ?? 9, 12)
  expect(found.distance.wasserstein).toBeCloseTo(expected.wasserstein ?? 9, 12)
})

describe('decisions', () => {
  const decided = (scores: Scores, decisions: Record<number, boolean>) =>
    `SELECT *, CASE id ${Object.entries(decisions)
      .map(([id, value]) => `WHEN ${id} THEN ${value}`)
      .join(' ')} END AS decision FROM (${rowsOf(scores)})`

  test('are counted both ways, as they were published', async () => {
    const scores = { 1: 0.9, 2: 0.7, 3: 0.5, 4: 0.2 }
    // 0.5 meets a threshold of 0.5 in one model's own type and misses it in the other's.
    const { flips } = await compare(
      decided(scores, { 1: true, 2: true, 3: true, 4: false }),
      decided(scores, { 1: true, 2: false, 3: false, 4: true }),
      { threshold: 0.5 },
    )
    expect(flips).toEqual({ decided: 4, to_positive: 1, to_negative: 2, rate: 0.75 })
  })

  test('of FLOAT scores without a decision are made as FLOAT', async () => {
    const found = await compare(
      'SELECT 1::BIGINT AS id, 0.7::FLOAT AS score',
      'SELECT 1::BIGINT AS id, 0.7::DOUBLE AS score',
      { threshold: 0.7 },
    )
    expect(found.flips).toEqual({ decided: 1, to_positive: 0, to_negative: 0, rate: 0 })
  })

  test('of scores without a decision are made at the threshold; without a threshold there are none', async () => {
    const [a, b] = [
      { 1: 0.5, 2: 0.4 },
      { 1: 0.4, 2: 0.5 },
    ]
    const found = await compare(a, b, { threshold: 0.5 })
    expect(found.flips).toEqual({ decided: 2, to_positive: 1, to_negative: 1, rate: 1 })
    expect((await compare(a, b)).flips).toBeNull()
  })
})

test('shows the segments, and what moved most with its features of both views', async () => {
  const champion: Scores = { 1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4 }
  const challenger: Scores = { 1: 0.1, 2: 0.9, 3: 0.35, 4: 0.3 }
  const path = await files.write(
    'new.parquet',
    `SELECT id::BIGINT AS id, CASE WHEN id < 3 THEN 'basic' WHEN id = 3 THEN 'pro' END AS plan, id * 10 AS calls FROM range(1, 5) t(id)`,
    'new',
  )
  const old = await files.write(
    'old.parquet',
    'SELECT id::BIGINT AS customer, -id AS calls, id * 100 AS spend FROM range(1, 5) t(id)',
    'old',
  )
  const found = await compare(champion, challenger, {
    segments: ['plan', 'region'],
    features: [
      { path, run: 'new', entity: ['id'], columns: ['plan', 'calls'] },
      { path: old, run: 'old', entity: ['customer'], columns: ['calls', 'spend'] },
      { path: old, run: 'replaced since', entity: ['customer'], columns: ['spend'] },
    ],
  })
  expect(
    found.by_segment.map(({ value, rows, rank_correlation }) => [value, rows, rank_correlation]),
  ).toEqual([
    ['basic', 2, expect.closeTo(1, 12)],
    ['null', 1, null],
    ['pro', 1, null],
  ])
  expect(found.notes).toEqual(['no segment region: the features that were scored have no such column'])
  expect(found.movers.map(({ entity }) => entity.id)).toEqual(['2', '4', '3'])
  expect(found.movers[0]).toEqual({
    entity: { id: '2' },
    champion: 0.2,
    challenger: 0.9,
    champion_rank: expect.closeTo(1 / 3, 12),
    challenger_rank: 1,
    features: { plan: 'basic', calls: '20', spend: '200' },
  })
  // A current process may score on another scale: there the place counts.
  const scaled = Object.fromEntries(Object.entries(champion).map(([id, score]) => [id, Number(score) * 1000]))
  const byRank = await compare(scaled, challenger, { movedBy: 'rank' })
  expect(byRank.movers.map(({ entity }) => entity.id)).toEqual(['2', '4'])
})

describe('refuses, saying why', () => {
  test('entities of another type, and of another number of columns', async () => {
    const text = "SELECT 'a' AS id, 0.5 AS score"
    await expect(compare(PLAIN, text)).rejects.toThrow(
      'the scores cannot be compared: expected id to be BIGINT, as in the features, got: VARCHAR',
    )
    const path = await files.write('two.parquet', 'SELECT 1 AS id, 2 AS shop, 0.5 AS score', 'two')
    await expect(
      compare(PLAIN, PLAIN, { challenger: { path, run: 'two', entity: ['id', 'shop'], score: 'score' } }),
    ).rejects.toThrow('one side has a row for each id, the other for each id, shop')
  })

  test('a file that another run has replaced', async () => {
    const path = await files.write('other.parquet', rowsOf(PLAIN), 'newer')
    await expect(
      compare(PLAIN, PLAIN, { champion: { path, run: 'older', entity: ['id'], score: 'score' } }),
    ).rejects.toMatchObject({ failureClass: 'transient' })
  })
})
