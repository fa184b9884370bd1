import { type GraphProto, int64ToNumber, type NodeProto, TENSOR, type TensorProto } from './proto.ts'

/** Values that a file holds itself: texts, numbers, or truth values as 0 and 1. */
export interface Constant {
  values: (string | number)[]
  dims: number[]
}

/** The values of a tensor; undefined for element types that no column is compared with. */
export function readTensor(tensor: TensorProto): Constant | undefined {
  const values = valuesOf(tensor)
  return values && { values, dims: (tensor.dims ?? []).map(int64ToNumber) }
}

/** Initializers and Constant nodes of a graph by name. What is large (weights) is read only when it is asked for. */
export function constantsOf(graph: GraphProto): (name: string | undefined) => Constant | undefined {
  const tensors = new Map<string, () => Constant | undefined>()
  for (const tensor of graph.initializer ?? []) {
    if (tensor.name) tensors.set(tensor.name, () => readTensor(tensor))
  }
  for (const node of graph.node ?? []) {
    const [output] = node.output ?? []
    if (node.op_type === 'Constant' && output) tensors.set(output, () => readConstant(node))
  }
  return (name) => (name === undefined ? undefined : tensors.get(name)?.())
}

function readConstant(node: NodeProto): Constant | undefined {
  const [value] = node.attribute ?? []
  switch (value?.name) {
    case 'value':
      return value.t ? readTensor(value.t) : undefined
    case 'value_string':
      return { values: [text(value.s ?? new Uint8Array())], dims: [] }
    case 'value_strings':
      return list((value.strings ?? []).map(text))
    case 'value_int':
      return { values: [int64ToNumber(value.i)], dims: [] }
    case 'value_ints':
      return list((value.ints ?? []).map(int64ToNumber))
    case 'value_float':
      return { values: [value.f ?? 0], dims: [] }
    case 'value_floats':
      return list(value.floats ?? [])
    default:
      return undefined
  }
}

function list(values: (string | number)[]): Constant {
  return { values, dims: [values.length] }
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}

function valuesOf(tensor: TensorProto): (string | number)[] | undefined {
  const raw = tensor.raw_data
  const packed = raw !== undefined && raw.length > 0
  switch (tensor.data_type) {
    case TENSOR.string:
      return (tensor.string_data ?? []).map(text)
    case TENSOR.int64:
      return packed
        ? Array.from(new BigInt64Array(aligned(raw)), Number)
        : (tensor.int64_data ?? []).map(int64ToNumber)
    case TENSOR.int32:
      return packed ? [...new Int32Array(aligned(raw))] : (tensor.int32_data ?? [])
    case TENSOR.bool:
      return packed ? [...raw] : (tensor.int32_data ?? [])
    case TENSOR.float32:
      return packed ? [...new Float32Array(aligned(raw))] : (tensor.float_data ?? [])
    case TENSOR.float64:
      return packed ? [...new Float64Array(aligned(raw))] : (tensor.double_data ?? [])
    default:
      return undefined
  }
}

/** A copy that begins where its numbers may begin; the format is little-endian, as are the machines that score. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy.buffer
}
