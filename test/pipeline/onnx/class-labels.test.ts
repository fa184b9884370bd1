import { expect, it } from 'vitest'
import { labelsOfOutput } from '../../../src/pipeline/onnx/class-labels.ts'
import { type NodeProto, TENSOR, type TensorProto } from '../../../src/pipeline/onnx/proto.ts'
import { attribute, tensorValue } from './attribute.ts'

const classifier: NodeProto = {
  op_type: 'LinearClassifier',
  domain: 'ai.onnx.ml',
  input: ['x'],
  output: ['label', 'raw'],
  attribute: [attribute.ints('classlabels_ints', [0, 1])],
}

function labels(node: NodeProto[], initializer: TensorProto[] = [], returned = 'none') {
  return labelsOfOutput(
    {
      node,
      initializer,
      input: [tensorValue('x', 'float32', ['n', 2])],
      output: [tensorValue(returned, 'int64', ['n'])],
    },
    'p',
    2,
  )
}

it('are those of the classifier that gives the output', () => {
  const normalizer = { op_type: 'Normalizer', domain: 'ai.onnx.ml', input: ['raw'], output: ['p'] }
  expect(labels([classifier, normalizer])).toEqual([0, 1])
  expect(labels([{ ...classifier, output: ['label', 'p'] }])).toEqual([0, 1])
})

it('are not those of a classifier whose scores the model goes on computing with', () => {
  const further = { op_type: 'MatMul', input: ['raw', 'w'], output: ['p'] }
  expect(labels([classifier, further])).toBeNull()
  expect(labels([{ ...classifier, output: ['p', 'raw'] }])).toBeNull()
})

it('are those in which the file looks the highest column up', () => {
  const nodes = [
    { op_type: 'Sigmoid', input: ['x'], output: ['s'] },
    { op_type: 'Identity', input: ['s'], output: ['p'] },
    { op_type: 'ArgMax', input: ['s'], output: ['best'], attribute: [attribute.int('axis', 1)] },
    { op_type: 'Reshape', input: ['best', 'shape'], output: ['row'] },
    { op_type: 'ArrayFeatureExtractor', domain: 'ai.onnx.ml', input: ['names', 'row'], output: ['label'] },
  ]
  const names = {
    name: 'names',
    data_type: TENSOR.string,
    dims: [2],
    string_data: [Buffer.from('Attrited'), Buffer.from('Existing')],
  }
  expect(labels(nodes, [names])).toEqual(['Attrited', 'Existing'])
  const raw = new Uint8Array(BigInt64Array.of(1n, -2n).buffer)
  expect(labels(nodes, [{ name: 'names', data_type: TENSOR.int64, dims: [2], raw_data: raw }])).toEqual([
    1, -2,
  ])
})

it('are the places of the columns where the file returns the highest of them as its label', () => {
  const nodes = (axis: number) => [
    { op_type: 'Identity', input: ['x'], output: ['p'] },
    { op_type: 'ArgMax', input: ['p'], output: ['label'], attribute: [attribute.int('axis', axis)] },
  ]
  expect(labels(nodes(1), [], 'label')).toEqual([0, 1])
  expect(labels(nodes(1))).toBeNull()
  expect(labels(nodes(0), [], 'label')).toBeNull()
})
