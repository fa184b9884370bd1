import { describe, expect, it } from 'vitest'
import { TENSOR } from '../../../src/pipeline/onnx/proto.ts'
import { scorePartition } from '../../../src/pipeline/scoring/score-partition.ts'
import { forest } from '../onnx/forest.ts'
import { small } from '../onnx/small.ts'

import { failureOf, node, open, same, x, y } from './score-case.ts'

const sixFeatures = Array.from(
  { length: 6 },
  (_, index) => `(hash(i * 6 + ${index}) % 1000 / 10)::FLOAT AS f${index}`,
)
const COLUMNS = 'SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM $file)'
const population = (rows: number) =>
  `SELECT i AS id, ${sixFeatures.join(', ')} FROM range(${rows}) t(i) ORDER BY id`

describe('scorePartition', () => {
  it('writes entity, score, decision and version, in the order of the features, with its metadata', async () => {
    const { request, query } = await open({
      model: same,
      sql: 'SELECT (i * 3)::BIGINT AS id, (i / 10)::FLOAT AS x FROM range(10) t(i) ORDER BY id',
      score: { column: 'churn probability', min: 0, max: 1, threshold: 0.5 },
    })
    const facts = await scorePartition(request)
    expect(await query(COLUMNS)).toEqual([
      ['id', 'BIGINT'],
      ['churn probability', 'DOUBLE'],
      ['decision', 'BOOLEAN'],
      ['version', 'INTEGER'],
    ])
    expect(await query('SELECT * FROM $file')).toEqual(
      Array.from({ length: 10 }, (_, i) => [BigInt(i * 3), Math.fround(i / 10), i >= 5, 3]),
    )
    expect(facts.file).toMatchObject({
      rows: 10,
      path: request.out,
      metadata: { model: 'churn', run: "it's 7" },
    })
    expect(facts.checks.map(({ id, passed }) => [id, passed])).toEqual([
      ['score.finite', true],
      ['score.range', true],
      ['score.rows', true],
    ])
    expect(facts.summary).toEqual({ mean: expect.closeTo(0.45), min: 0, max: Math.fround(0.9), positive: 5 })
    expect(facts.steps.map(({ step }) => step)).toEqual([
      'open',
      'unknown values',
      'score',
      'write',
      'read back',
    ])
  })

  it('writes neither a decision without a threshold nor more than was asked', async () => {
    const { request, query } = await open({ model: same, sql: 'SELECT 1 AS id, 0.5::FLOAT AS x' })
    const facts = await scorePartition(request)
    expect(facts.file.columns.map(({ name }) => name)).toEqual(['id', 'p', 'version'])
    expect(await query('SELECT * FROM $file')).toEqual([[1, 0.5, 3]])
    expect(facts.checks.map(({ id }) => id)).toEqual(['score.finite', 'score.rows'])
  })

  it('publishes an empty file of an empty night', async () => {
    const { request, query } = await open({
      model: same,
      sql: "SELECT 'a' AS id, 0.5::FLOAT AS x WHERE false",
      score: { threshold: 0.5, min: 0 },
    })
    const facts = await scorePartition(request)
    expect(facts.file.rows).toBe(0)
    expect(facts.summary).toEqual({ mean: undefined, min: undefined, max: undefined, positive: 0 })
    expect(facts.checks.every(({ passed }) => passed)).toBe(true)
    expect(await query(COLUMNS)).toEqual([
      ['id', 'VARCHAR'],
      ['p', 'DOUBLE'],
      ['decision', 'BOOLEAN'],
      ['version', 'INTEGER'],
    ])
  })

  it('keeps composite entities and texts as they are, whatever they are called', async () => {
    const { request, query } = await open({
      model: same,
      sql: `SELECT * FROM (VALUES ('it''s "x"', DATE '2026-01-02', 2, 2::FLOAT), ('Ärger', DATE '2026-01-01', 1, 1::FLOAT))
            AS t("customer name", "day", "score", x)`,
      entity: ['customer name', 'day', 'score'],
    })
    await scorePartition(request)
    expect(await query('SELECT "customer name", "day"::VARCHAR, "score", p FROM $file')).toEqual([
      ['it\'s "x"', '2026-01-02', 2, 2],
      ['Ärger', '2026-01-01', 1, 1],
    ])
  })

  it('reads nothing from the path: a column named like a folder keeps its values', async () => {
    const { request, query } = await open({
      model: same,
      sql: 'SELECT 7 AS as_of, 0.5::FLOAT AS x',
      entity: ['as_of'],
      within: 'as_of=2026-11-22',
    })
    await scorePartition(request)
    expect(await query('SELECT as_of FROM $file')).toEqual([[7]])
  })

  it('gives the same scores for every size of batch and number of sessions', async () => {
    const { request, query } = await open({
      model: forest({ trees: 20, depth: 4, features: 6 }),
      sql: population(20_011),
    })
    const all =
      'SELECT count(*), bit_xor(hash(id, p)), sum((id <> rows)::INT) FROM (SELECT *, row_number() OVER () - 1 AS rows FROM $file)'
    await scorePartition(request)
    const expected = await query(all)
    expect(expected[0]?.[0]).toBe(20_011n)
    expect(expected[0]?.[2]).toBe(0n)
    expect((await query('SELECT count(DISTINCT p) FROM $file'))[0]?.[0]).toBeGreaterThan(18_000n)
    for (const { batch, threads } of [
      { batch: 7, threads: 2 },
      { batch: 2048, threads: 2 },
      { batch: 4097, threads: 3 },
      { batch: 20_000, threads: 1 },
      { batch: 100_000, threads: 2 },
    ]) {
      await scorePartition({ ...request, batch, threads })
      expect(await query(all), `batch ${batch}, ${threads} sessions`).toEqual(expected)
    }
    await scorePartition({ ...request, features: request.features, batch: 1 })
    expect(await query(all), 'batch 1').toEqual(expected)
  })

  it('scores more rows than one row group and one stream buffer, in order', async () => {
    const { request, query } = await open({
      model: same,
      sql: 'SELECT i AS id, i::FLOAT AS x FROM range(1000000) t(i) ORDER BY id',
    })
    const told: (number | undefined)[][] = []
    const facts = await scorePartition({
      ...request,
      threads: 2,
      progress: (_, rows, total) => told.push([rows, total]),
    })
    expect(facts.file.rows).toBe(1_000_000)
    expect(await query('SELECT sum((p <> id)::INT) FROM $file')).toEqual([[0n]])
    expect(told.at(-1)).toEqual([1_000_000, 1_000_000])
  })
})

describe('scorePartition: checks and failures', () => {
  it('fails the check of finite scores, and decides nothing where there is no score', async () => {
    const { request, query } = await open({
      model: same,
      sql: "SELECT * FROM (VALUES (1, 0.25::FLOAT), (2, NULL), (3, 0.75::FLOAT), (4, 'inf'::FLOAT)) AS t(id, x)",
      score: { min: 0, max: 1, threshold: 0.5 },
    })
    const { checks, summary } = await scorePartition(request)
    expect(checks[0]).toEqual({
      id: 'score.finite',
      kind: 'score.finite',
      column: 'p',
      passed: false,
      observed: 2,
      bound: 0,
      message: 'expected every p to be a finite number, got: 2 of 4 rows that are not',
      samples: [
        { id: '2', p: 'nan' },
        { id: '4', p: 'inf' },
      ],
    })
    expect(checks[1]?.passed).toBe(true)
    expect(summary).toEqual({ mean: 0.5, min: 0.25, max: 0.75, positive: 1 })
    expect(await query('SELECT decision FROM $file')).toEqual([[false], [null], [true], [null]])
  })

  it('fails the check of the range with the rows outside of it, and forgives the last bit', async () => {
    const { request, rewrite } = await open({
      model: same,
      sql: 'SELECT i AS id, i::FLOAT / 4 AS x FROM range(8) t(i)',
      score: { min: 0, max: 1 },
    })
    const { checks } = await scorePartition(request)
    expect(checks[1]).toMatchObject({
      id: 'score.range',
      passed: false,
      observed: 3,
      bound: '0 to 1',
      message: 'expected every p within 0 to 1, got: 0 to 1.75, 3 of 8 rows outside',
      samples: [
        { id: '5', p: '1.25' },
        { id: '6', p: '1.5' },
        { id: '7', p: '1.75' },
      ],
    })
    await rewrite('SELECT 1 AS id, 1.0000001::FLOAT AS x')
    expect((await scorePartition(request)).checks[1]?.passed).toBe(true)
  })

  it('ends in a model failure where the model gives another number of rows', async () => {
    const mean = small([x], [y], [node('ReduceMean', ['x'], ['y'])])
    const { request } = await open({ model: mean, sql: 'SELECT i AS id, 1::FLOAT AS x FROM range(3) t(i)' })
    const failure = await failureOf(scorePartition(request))
    expect(failure.failureClass).toBe('model')
    expect(failure.message).toBe('expected output y to be one value a row for 3 rows, got: [1, 1]')
  })

  it('ends in a model failure with the words of the engine where the model cannot be run', async () => {
    const reshaped = small(
      [x],
      [y],
      [
        node('Constant', [], ['shape'], {
          attribute: [
            { name: 'value', type: 4, t: { dims: [2], data_type: TENSOR.int64, int64_data: [5, 1] } },
          ],
        }),
        node('Reshape', ['x', 'shape'], ['y']),
      ],
    )
    const { request } = await open({
      model: reshaped,
      sql: 'SELECT i AS id, 1::FLOAT AS x FROM range(3) t(i)',
    })
    const failure = await failureOf(scorePartition({ ...request, threads: 2 }))
    expect(failure.failureClass).toBe('model')
    expect(failure.message).toMatch(/^ONNX Runtime cannot score: .*Reshape/)
    const { request: next } = await open({ model: same, sql: 'SELECT 1 AS id, 0.5::FLOAT AS x' })
    expect((await scorePartition(next)).file.rows, 'the next model').toBe(1)
  })

  it('ends in a model failure where the file is gone or another one', async () => {
    const { request } = await open({ model: same, sql: 'SELECT 1 AS id, 0.5::FLOAT AS x' })
    const other = await failureOf(scorePartition({ ...request, sha256: 'ab'.repeat(32) }))
    expect(other.failureClass).toBe('model')
    expect(other.message).toMatch(/is not the file that was registered: .* \(expected sha256 abab/)
    const gone = await failureOf(scorePartition({ ...request, model: `${request.model}.gone` }))
    expect(gone.failureClass).toBe('model')
    expect(gone.message).toContain("cannot read the model's file")
  })

  it('refuses scores with two columns of one name', async () => {
    const { request } = await open({
      model: same,
      sql: 'SELECT 1 AS Version, 0.5::FLOAT AS x',
      entity: ['Version'],
    })
    const failure = await failureOf(scorePartition(request))
    expect(failure.message).toBe(
      'the scores would have two columns version; they have: Version, p, version. Rename the entity or score.column',
    )
  })
})
