import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { Failure } from '../../../src/pipeline/engine/failure.ts'
import { baselineOfHoldout, baselineOfNight } from '../../../src/pipeline/profile/baseline.ts'
import { scorePartition } from '../../../src/pipeline/scoring/score-partition.ts'
import { forest } from '../onnx/forest.ts'
import { type Case, openCase } from '../scoring-case.ts'

const HOLDOUT = (rows: number) =>
  `SELECT i % 400 AS id, DATE '2026-01-01' + (i // 400)::INTEGER * 31 AS as_of,
          (hash(i) % 100)::FLOAT AS a, CASE WHEN i % 9 = 0 THEN NULL ELSE hash(i + 1) % 100 END::FLOAT AS b, i % 2 AS label
     FROM range(${rows}) t(i)`

let opened: Case | undefined
afterEach(() => opened?.remove())

async function open(sql: string): Promise<Case> {
  opened = await openCase({ model: forest({ trees: 5, depth: 3, features: 2 }), sql, inputs: ['a', 'b'] })
  return opened
}

function holdoutRequest({ request, mapping, folder }: Case) {
  const sha256 = createHash('sha256').update(readFileSync(request.model)).digest('hex')
  return {
    holdout: request.features,
    dataset: '3f2a9c0b1d',
    entity: ['id'],
    columns: ['a', 'b'],
    version: { version: 1, file: request.model, sha256, mapping },
    score: 'p',
    temp: folder,
    threads: 1,
  }
}

test('a holdout whole and by as-of: the parts add up, and its score is what scoring gives', async () => {
  const each = await open(HOLDOUT(1200))
  const baseline = await baselineOfHoldout(holdoutRequest(each))
  expect(baseline).toMatchObject({
    text: 'holdout of 3f2a9c0b1d',
    kind: 'holdout',
    dataset: '3f2a9c0b1d',
    rows: 1200,
    profile: { rows: 1200, entities: 400 },
  })
  expect(baseline.profile.columns.map(({ column, score }) => [column, score])).toEqual([
    ['a', false],
    ['b', false],
    ['p', true],
  ])
  expect(baseline.by_as_of.map(({ as_of, profile }) => [as_of, profile.rows, profile.entities])).toEqual([
    ['2026-01-01', 400, 400],
    ['2026-02-01', 400, 400],
    ['2026-03-04', 400, 400],
  ])
  for (const [at, column] of baseline.profile.columns.entries()) {
    const parts = baseline.by_as_of.map(({ profile }) => profile.columns[at]?.counts ?? [])
    expect(column.counts, column.column).toEqual(
      column.counts.map((_, bin) => parts.reduce((sum, counts) => sum + (counts[bin] ?? 0), 0)),
    )
  }
  // Scoring wants each entity once.
  await each.rewrite(HOLDOUT(1200).replace('i % 400 AS id', 'i AS id'))
  await scorePartition(each.request)
  const [[mean, low, high] = []] = await each.query('SELECT avg(p), min(p), max(p) FROM $file')
  const score = baseline.profile.columns[2]
  expect(score).toMatchObject({ kind: 'number', min: low, max: high, nulls: 0 })
  expect(score?.kind === 'number' && score.mean).toBeCloseTo(Number(mean), 12)
})

test('a first night is a baseline of one part', async () => {
  const each = await open('SELECT i AS id, (i % 100)::FLOAT AS a, (i % 30)::FLOAT AS b FROM range(500) t(i)')
  await scorePartition(each.request)
  const baseline = await baselineOfNight({
    features: each.request.features,
    scores: each.request.out,
    partition: '2026-11-01',
    entity: ['id'],
    columns: ['b'],
    score: 'p',
    temp: each.folder,
    threads: 1,
  })
  expect(baseline).toMatchObject({
    text: 'first night 2026-11-01',
    kind: 'night',
    dataset: null,
    rows: 500,
    by_as_of: [],
  })
  expect(baseline.profile.columns.map(({ column }) => column)).toEqual(['b', 'p'])
})

test('a holdout without rows is refused', async () => {
  const each = await open(HOLDOUT(0))
  const refused = baselineOfHoldout(holdoutRequest(each))
  await expect(refused).rejects.toThrow(Failure)
  await expect(refused).rejects.toThrow('the holdout has no rows: build the training set with --holdout-from')
})
