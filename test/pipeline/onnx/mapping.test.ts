import { describe, expect, it } from 'vitest'
import type { ModelOutput } from '../../../src/pipeline/onnx/inspect.ts'
import { type MappingRequest, planMapping } from '../../../src/pipeline/onnx/mapping.ts'
import type { ModelValue } from '../../../src/pipeline/onnx/model-value.ts'

const input = (name: string, type: string, shape: ModelValue['shape']): ModelValue => ({ name, type, shape })
const output = (
  name: string,
  type: string,
  shape: ModelValue['shape'],
  classes: ModelOutput['classes'] = null,
): ModelOutput => ({
  name,
  type,
  shape,
  classes,
})
const probability = output('probabilities', 'float32', ['n', 2], [0, 1])
const label = output('label', 'int64', ['n'])
const columns = (...types: [string, string][]) => types.map(([name, type]) => ({ name, type }))

function plan(
  inputs: ModelValue[],
  outputs: ModelOutput[],
  {
    onnx,
    ...request
  }: Partial<Omit<MappingRequest, 'onnx'>> & { onnx?: Partial<MappingRequest['onnx']> } = {},
) {
  return planMapping(
    { inputs, outputs, zipMap: false, vocabularies: [] },
    {
      inputs: columns(['a', 'FLOAT'], ['b', 'DOUBLE']),
      onnx: { output: undefined, class: undefined, unknown: [], inputs: {}, ...onnx },
      score: { column: 'p', min: 0, max: 1, threshold: undefined },
      fill: {},
      ...request,
    },
  )
}

const matrix = input('features', 'float32', ['n', 2])
const a = input('a', 'float32', ['n', 1])
const b = input('b', 'float64', ['n'])

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

describe('planMapping: output', () => {
  it.each([
    [
      'class 1 of two',
      [label, probability],
      {},
      { name: 'probabilities', class: 1, label: 1, choice: 'inferred' },
    ],
    [
      'class 1 of two with its label',
      [output('p', 'float32', ['n', 2], ['no', 'yes'])],
      {},
      { name: 'p', class: 1, label: 'yes' },
    ],
    [
      'the class that says yes, wherever it stands',
      [output('p', 'float32', ['n', 2], ['YES', 'No'])],
      {},
      { name: 'p', class: 0, label: 'YES' },
    ],
    ['true', [output('p', 'float32', ['n', null], ['True', 'False'])], {}, { class: 0, label: 'True' }],
    ['a 1 that is a text', [output('p', 'float32', ['n', 2], ['1', '0'])], {}, { class: 0, label: '1' }],
    [
      'the class that is named by its label',
      [output('p', 'float32', ['n', 2], ['Attrited', 'Existing'])],
      { class: 'Attrited' },
      { class: 0, label: 'Attrited', choice: 'declared' },
    ],
    [
      'a label in another letter case',
      [output('p', 'float32', ['n', 2], ['False', 'Maybe'])],
      { class: 'false' },
      { class: 0 },
    ],
    ['an index of named classes', [output('p', 'float32', ['n', 2], ['x', 'y'])], { class: 1 }, { class: 1 }],
    [
      'a number that is a label alone',
      [output('p', 'float32', ['n', 2], [1, 2])],
      { class: 2 },
      { class: 1, label: 2 },
    ],
    [
      'a number as a text for its label',
      [output('p', 'float32', ['n', 2], [1, 2])],
      { class: '1' },
      { class: 0, label: 1 },
    ],
    ['a regression of one column', [output('y', 'float32', ['n', 1])], {}, { name: 'y', class: null }],
    ['a regression of a plain vector', [output('y', 'float64', ['n'])], {}, { name: 'y', class: null }],
    [
      'the probabilities among several',
      [output('margin', 'float32', ['n', 2]), probability],
      {},
      { name: 'probabilities', class: 1 },
    ],
    ['the class that is named', [output('p', 'float32', ['n', 3])], { class: 2 }, { class: 2 }],
    [
      'the output and class that are named',
      [output('u', 'float32', ['n', 2]), output('v', 'float32', ['n', 2])],
      { output: 'u', class: 0 },
      { name: 'u', class: 0 },
    ],
    ['a named class of an open shape', [output('p', 'float32', null)], { class: 0 }, { class: 0 }],
  ])('takes %s', (_, outputs, onnx, expected) => {
    expect(plan([matrix], outputs, { onnx }).output).toMatchObject(expected)
  })

  it.each([
    [
      'labels alone',
      [label],
      {},
      'the model gives no score, only: label (int64 [n]). A label alone has no threshold and no drift: export the model with its probabilities',
    ],
    [
      'several candidates',
      [output('u', 'float32', ['n', 2]), output('v w', 'float32', ['n'])],
      {},
      'several outputs could be the score: u (float32 [n, 2]), v w (float32 [n]). Write one in model.yaml: onnx: { output: u } or onnx: { output: "v w" }',
    ],
    [
      'three classes',
      [output('p', 'float32', ['n', 3], ['a', 'b', 'c'])],
      {},
      'output p (float32 [n, 3]) has 3 classes: a, b, c. These names do not say which is the score: write in model.yaml the one whose probability it is: onnx: { output: p, class: a } or onnx: { output: p, class: b } or onnx: { output: p, class: c }',
    ],
    [
      'two classes whose names leave a doubt',
      [output('p', 'float32', ['n', 2], ['Attrited Customer', 'Existing'])],
      {},
      'write in model.yaml the one whose probability it is: onnx: { output: p, class: Attrited Customer } or onnx: { output: p, class: Existing }',
    ],
    [
      'the labels 1 and 2',
      [output('p', 'float32', ['n', 2], [1, 2])],
      {},
      'has 2 classes: 1, 2. These names do not say which is the score: write in model.yaml the one whose probability it is: onnx: { output: p, class: "1" } or onnx: { output: p, class: "2" }',
    ],
    [
      'the labels -1 and 1',
      [output('p', 'float32', ['n', 2], [-1, 1])],
      {},
      'onnx: { output: p, class: "-1" } or onnx: { output: p, class: 1 }',
    ],
    [
      'labels of which only one is plain',
      [output('p', 'float32', ['n', 2], ['no', '1'])],
      {},
      'onnx: { output: p, class: "no" } or onnx: { output: p, class: "1" }',
    ],
    [
      'two columns without labels',
      [output('p', 'float32', ['n', 2])],
      {},
      'has 2 classes, and the file does not say which is which: write in model.yaml the index of the one whose probability is the score: onnx: { output: p, class: 0 } or onnx: { output: p, class: 1 }',
    ],
    [
      'labels of another number of columns',
      [output('p', 'float32', ['n', 3], [0, 1])],
      {},
      'output p (float32 [n, 3]) has 3 classes, and the file does not say which is which',
    ],
    [
      'a number that is one class by index and another by label',
      [output('p', 'float32', ['n', 2], [1, 2])],
      { class: 1 },
      'onnx.class: output p (float32 [n, 2]): 1 is the index of class 2 and the label of another: write the label as a text, class: "2" or class: "1"',
    ],
    [
      'an unknown class',
      [output('p', 'float32', ['n', 2], ['Attrited', 'Existing'])],
      { class: 'Existng' },
      'expected one of the classes Attrited, Existing, got: "Existng" (did you mean Existing?)',
    ],
    [
      'a label where the file names none',
      [output('p', 'float32', ['n', 2])],
      { class: 'yes' },
      'the file does not name its classes: expected an index from 0 to 1, got: "yes"',
    ],
    [
      'an open width',
      [output('p', 'float32', ['n', null])],
      {},
      'output p (float32 [n, ?]) does not say how many values a row it gives: write in model.yaml onnx: { output: p, class: 1 }, or class: 0 for the only one',
    ],
    [
      'an unknown output',
      [label, probability],
      { output: 'probabilties' },
      'onnx.output: the model has no output probabilties (did you mean probabilities?); it has: label (int64 [n]), probabilities (float32 [n, 2])',
    ],
    [
      'a named label',
      [label, probability],
      { output: 'label' },
      'onnx.output: label (int64 [n]) is no score, expected float32 or float64, such as: probabilities (float32 [n, 2])',
    ],
    [
      'a class out of range',
      [probability],
      { class: 2 },
      'onnx.class: output probabilities (float32 [n, 2]): expected one of the classes 0, 1, by label or index, got: 2',
    ],
    [
      'a class of a single value',
      [output('y', 'float32', ['n', 1])],
      { class: 1 },
      'onnx.class: output y (float32 [n, 1]) has one value a row, got: 1. Leave `class` out',
    ],
    [
      'three dimensions',
      [output('p', 'float32', ['n', 2, 2])],
      {},
      'output p (float32 [n, 2, 2]) has more than two dimensions, expected [n], [n, 1] or [n, classes]',
    ],
  ])('refuses %s', (_, outputs, onnx, message) => {
    expect(() => plan([matrix], outputs, { onnx })).toThrow(message)
  })

  it('warns where a probability has no bounds', () => {
    const unbounded = plan([matrix], [probability], {
      score: { column: 'p', min: 0, max: undefined, threshold: undefined },
    })
    expect(unbounded.warnings).toEqual([
      'the score is the probability of a class, but model.yaml does not limit it: write score: { min: 0, max: 1 }',
    ])
  })

  it('plans plain data: the same after a trip through JSON', () => {
    const mapping = plan([matrix], [label, probability])
    expect(JSON.parse(JSON.stringify(mapping))).toEqual(mapping)
  })
})
