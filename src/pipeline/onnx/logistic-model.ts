import {
  ATTRIBUTE,
  type AttributeProto,
  encodeModel,
  type GraphProto,
  type NodeProto,
  TENSOR,
  type ValueInfoProto,
} from './proto.ts'

/** A logistic regression over standardised columns, missing values at the column's mean. */
export interface Logistic {
  /** What stands in for a missing value; also what is subtracted (float32). */
  mean: number[]
  /** 1 / standard deviation (float32), 0 for a column of one value. */
  scale: number[]
  /** Per standardised column (float32). */
  weight: number[]
  intercept: number
}

/**
 * Logistic regression as an ONNX file with one input a column, float32 [n, 1], named like it: missing values to the
 * mean, standardised, then the linear part. The same outputs, without the ZipMap that many converters append.
 */
export function logisticModel(fitted: Logistic, columns: string[], producer: string): Uint8Array {
  return classifierModel(producer, {
    name: 'logistic_regression',
    input: columns.map((column) => matrix(column, 1)),
    node: [
      node('Concat', columns, ['together'], [int('axis', 1)], ''),
      node(
        'Imputer',
        ['together'],
        ['whole'],
        [floats('imputed_value_floats', fitted.mean), float('replaced_value_float', Number.NaN)],
      ),
      node('Scaler', ['whole'], ['scaled'], [floats('offset', fitted.mean), floats('scale', fitted.scale)]),
      node(
        'LinearClassifier',
        ['scaled'],
        ['label', 'probabilities'],
        [
          floats('coefficients', [...fitted.weight.map((weight) => -weight), ...fitted.weight]),
          floats('intercepts', [-fitted.intercept, fitted.intercept]),
          ints('classlabels_ints', [0, 1]),
          text('post_transform', 'LOGISTIC'),
          int('multi_class', 0),
        ],
      ),
    ],
  })
}

const OUTPUTS = [
  { name: 'label', type: tensor(TENSOR.int64, [{ dim_param: 'n' }]) },
  { name: 'probabilities', type: tensor(TENSOR.float32, [{ dim_param: 'n' }, { dim_value: 2 }]) },
]

/** A model of two classes with the outputs `label` int64 [n] and `probabilities` float32 [n, 2]. */
export function classifierModel(producer: string, graph: Omit<GraphProto, 'output'>): Uint8Array {
  return encodeModel({
    ir_version: 8,
    producer_name: producer,
    opset_import: [
      { domain: '', version: 15 },
      { domain: 'ai.onnx.ml', version: 3 },
    ],
    graph: { ...graph, output: OUTPUTS },
  })
}

export function node(
  op_type: string,
  input: string[],
  output: string[],
  attribute: AttributeProto[],
  domain = 'ai.onnx.ml',
): NodeProto {
  return { name: op_type, op_type, domain, input, output, attribute }
}

/** An input float32 [n, width]. */
export function matrix(name: string, width: number): ValueInfoProto {
  return { name, type: tensor(TENSOR.float32, [{ dim_param: 'n' }, { dim_value: width }]) }
}

function tensor(elem_type: number, dim: { dim_value?: number; dim_param?: string }[]) {
  return { tensor_type: { elem_type, shape: { dim } } }
}

const bytes = (value: string) => new TextEncoder().encode(value)
export const int = (name: string, i: number): AttributeProto => ({ name, type: ATTRIBUTE.int, i })
export const ints = (name: string, values: number[]): AttributeProto => ({
  name,
  type: ATTRIBUTE.ints,
  ints: values,
})
export const float = (name: string, f: number): AttributeProto => ({ name, type: ATTRIBUTE.float, f })
export const floats = (name: string, values: number[]): AttributeProto => ({
  name,
  type: ATTRIBUTE.floats,
  floats: values,
})
export const text = (name: string, s: string): AttributeProto => ({
  name,
  type: ATTRIBUTE.string,
  s: bytes(s),
})
export const strings = (name: string, values: string[]): AttributeProto => ({
  name,
  type: ATTRIBUTE.strings,
  strings: values.map(bytes),
})
