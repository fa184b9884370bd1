import { afterEach, describe, expect, it } from 'vitest'
import { type NodeProto, TENSOR } from '../../../src/pipeline/onnx/proto.ts'
import { tryModel } from '../../../src/pipeline/scoring/trial.ts'
import { attribute, tensorValue } from '../onnx/attribute.ts'
import { forest } from '../onnx/forest.ts'
import { small } from '../onnx/small.ts'
import { type Case, openCase } from '../scoring-case.ts'

const opened: Case[] = []
afterEach(() => {
  for (const each of opened.splice(0)) each.remove()
})

const same = small(
  [tensorValue('x', 'float32', ['n', 1])],
  [tensorValue('y', 'float32', ['n', 1])],
  [{ op_type: 'Identity', input: ['x'], output: ['y'] }],
)

async function attempt(sql: string, rows?: number, model = same) {
  const each = await openCase({ model, sql, score: { min: 0, max: 9999 } })
  opened.push(each)
  return tryModel({ ...each.request, rows })
}

describe('tryModel', () => {
  it('scores rows from all over the file', async () => {
    const trial = await attempt('SELECT i AS id, i::FLOAT AS x FROM range(10000) t(i) ORDER BY id', 1000)
    expect(trial).toMatchObject({ rows: 1000, min: 0, max: 9990, mean: 4995, warnings: [] })
    expect(trial.checks.map(({ id, passed }) => [id, passed])).toEqual([
      ['score.finite', true],
      ['score.range', true],
    ])
  })

  it('scores every row of a small file, and none of an empty one', async () => {
    const sql = 'SELECT i AS id, i::FLOAT AS x FROM range(7) t(i) ORDER BY id'
    expect(await attempt(sql)).toMatchObject({ rows: 7, max: 6 })
    expect(await attempt(`${sql} LIMIT 0`)).toMatchObject({ rows: 0, mean: undefined, warnings: [] })
  })

  it('tells checks that a night would be held for, with the entity', async () => {
    const { checks } = await attempt('SELECT i AS id, (i - 1)::FLOAT AS x FROM range(3) t(i) ORDER BY id')
    expect(checks.filter(({ passed }) => !passed)).toMatchObject([
      { id: 'score.range', samples: [{ id: '0', p: '-1.0' }] },
    ])
  })

  it('warns of integers that float32 rounds and of scores that are all the same', async () => {
    const big = await attempt('SELECT i AS id, 16777216 + i AS x FROM range(3) t(i) ORDER BY id')
    expect(big.warnings).toEqual([
      'column x reaches 16777218, and float32 rounds integers beyond 16777216: was the model trained on it so?',
    ])
    const flat = await attempt('SELECT i AS id, 0.5::FLOAT AS x FROM range(3) t(i) ORDER BY id')
    expect(flat.warnings).toEqual([
      'all 3 rows have the score 0.5: are the columns those that the model was trained on, in that order?',
    ])
  })
})

const x = tensorValue('x', 'float32', ['n', 1])
const y = tensorValue('y', 'float32', ['n', 1])
const some = (rows: number) => `SELECT i AS id, (i % 97 + 1)::FLOAT AS x FROM range(${rows}) t(i) ORDER BY id`
/** The value of a row less something over all rows of the call, kept above 0. */
const less = (op_type: string, rest: Partial<NodeProto> = {}) => [
  { op_type, input: ['x'], output: ['over'], attribute: [attribute.ints('axes', [0])], ...rest },
  { op_type: 'Sub', input: ['x', 'over'], output: ['difference'] },
  { op_type: 'Abs', input: ['difference'], output: ['y'] },
]

describe('a model whose scores depend on the rows beside them', () => {
  it.each([
    ['their mean', less('ReduceMean')],
    ['their largest', less('ReduceMax')],
    [
      'a softmax over rows',
      [{ op_type: 'Softmax', input: ['x'], output: ['y'], attribute: [attribute.int('axis', 0)] }],
    ],
    [
      'how many they are',
      [
        { op_type: 'Shape', input: ['x'], output: ['shape'] },
        {
          op_type: 'Cast',
          input: ['shape'],
          output: ['sizes'],
          attribute: [attribute.int('to', TENSOR.float32)],
        },
        { op_type: 'ReduceMax', input: ['sizes'], output: ['rows'] },
        { op_type: 'Add', input: ['x', 'rows'], output: ['y'] },
      ],
    ],
    [
      'the rows before them',
      [
        { op_type: 'Constant', output: ['axis'], attribute: [attribute.int('value_int', 0)] },
        { op_type: 'CumSum', input: ['x', 'axis'], output: ['y'] },
      ],
    ],
  ])('by %s is told', async (_, nodes) => {
    for (const rows of [2, 3, 500]) {
      const { dependence } = await attempt(some(rows), undefined, small([x], [y], nodes))
      expect(dependence).toContain('the score of a row depends on the rows that it is scored with: row ')
    }
  })

  it('is told where the mean has a weight of 1e-6, whatever the size of the scores', async () => {
    const faint = [
      {
        op_type: 'Constant',
        output: ['weight'],
        attribute: [attribute.float('value_float', 1e-6)],
      },
      {
        op_type: 'ReduceMean',
        input: ['x'],
        output: ['mean'],
        attribute: [attribute.ints('axes', [0]), attribute.int('keepdims', 1)],
      },
      { op_type: 'Mul', input: ['mean', 'weight'], output: ['share'] },
      { op_type: 'Add', input: ['x', 'share'], output: ['y'] },
    ]
    for (const rows of [20, 500]) {
      const { dependence } = await attempt(some(rows), undefined, small([x], [y], faint))
      expect(dependence).toMatch(
        /depends on the rows .* row \d+ has the score \S+ beside 6 rows, and \S+ beside 6 others/,
      )
    }
  })

  it('is told where the file fixes the rows of a call', async () => {
    const [five, fives] = [tensorValue('x', 'float32', [5, 1]), tensorValue('y', 'float32', [5, 1])]
    const { dependence } = await attempt(some(100), undefined, small([five], [fives], less('ReduceMean')))
    expect(dependence).toContain('depends on the rows')
  })

  it('is told apart from one that draws random numbers', async () => {
    const noise = [
      { op_type: 'RandomUniformLike', input: ['x'], output: ['noise'] },
      { op_type: 'Add', input: ['x', 'noise'], output: ['y'] },
    ]
    const { dependence } = await attempt(some(50), undefined, small([x], [y], noise))
    expect(dependence).toContain('the same rows get other scores each time that they are scored')
  })

  it('is not what a model is that computes each row by itself, nor one of a single row', async () => {
    const trees = forest({ trees: 20, depth: 5, features: 1 })
    expect((await attempt(some(1500), 1000, trees)).dependence).toBeUndefined()
    expect(
      (await attempt(some(1), undefined, small([x], [y], less('ReduceMean')))).dependence,
    ).toBeUndefined()
  })
})
