import type { ModelOutput } from '../../../src/pipeline/onnx/inspect.ts'
import { type MappingRequest, planMapping } from '../../../src/pipeline/onnx/mapping.ts'
import type { ModelValue } from '../../../src/pipeline/onnx/model-value.ts'

export const input = (name: string, type: string, shape: ModelValue['shape']): ModelValue => ({
  name,
  type,
  shape,
})

export const output = (
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

export const probability = output('probabilities', 'float32', ['n', 2], [0, 1])

export const label = output('label', 'int64', ['n'])

export const columns = (...types: [string, string][]) => types.map(([name, type]) => ({ name, type }))

export function plan(
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

export const matrix = input('features', 'float32', ['n', 2])

export const a = input('a', 'float32', ['n', 1])

export const b = input('b', 'float64', ['n'])
