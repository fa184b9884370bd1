import { describe, expect, it } from 'vitest'
import { type NodeProto, TENSOR } from '../../../src/pipeline/onnx/proto.ts'
import { scorePartition } from '../../../src/pipeline/scoring/score-partition.ts'
import { attribute, tensorValue } from '../onnx/attribute.ts'
import { small } from '../onnx/small.ts'

import { failureOf, node, open, same, x, y } from './score-case.ts'

const toFloat = { attribute: [attribute.int('to', TENSOR.float32)] }
const labels = (texts: string[], values: number[]): NodeProto => ({
  domain: 'ai.onnx.ml',
  attribute: [
    attribute.strings('keys_strings', texts),
    attribute.floats('values_floats', values),
    attribute.float('default_float', -1),
  ],
})

describe('scorePartition: types and nulls', () => {
  it('feeds a null as NaN into floats, and null and NaN as the fill where the view gives one', async () => {
    const missing = small([x], [y], [node('IsNaN', ['x'], ['nan']), node('Cast', ['nan'], ['y'], toFloat)])
    const sql = 'SELECT * FROM (VALUES (1, 5::FLOAT), (2, NULL), (3, 7::FLOAT)) AS t(id, x)'
    const bare = await open({ model: missing, sql })
    await scorePartition(bare.request)
    expect(await bare.query('SELECT p FROM $file')).toEqual([[0], [1], [0]])
    const filled = await open({ model: same, sql, fill: { x: -2.5 } })
    await scorePartition(filled.request)
    expect(await filled.query('SELECT p FROM $file')).toEqual([[5], [-2.5], [7]])
    for (const type of ['FLOAT', 'DOUBLE']) {
      const strange = await open({
        model: same,
        sql: `SELECT * FROM (VALUES (1, 'nan'::${type}), (2, NULL), (3, 'inf'), (4, -('nan'::${type}))) AS t(id, x)`,
        fill: { x: -2.5 },
      })
      await scorePartition(strange.request)
      expect(await strange.query('SELECT p FROM $file')).toEqual([[-2.5], [-2.5], [Infinity], [-2.5]])
    }
  })

  it('feeds every numeric type of a column into a float matrix', async () => {
    const values = ['1::TINYINT', '2::BIGINT', '3.5::DECIMAL(9,2)', '4.5::DOUBLE', 'true', '6::UHUGEINT']
    const wide = small(
      [tensorValue('features', 'float64', ['n', 6])],
      [tensorValue('y', 'float64', ['n', 1])],
      [
        node('Constant', [], ['weights'], {
          attribute: [
            {
              name: 'value',
              type: 4,
              t: {
                dims: [6, 1],
                data_type: TENSOR.float64,
                double_data: [1, 10, 100, 1000, 10_000, 100_000],
              },
            },
          ],
        }),
        node('MatMul', ['features', 'weights'], ['y']),
      ],
    )
    const list = values.map((value, index) => `${value} AS f${index}`).join(', ')
    const { request, query } = await open({ model: wide, sql: `SELECT 1 AS id, ${list}` })
    await scorePartition(request)
    expect(await query('SELECT p FROM $file')).toEqual([[1 + 20 + 350 + 4500 + 10_000 + 600_000]])
  })

  it('feeds int64 beyond 2^53 to the last digit', async () => {
    const exact = small(
      [tensorValue('x', 'int64', ['n', 1])],
      [y],
      [
        node('Constant', [], ['base'], {
          attribute: [
            {
              name: 'value',
              type: 4,
              t: {
                dims: [1],
                data_type: TENSOR.int64,
                int64_data: [{ low: 0, high: 2 ** 21, unsigned: false }],
              },
            },
          ],
        }),
        node('Sub', ['x', 'base'], ['rest']),
        node('Cast', ['rest'], ['y'], toFloat),
      ],
    )
    const { request, query } = await open({
      model: exact,
      sql: 'SELECT i AS id, 9007199254740992 + i AS x FROM range(5) t(i) ORDER BY id',
    })
    await scorePartition(request)
    expect(await query('SELECT p FROM $file')).toEqual([[0], [1], [2], [3], [4]])
  })

  it('feeds int32, bool and string inputs by name', async () => {
    const mixed = small(
      [
        tensorValue('plan', 'string', ['n', 1]),
        tensorValue('active', 'bool', ['n', 1]),
        tensorValue('calls', 'int32', ['n']),
      ],
      [y],
      [
        node('LabelEncoder', ['plan'], ['code'], labels(['basic', 'größer'], [10, 20])),
        node('Cast', ['active'], ['flag'], toFloat),
        node('Cast', ['calls'], ['flat'], toFloat),
        node('Constant', [], ['shape'], {
          attribute: [
            { name: 'value', type: 4, t: { dims: [2], data_type: TENSOR.int64, int64_data: [-1, 1] } },
          ],
        }),
        node('Reshape', ['flat', 'shape'], ['count']),
        node('Add', ['code', 'flag'], ['sum']),
        node('Add', ['sum', 'count'], ['y']),
      ],
    )
    const { request, query } = await open({
      model: mixed,
      sql: `SELECT * FROM (VALUES (1, 'basic', true, 100), (2, 'größer', false, 200), (3, NULL, NULL, -300)) AS t(id, plan, active, calls)`,
      fill: { plan: 'basic', active: true },
    })
    await scorePartition({ ...request, batch: 2 })
    expect(await query('SELECT p FROM $file')).toEqual([[111], [220], [-289]])
  })

  it.each([
    ['string', 'NULL::VARCHAR', "'a'"],
    ['bool', 'NULL::BOOLEAN', 'true'],
    ['int64', 'NULL::BIGINT', '4'],
    ['int32', 'NULL::INTEGER', '4'],
  ] as const)('refuses a null in a %s input, with column and count', async (type, none, some) => {
    const model = small([tensorValue('x', type, ['n', 1])], [y], [node('Cast', ['x'], ['y'], toFloat)])
    const { request } = await open({
      model,
      sql: `SELECT i AS id, CASE WHEN i % 4 = 1 THEN ${none} ELSE ${some} END AS x FROM range(10) t(i)`,
    })
    const failure = await failureOf(scorePartition(request))
    expect(failure.failureClass).toBe('contract')
    expect(failure.message).toBe(
      `column x is null in 3 of 10 rows, and input x (${type}) of the model takes no nulls: give the view a value for it ` +
        'in view.yaml (fill: { x: ... }) and register the model again, or write coalesce in features.sql',
    )
  })

  it.each([
    [
      'a column that is gone',
      'SELECT 1 AS id, 2::FLOAT AS xx',
      'the features have no column x, which input x of the model takes; they have: id, xx',
    ],
    [
      'a column of another type',
      "SELECT 1 AS id, 'a' AS x",
      'input x (float32): column x is VARCHAR, expected a number',
    ],
    [
      'a number beyond the input',
      'SELECT 1 AS id, 1e300::DOUBLE AS x',
      "a value of the features does not fit into the model's input: ",
    ],
  ])('refuses %s as broken contract', async (_, sql, message) => {
    const { request, rewrite } = await open({ model: same, sql: 'SELECT 1 AS id, 2::FLOAT AS x' })
    await rewrite(sql)
    const failure = await failureOf(scorePartition(request))
    expect(failure.failureClass).toBe('contract')
    expect(failure.message).toContain(message)
  })
})
