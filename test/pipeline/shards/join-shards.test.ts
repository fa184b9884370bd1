import { appendFileSync, copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { scorePartition } from '../../../src/pipeline/scoring/score-partition.ts'
import { type JoinRequest, joinShards } from '../../../src/pipeline/shards/join-shards.ts'
import { planRanges } from '../../../src/pipeline/shards/row-ranges.ts'
import { type Part, scoreShard } from '../../../src/pipeline/shards/score-shard.ts'
import { forest } from '../onnx/forest.ts'
import { failureOf, open } from '../scoring/score-case.ts'

const ROWS = 5_003
/** More than a row group. */
const MANY = 130_001
const columns = Array.from({ length: 3 }, (_, i) => `(hash(i * 3 + ${i}) % 1000 / 10)::FLOAT AS f${i}`)
const sql = (rows: number) =>
  `SELECT (i * 2)::BIGINT AS id, ${columns.join(', ')} FROM range(${rows}) t(i) ORDER BY id`

async function divided(shards: number, score: object = { min: 0, max: 1, threshold: 0.5 }, rows = ROWS) {
  const { request, query } = await open({
    model: forest({ trees: 5, depth: 3, features: 3 }),
    sql: sql(rows),
    score,
  })
  const folder = join(dirname(request.out), 'parts')
  mkdirSync(folder)
  const parts: Part[] = []
  for (const [index, range] of (planRanges(rows, shards, 1) ?? []).entries()) {
    const out = join(folder, `part-${index + 1}.parquet`)
    // As from a queue: only plain data comes back.
    const part = await scoreShard({ ...request, out, range, shard: index + 1, shards, featuresSha256: 'abc' })
    parts.push(JSON.parse(JSON.stringify(part)))
  }
  const joining: JoinRequest = {
    ...request,
    out: join(dirname(request.out), 'joined.parquet'),
    parts,
    shards,
    rows,
    featuresSha256: 'abc',
  }
  return { request, query, joining }
}

test.each([
  [2, ROWS],
  [64, ROWS],
  [7, MANY],
])('%i shards of %i rows give the very file that one attempt gives', async (shards, rows) => {
  const { request, joining } = await divided(shards, undefined, rows)
  const whole = await scorePartition(request)
  const joined = await joinShards(joining)
  expect(joined.file.sha256).toBe(whole.file.sha256)
  const { mean, ...rest } = joined.summary
  expect(rest).toEqual({ min: whole.summary.min, max: whole.summary.max, positive: whole.summary.positive })
  expect(mean).toBeCloseTo(whole.summary.mean ?? Number.NaN, 12)
  expect(joined.checks).toEqual(whole.checks)
  expect(joined.file.metadata).toEqual(whole.file.metadata)
})

test('reasons are measured against the whole night, whoever scores a row', async () => {
  const { request, joining } = await divided(3, { reasons: 2 })
  const whole = await scorePartition(request)
  expect((await joinShards(joining)).file.sha256).toBe(whole.file.sha256)
})

test('scores out of bounds are found in every shard, with samples of the joined file', async () => {
  const { request, joining } = await divided(3, { min: 0, max: 0.45 })
  const whole = await scorePartition(request)
  expect((await joinShards(joining)).checks).toEqual(whole.checks)
  expect(whole.checks.find(({ id }) => id === 'score.range')?.passed).toBe(false)
})

test('a part that is missing, there twice, changed or of another range is refused', async () => {
  const { joining } = await divided(3)
  const [a, b, c] = joining.parts
  if (!a || !b || !c) throw new Error('three parts')
  const refused = async (parts: Part[]) => (await failureOf(joinShards({ ...joining, parts }))).message
  expect(await refused([a, b])).toMatch(/not one whole partition: expected 3 parts, got: 2/)
  expect(await refused([a, a, c])).toMatch(/expected shard 2 in its place, got: 1/)
  expect(await refused([a, { ...b, range: { first: 7, rows: b.range.rows } }, c])).toMatch(
    /expected shard 2 to begin with row 1668, got: row 7/,
  )
  // The file of another shard under the name of this one, with its own hash.
  const swapped = { ...b, file: { ...c.file, rows: b.file.rows } }
  expect(await refused([a, swapped, c])).toMatch(/shard 2: expected metadata shard 2 of 3, got: 3 of 3/)
  const moved = { ...b, keys: a.keys }
  expect(await refused([a, moved, c])).toMatch(/shard 2: expected the entity of its first row 3336, got: 0/)
  const kept = `${b.file.path}.kept`
  copyFileSync(b.file.path, kept)
  appendFileSync(b.file.path, 'x')
  expect(await refused([a, b, c])).toMatch(/shard 2: expected sha256/)
  rmSync(b.file.path)
  expect(await refused([a, b, c])).toMatch(/the part of shard 2 cannot be read: ENOENT/)
  copyFileSync(kept, b.file.path)
  expect((await joinShards(joining)).file.rows).toBe(ROWS)
})

test('ranges are contiguous and even, end with row groups where they are large, and are none where rows are few', () => {
  expect(planRanges(999, 4, 500)).toBeUndefined()
  expect(planRanges(1_000, 4, 500)).toEqual([
    { first: 0, rows: 500 },
    { first: 500, rows: 500 },
  ])
  expect(planRanges(10_000_000, 1, 1)).toBeUndefined()
  for (const [rows, shards] of [
    [1_000_000_007, 50],
    [7, 64],
    [500_000, 3],
    [130_000, 64],
    [1_000_000, 64],
  ] as const) {
    const ranges = planRanges(rows, shards, 1) ?? []
    let next = 0
    for (const { first, rows: own } of ranges) {
      expect(first).toBe(next)
      expect(own).toBeGreaterThan(0)
      next += own
    }
    expect(next).toBe(rows)
  }
  expect((planRanges(1_000_000_007, 50, 1) ?? []).every(({ first }) => first % 122_880 === 0)).toBe(true)
})
