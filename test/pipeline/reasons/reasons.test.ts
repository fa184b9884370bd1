import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { AttributeProto, ModelProto } from '../../../src/pipeline/onnx/proto.ts'
import { encodeModel } from '../../../src/pipeline/onnx/proto.ts'
import { restamp } from '../../../src/pipeline/partition/restamp.ts'
import { readForests } from '../../../src/pipeline/reasons/read-forest.ts'
import { scorePartition } from '../../../src/pipeline/scoring/score-partition.ts'
import { smallModel } from '../../projects/generated.ts'
import { attribute, tensorValue } from '../onnx/attribute.ts'
import { forest } from '../onnx/forest.ts'
import { small } from '../onnx/small.ts'
import { node, open, x, y } from '../scoring/score-case.ts'
import type { Case } from '../scoring-case.ts'

/** Rows of `width` features between 0 and 100, some of them missing. */
const rowsOf = (rows: number, width: number) =>
  `SELECT i AS id, ${Array.from({ length: width }, (_, f) => `(CASE WHEN hash(i + ${f}) % 17 = 0 THEN NULL ELSE hash(i * ${width} + ${f}) % 1000 / 10 END)::FLOAT AS f${f}`).join(', ')} FROM range(${rows}) t(i) ORDER BY id`

const columnsOf = (count: number) =>
  Array.from({ length: count }, (_, rank) => `reason_${rank + 1}, effect_${rank + 1}`).join(', ')

/** By row: the score, and each column's effect. */
async function effectsOf({ request, query }: Case, count: number) {
  const facts = await scorePartition({ ...request, score: { ...request.score, reasons: count } })
  const rows = await query(`SELECT p, ${columnsOf(count)} FROM $file`)
  return {
    method: facts.file.metadata.reasons,
    rows: rows.map(([score, ...rest]) => ({
      score: Number(score),
      effects: new Map(
        rest.flatMap((name, index): [string, number][] =>
          index % 2 === 0 && typeof name === 'string' ? [[name, Number(rest[index + 1])]] : [],
        ),
      ),
    })),
  }
}

const sum = (effects: Map<string, number>) => [...effects.values()].reduce((all, effect) => all + effect, 0)
const logit = (p: number) => Math.log(p / (1 - p))

describe('the reasons of trees', () => {
  const real = resolve(import.meta.dirname, '../../../fixtures/models/churn_v2_gbdt.onnx')
  test.each([
    [
      '80 boosted trees, whose margin goes through a logistic',
      () => readFileSync(real),
      18,
      'log-odds',
      logit,
    ],
    ['made-up trees', () => encodeModel(forest({ trees: 12, depth: 5, features: 6 })), 6, 'log-odds', logit],
  ])('%s: add up to the score', async (_, model, width, unit, margin) => {
    const found = await effectsOf(await open({ model: model(), sql: rowsOf(400, width) }), width)
    expect(found.method).toBe(`paths, ${unit}`)
    const margins = found.rows.map(({ score }) => margin(score))
    const mean = margins.reduce((all, each) => all + each, 0) / margins.length
    for (const [row, { effects }] of found.rows.entries())
      expect(margins[row]).toBeCloseTo(mean + sum(effects), 4)
  })

  const third = '/work/shared/data/onnx/ankane_randomforest.onnx'
  test.skipIf(!existsSync(third))(
    'a random forest of another library: in the unit of the score',
    async () => {
      const sql = `SELECT i AS id, ${['a', 'b', 'c', 'd'].map((name, f) => `(hash(i * 4 + ${f}) % 80 / 10)::FLOAT AS ${name}`).join(', ')} FROM range(300) t(i) ORDER BY id`
      const found = await effectsOf(await open({ model: readFileSync(third), sql, onnx: { class: 2 } }), 4)
      expect(found.method).toBe('paths, score')
      const mean = found.rows.reduce((all, { score }) => all + score, 0) / found.rows.length
      for (const { score, effects } of found.rows) expect(score - sum(effects)).toBeCloseTo(mean, 5)
    },
  )

  test('of one small tree are those computed by hand', async () => {
    // x <= 10: 1; else y <= 5: 3, else 7. Of the rows two go left, one each right: means 3 at the root and 5 at the right.
    const { request, query } = await open({
      model: tree(['BRANCH_LEQ', 'LEAF', 'BRANCH_LEQ', 'LEAF', 'LEAF']),
      sql: 'SELECT * FROM (VALUES (1, 0::FLOAT, 0::FLOAT), (2, 10, 9), (3, 11, 5), (4, 20, 6)) t(id, x, y)',
    })
    const score = { ...request.score, reasons: 2 }
    await scorePartition({ ...request, score })
    expect(await query(`SELECT p, ${columnsOf(2)} FROM $file`)).toEqual([
      [1, 'x', -2, null, null],
      [1, 'x', -2, null, null],
      [3, 'x', 2, 'y', -2],
      [7, 'x', 2, 'y', 2],
    ])
  })

  test('a graph whose paths have no end, or that computes on, is no forest', () => {
    expect(readForests(encodeModel(tree(['BRANCH_LEQ', 'BRANCH_LEQ', 'LEAF', 'LEAF', 'LEAF'])))).toEqual([])
    expect(readForests(encodeModel(tree()))).toHaveLength(1)
    expect(readForests(smallModel())).toEqual([])
  })
})

/** A regression of the columns x and y: five nodes of one tree. */
function tree(modes = ['BRANCH_LEQ', 'LEAF', 'BRANCH_LEQ', 'LEAF', 'LEAF']): ModelProto {
  const attributes: AttributeProto[] = [
    attribute.ints('nodes_treeids', [0, 0, 0, 0, 0]),
    attribute.ints('nodes_nodeids', [0, 1, 2, 3, 4]),
    attribute.ints('nodes_featureids', [0, 0, 1, 0, 0]),
    attribute.floats('nodes_values', [10, 0, 5, 0, 0]),
    attribute.strings('nodes_modes', modes),
    attribute.ints('nodes_truenodeids', [1, 0, 3, 0, 0]),
    attribute.ints('nodes_falsenodeids', [2, 0, 4, 0, 0]),
    attribute.ints('target_treeids', [0, 0, 0]),
    attribute.ints('target_nodeids', [1, 3, 4]),
    attribute.ints('target_ids', [0, 0, 0]),
    attribute.floats('target_weights', [1, 3, 7]),
    attribute.int('n_targets', 1),
  ]
  const ensemble = {
    op_type: 'TreeEnsembleRegressor',
    domain: 'ai.onnx.ml',
    input: ['m'],
    output: ['y'],
    attribute: attributes,
  }
  return small([tensorValue('m', 'float32', ['n', 2])], [y], [ensemble], {
    opset_import: [
      { domain: '', version: 17 },
      { domain: 'ai.onnx.ml', version: 3 },
    ],
  })
}

describe('the reasons of any other model', () => {
  const sql = 'SELECT i AS id, (i % 11)::FLOAT AS x, (i % 5)::FLOAT AS y FROM range(55) t(i) ORDER BY id'

  test('are what the score loses where a column has its typical value', async () => {
    const made = await open({ model: smallModel(), sql })
    const { method, rows } = await effectsOf(made, 2)
    expect(method).toBe('occlusion, score')
    // The medians are 5 and 2.
    const logistic = (margin: number) => 1 / (1 + Math.exp(-margin))
    for (const [id, { score, effects }] of rows.entries()) {
      const [a, b] = [id % 11, id % 5]
      expect(effects.get('x') ?? 0).toBeCloseTo(score - logistic(5 - b), 5)
      expect(effects.get('y') ?? 0).toBeCloseTo(score - logistic(a - 2), 5)
      const [first, second] = [...effects.values()].map(Math.abs)
      expect(first ?? 0).toBeGreaterThanOrEqual(second ?? 0)
    }
  })

  test('stay with the scores that are published again, and with what they were found by', async () => {
    const { request, query, folder } = await open({ model: smallModel(), sql })
    await scorePartition({ ...request, score: { ...request.score, reasons: 2 } })
    const out = `${folder}/out/again.parquet`
    const again = {
      from: request.out,
      out,
      entity: ['id'],
      metadata: { run: 'another' },
      temp: request.temp,
      threads: 1,
    }
    const { metadata } = await restamp(again)
    expect(metadata).toEqual({ run: 'another', reasons: 'occlusion, score' })
    expect(await query('SELECT * FROM $file', out)).toEqual(await query('SELECT * FROM $file'))
  })

  test('are the same whatever the batch and the number of threads, and leave the score as it is', async () => {
    const plain = await open({ model: smallModel(), sql })
    await scorePartition(plain.request)
    const without = await plain.query('SELECT id, p, version FROM $file')
    const all = []
    for (const [batch, threads] of [
      [7, 1],
      [16_384, 2],
    ]) {
      const { request, query } = await open({ model: smallModel(), sql })
      const score = { ...request.score, reasons: 1 }
      await scorePartition({ ...request, score, batch, threads: threads ?? 1 })
      expect(await query('SELECT id, p, version FROM $file')).toEqual(without)
      all.push(await query(`SELECT ${columnsOf(1)} FROM $file`))
    }
    expect(all[0]).toEqual(all[1])
  })

  test('texts and missing values have typical values too', async () => {
    const { request, query } = await open({
      model: small(
        [tensorValue('kind', 'string', ['n', 1]), x],
        [y],
        [
          {
            ...node('LabelEncoder', ['kind'], ['code']),
            domain: 'ai.onnx.ml',
            attribute: [
              attribute.strings('keys_strings', ['a', 'b']),
              attribute.floats('values_floats', [1, 5]),
              attribute.float('default_float', 0),
            ],
          },
          node('Add', ['code', 'x'], ['y']),
        ],
        {
          opset_import: [
            { domain: '', version: 17 },
            { domain: 'ai.onnx.ml', version: 3 },
          ],
        },
      ),
      sql: "SELECT * FROM (VALUES (1, 'a', 2::FLOAT), (2, 'b', 2), (3, 'a', 9)) t(id, kind, x)",
    })
    await scorePartition({ ...request, score: { ...request.score, reasons: 2 } })
    expect(await query(`SELECT p, ${columnsOf(2)} FROM $file`)).toEqual([
      [3, null, null, null, null],
      [7, 'kind', 4, null, null],
      [10, 'x', 7, null, null],
    ])
  })
})
