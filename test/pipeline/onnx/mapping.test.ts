import { describe, expect, it } from 'vitest'
import { a, b, columns, input, label, matrix, plan, probability } from './mapping-case.ts'

describe('planMapping: inputs', () => {
  it('feeds all columns into one matrix in their declared order', () => {
    expect(plan([matrix], [probability]).inputs).toEqual([
      {
        name: 'features',
        element: 'float32',
        shape: 'matrix',
        columns: [
          { name: 'a', type: 'FLOAT', fill: null },
          { name: 'b', type: 'DOUBLE', fill: null },
        ],
      },
    ])
  })

  it('feeds one input per column by name, whatever the order', () => {
    const { inputs, warnings } = plan([b, a], [probability])
    expect(
      inputs.map(({ name, element, shape, columns: [column] }) => [name, element, shape, column?.name]),
    ).toEqual([
      ['b', 'float64', 'vector', 'b'],
      ['a', 'float32', 'column', 'a'],
    ])
    expect(warnings).toEqual([])
  })

  it('renames by onnx.inputs', () => {
    const renamed = plan([a, input('input_2', 'float32', ['n', 1])], [probability], {
      onnx: { inputs: { input_2: 'b' } },
    })
    expect(renamed.inputs[1]).toMatchObject({ name: 'input_2', columns: [{ name: 'b' }] })
    const only = plan([input('x', 'float32', ['n', 1])], [probability], { onnx: { inputs: { x: 'b' } } })
    expect(only.inputs).toMatchObject([{ name: 'x', columns: [{ name: 'b' }] }])
    expect(only.warnings).toEqual(['column a of the view is not used by any input of the model'])
  })

  it('takes the one column of a model with one narrow input', () => {
    const one = { inputs: columns(['other', 'FLOAT']) }
    expect(plan([input('x', 'float32', ['n', 1])], [probability], one).inputs).toMatchObject([
      { shape: 'matrix', columns: [{ name: 'other' }] },
    ])
    expect(plan([input('x', 'float32', ['n'])], [probability], one).inputs).toMatchObject([
      { shape: 'vector' },
    ])
  })

  it('keeps the fill of the view', () => {
    const { inputs } = plan([input('plan', 'string', ['n', 1])], [probability], {
      inputs: columns(['plan', 'VARCHAR']),
      fill: { plan: 'none' },
    })
    expect(inputs[0]?.columns).toEqual([{ name: 'plan', type: 'VARCHAR', fill: 'none' }])
  })

  it('warns of a width that the file leaves open and of a number of rows that it fixes', () => {
    const { batch, warnings } = plan([input('features', 'float32', [3, null])], [probability])
    expect(batch).toBe(3)
    expect(warnings).toEqual([
      'input features (float32 [3, ?]) does not declare its number of columns: it gets 2',
      'the file fixes the number of rows of a call at 3: scoring goes 3 by 3, which is slow. Export it with a free first dimension',
    ])
  })

  it.each([
    ['FLOAT', 'float32'],
    ['DOUBLE', 'float32'],
    ['DECIMAL(18,3)', 'float64'],
    ['BIGINT', 'float32'],
    ['BOOLEAN', 'float32'],
    ['INTEGER', 'int64'],
    ['UBIGINT', 'int64'],
    ['HUGEINT', 'int64'],
    ['DECIMAL(9,0)', 'int32'],
    ['BOOLEAN', 'int32'],
    ['BOOLEAN', 'bool'],
    ['VARCHAR', 'string'],
  ])('feeds %s into %s', (type, element) => {
    const { inputs } = plan([input('x', element, ['n', 1])], [probability], { inputs: columns(['x', type]) })
    expect(inputs).toMatchObject([{ element, columns: [{ type }] }])
  })

  it.each([
    [
      'VARCHAR',
      'float32',
      "input x (float32): column x is VARCHAR, expected a number: encode it in features.sql, such as (x = 'a')::FLOAT, or export the model with a string input",
    ],
    [
      'DOUBLE',
      'int64',
      'input x (int64): column x is DOUBLE, expected an integer: round it in features.sql, such as round(x)::BIGINT',
    ],
    ['DECIMAL(9,2)', 'int32', 'round(x)::INTEGER'],
    ['VARCHAR', 'int32', 'column x is VARCHAR, expected an integer'],
    [
      'INTEGER',
      'bool',
      'column x is INTEGER, expected BOOLEAN: write the condition in features.sql, such as x > 0',
    ],
    ['INTEGER', 'string', 'column x is INTEGER, expected VARCHAR'],
    ['BOOLEAN', 'string', 'column x is BOOLEAN, expected VARCHAR'],
    [
      'DATE',
      'float32',
      "column x is DATE: models do not accept times. Convert it to a number in features.sql, such as date_diff('day', x, $as_of)",
    ],
    ['TIMESTAMP WITH TIME ZONE', 'int64', 'models do not accept times'],
    ['INTEGER[]', 'float32', 'column x is INTEGER[], expected a number'],
    [
      'FLOAT',
      'float16',
      'input x (float16 [n, 1]): cannot feed a tensor of type float16; legal types: float32, float64, int32, int64, bool, string. Export the model with one of these',
    ],
    ['FLOAT', 'uint8', 'cannot feed a tensor of type uint8'],
  ])('refuses %s for %s and says what to do', (type, element, message) => {
    expect(() =>
      plan([input('x', element, ['n', 1])], [probability], { inputs: columns(['x', type]) }),
    ).toThrow(message)
  })

  it.each([
    [
      'a matrix of another width',
      [input('features', 'float32', ['n', 10])],
      {},
      "input features (float32 [n, 10]) expects 10 columns, the model's inputs give 2: a, b. Name the 10 it was trained on, in that order, under `inputs:` in model.yaml",
    ],
    [
      'a missing column',
      [a, input('bb', 'float32', ['n', 1])],
      {},
      "no column for the model's input bb (did you mean b?); columns that go nowhere: b. Where names differ, write in model.yaml: onnx: { inputs: { bb: <column> } }",
    ],
    [
      'missing columns',
      [input('tenure', 'float32', ['n', 1]), input('height of it', 'float32', ['n', 1])],
      {},
      "no column for the model's inputs tenure, height of it; columns that go nowhere: a, b",
    ],
    [
      'an unknown input in onnx.inputs',
      [a, b],
      { onnx: { inputs: { aa: 'a' } } },
      'onnx.inputs: the model has no input aa (did you mean a?); it has: a, b',
    ],
    [
      'an unknown column in onnx.inputs',
      [a, b],
      { onnx: { inputs: { a: 'aa' } } },
      'onnx.inputs.a: no column aa (did you mean a?); there are: a, b',
    ],
    [
      'several matrices',
      [matrix, input('texts', 'string', ['n', 3])],
      {},
      'the model has 2 inputs, and features (float32 [n, 2]), texts (string [n, 3]) take several columns: expected one input for all columns, or one input [rows, 1] per column',
    ],
    [
      'three dimensions',
      [input('image', 'float32', ['n', 2, 2])],
      {},
      'input image (float32 [n, 2, 2]) has 3 dimensions, expected [rows, columns] or [rows]',
    ],
    ['no inputs', [], {}, 'the model has no inputs: its output is the same for every row'],
    [
      'different fixed rows',
      [input('a', 'float32', [1, 1]), input('b', 'float32', [2, 1])],
      {},
      'the inputs expect different numbers of rows: a (float32 [1, 1]), b (float32 [2, 1])',
    ],
    [
      'a fill of another type',
      [a, b],
      { fill: { a: 'none' } },
      'fill of column a for input a (float32): expected a number, got: "none"',
    ],
    [
      'a fraction as the fill of an integer',
      [input('a', 'int64', ['n', 1])],
      { inputs: columns(['a', 'BIGINT']), fill: { a: 0.5 } },
      'fill of column a for input a (int64): expected an integer, got: 0.5',
    ],
  ])('refuses %s', (_, inputs, request, message) => {
    expect(() => plan(inputs, [probability], request)).toThrow(message)
  })

  it('lists everything that does not fit at once', () => {
    const wrong = () =>
      plan([a, input('b', 'int64', ['n', 1])], [label], { inputs: columns(['a', 'DATE'], ['b', 'FLOAT']) })
    expect(wrong).toThrow(/column a is DATE[\s\S]*column b is FLOAT[\s\S]*the model gives no score/)
  })
})
