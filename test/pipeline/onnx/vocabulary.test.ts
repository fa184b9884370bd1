import { describe, expect, it } from 'vitest'
import { describeModel } from '../../../src/pipeline/onnx/inspect.ts'
import {
  encodeModel,
  type NodeProto,
  TENSOR,
  type TensorProto,
  type ValueInfoProto,
} from '../../../src/pipeline/onnx/proto.ts'
import { attribute, tensorValue } from './attribute.ts'
import { small } from './small.ts'

const ml = (op_type: string, input: string[], output: string[], attributes: NodeProto['attribute'] = []) => ({
  op_type,
  domain: 'ai.onnx.ml',
  input,
  output,
  attribute: attributes,
})
const texts = (name: string, values: string[], dims = [values.length]): TensorProto => ({
  name,
  dims,
  data_type: TENSOR.string,
  string_data: values.map((value) => Buffer.from(value)),
})
const integers = (name: string, values: number[]): TensorProto => ({
  name,
  dims: [values.length],
  data_type: TENSOR.int64,
  raw_data: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
})
const text = tensorValue('city', 'string', ['n', 1])
const matrix = tensorValue('x', 'float32', ['n', 3])
const out = [tensorValue('y', 'float32', ['n', 1])]
const oneHot = (from: string, more: NodeProto['attribute'] = []) =>
  ml('OneHotEncoder', [from], ['hot'], [attribute.strings('cats_strings', ['Bonn', 'Köln']), ...more])

function known(input: ValueInfoProto[], node: NodeProto[], initializer: TensorProto[] = []) {
  const model = small(input, out, node)
  return describeModel(encodeModel({ ...model, graph: { ...model.graph, initializer } })).vocabularies
}

describe('vocabularies', () => {
  it('are the categories of an encoder of texts', () => {
    expect(known([text], [oneHot('city')])).toEqual([
      { input: 'city', index: 0, steps: [], values: ['Bonn', 'Köln'], kind: 'encoder', refuses: false },
    ])
    expect(known([text], [oneHot('city', [attribute.int('zeros', 0)])])).toMatchObject([{ refuses: true }])
  })

  it.each([
    ['keys', [attribute.strings('keys_strings', ['a', 'b']), attribute.ints('values_int64s', [0, 1])]],
    ['classes of its first edition', [attribute.strings('classes_strings', ['a', 'b'])]],
    ['a tensor of keys', [{ name: 'keys_tensor', type: 4, t: texts('', ['a', 'b']) }]],
  ])('are the %s of a LabelEncoder', (_, attributes) => {
    expect(known([text], [ml('LabelEncoder', ['city'], ['code'], attributes)])).toMatchObject([
      { values: ['a', 'b'] },
    ])
  })

  it('are both lists of a CategoryMapper, by the type of what goes in', () => {
    const both = [attribute.strings('cats_strings', ['a', 'b']), attribute.ints('cats_int64s', [4, 5])]
    expect(known([text], [ml('CategoryMapper', ['city'], ['c'], both)])).toMatchObject([
      { values: ['a', 'b'] },
    ])
    const code = tensorValue('code', 'int64', ['n', 1])
    expect(known([code], [ml('CategoryMapper', ['code'], ['c'], both)])).toMatchObject([{ values: [4, 5] }])
  })

  it('are followed through what keeps columns apart', () => {
    const nodes = [
      { op_type: 'Concat', input: ['a', 'b'], output: ['both'], attribute: [attribute.int('axis', 1)] },
      { op_type: 'Identity', input: ['both'], output: ['same'] },
      ml('ArrayFeatureExtractor', ['same', 'second'], ['one']),
      { op_type: 'Reshape', input: ['one', 'shape'], output: ['flat'] },
      {
        op_type: 'StringNormalizer',
        input: ['flat'],
        output: ['low'],
        attribute: [attribute.string('case_change_action', 'LOWER')],
      },
      oneHot('low'),
    ]
    const [a, b] = [tensorValue('a', 'string', ['n', 1]), tensorValue('b', 'string', ['n', 1])]
    expect(known([a, b], nodes, [integers('second', [1]), integers('shape', [-1, 1])])).toMatchObject([
      { input: 'b', index: 0, steps: [{ step: 'lower' }], values: ['Bonn', 'Köln'] },
    ])
  })

  it('of integers in a matrix of floats are cut to integers first', () => {
    const nodes = [
      { op_type: 'Gather', input: ['x', 'third'], output: ['c'], attribute: [attribute.int('axis', 1)] },
      { op_type: 'Cast', input: ['c'], output: ['whole'], attribute: [attribute.int('to', TENSOR.int64)] },
      ml('OneHotEncoder', ['whole'], ['hot'], [attribute.ints('cats_int64s', [1, 2, 3])]),
    ]
    expect(known([matrix], nodes, [integers('third', [2])])).toMatchObject([
      { input: 'x', index: 2, steps: [{ step: 'integer' }, { step: 'integer' }], values: [1, 2, 3] },
    ])
  })

  it('of texts that integers are turned into are read as integers', () => {
    const code = tensorValue('city', 'int64', ['n', 1])
    const nodes = [
      { op_type: 'Cast', input: ['city'], output: ['t'], attribute: [attribute.int('to', TENSOR.string)] },
      ml('OneHotEncoder', ['t'], ['hot'], [attribute.strings('cats_strings', ['1', '2'])]),
    ]
    expect(known([code], nodes)).toMatchObject([
      { steps: [{ step: 'integer' }, { step: 'text' }], values: ['1', '2'] },
    ])
  })

  it('of texts that other numbers are turned into are read as the engine writes those', () => {
    const toText = {
      op_type: 'Cast',
      input: ['x'],
      output: ['t'],
      attribute: [attribute.int('to', TENSOR.string)],
    }
    for (const type of ['float32', 'float64', 'bool'] as const) {
      const found = known([tensorValue('x', type, ['n', 1])], [toText, oneHot('t')])
      expect(found).toMatchObject([{ steps: [{ step: 'digits' }], values: ['Bonn', 'Köln'] }])
    }
  })

  it('know what a null is replaced by on the way', () => {
    const nodes = [
      { op_type: 'Equal', input: ['city', 'empty'], output: ['is_empty'] },
      { op_type: 'Where', input: ['is_empty', 'none', 'city'], output: ['filled'] },
      oneHot('filled'),
    ]
    expect(known([text], nodes, [texts('empty', ['']), texts('none', ['Bonn'])])).toMatchObject([
      { steps: [{ step: 'replace', value: '', by: 'Bonn' }], values: ['Bonn', 'Köln'], kind: 'encoder' },
    ])
  })

  it('are the texts of a chain of comparisons, one by one or as a row', () => {
    const chain = ['Yes', 'No'].map((value) => ({
      op_type: 'Equal',
      input: ['city', value],
      output: [`is ${value}`],
    }))
    const expected = [{ input: 'city', values: ['Yes', 'No'], kind: 'comparison' }]
    expect(known([text], chain, [texts('Yes', ['Yes']), texts('No', ['No'], [])])).toMatchObject(expected)
    const row = [{ op_type: 'Equal', input: ['row', 'city'], output: ['hot'] }]
    expect(known([text], row, [texts('row', ['Yes', 'No'], [1, 2])])).toMatchObject(expected)
  })

  it('are left out where a column is mixed with others', () => {
    const mixed = { op_type: 'Reshape', input: ['pair', 'shape'], output: ['long'] }
    const pair = tensorValue('pair', 'string', ['n', 2])
    expect(known([pair], [mixed, oneHot('long')], [integers('shape', [-1, 1])])).toEqual([])
  })
})
