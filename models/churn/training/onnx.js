/**
 * Writes a logistic regression as an ONNX file: one float32 input [n, 1] a column, outputs `label` and `probabilities`.
 * Protocol buffers are few enough rules to write them by hand; the numbers of fields are those of onnx.proto.
 */

const FLOAT = 1
const INT64 = 7
const KIND = { float: 1, int: 2, string: 3, floats: 6, ints: 7 }

export function logisticModel({ mean, scale, weight, intercept }, columns) {
  const nodes = [
    node('Concat', columns, ['together'], [attribute('axis', 'int', 1)], ''),
    node(
      'Imputer',
      ['together'],
      ['whole'],
      [
        attribute('imputed_value_floats', 'floats', mean),
        attribute('replaced_value_float', 'float', Number.NaN),
      ],
    ),
    node(
      'Scaler',
      ['whole'],
      ['scaled'],
      [attribute('offset', 'floats', mean), attribute('scale', 'floats', scale)],
    ),
    node(
      'LinearClassifier',
      ['scaled'],
      ['label', 'probabilities'],
      [
        attribute('coefficients', 'floats', [...weight.map((each) => -each), ...weight]),
        attribute('intercepts', 'floats', [-intercept, intercept]),
        attribute('classlabels_ints', 'ints', [0, 1]),
        attribute('post_transform', 'string', 'LOGISTIC'),
        attribute('multi_class', 'int', 0),
      ],
    ),
  ]
  const graph = [
    ...nodes.map((each) => message(1, each)),
    text(2, 'logistic_regression'),
    ...columns.map((column) => message(11, value(column, FLOAT, [undefined, 1]))),
    message(12, value('label', INT64, [undefined])),
    message(12, value('probabilities', FLOAT, [undefined, 2])),
  ]
  return Buffer.concat([
    number(1, 8),
    text(2, 'models/churn/train.js'),
    message(7, graph),
    message(8, [text(1, ''), number(2, 15)]),
    message(8, [text(1, 'ai.onnx.ml'), number(2, 3)]),
  ])
}

function node(type, inputs, outputs, attributes, domain = 'ai.onnx.ml') {
  return [
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(3, type),
    text(4, type),
    ...attributes.map((each) => message(5, each)),
    text(7, domain),
  ]
}

function attribute(name, kind, value) {
  const written = {
    float: () => [float(2, value)],
    int: () => [number(3, value)],
    string: () => [text(4, value)],
    floats: () => value.map((each) => float(7, each)),
    ints: () => value.map((each) => number(8, each)),
  }
  return [text(1, name), ...written[kind](), number(20, KIND[kind])]
}

/** An input or output; a dimension without a number is the rows. */
function value(name, type, dimensions) {
  const shape = dimensions.map((size) => message(1, [size === undefined ? text(2, 'n') : number(1, size)]))
  return [text(1, name), message(2, [message(1, [number(1, type), message(2, shape)])])]
}

function varint(value) {
  const bytes = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}

const tag = (field, wire) => varint(field * 8 + wire)
const number = (field, value) => Buffer.concat([tag(field, 0), varint(value)])
const bytes = (field, content) => Buffer.concat([tag(field, 2), varint(content.length), content])
const text = (field, content) => bytes(field, Buffer.from(content))
const message = (field, parts) => bytes(field, Buffer.concat(parts))

function float(field, value) {
  const four = Buffer.alloc(4)
  four.writeFloatLE(value)
  return Buffer.concat([tag(field, 5), four])
}
