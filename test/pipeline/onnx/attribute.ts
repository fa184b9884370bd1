import {
  ATTRIBUTE,
  type AttributeProto,
  TENSOR,
  type ValueInfoProto,
} from '../../../src/pipeline/onnx/proto.ts'

/** Node attributes for graphs that are built here: `attribute.ints('nodes_treeids', [0, 0, 1])`. */
export const attribute = {
  int: (name: string, i: number): AttributeProto => ({ name, type: ATTRIBUTE.int, i }),
  ints: (name: string, ints: number[]): AttributeProto => ({ name, type: ATTRIBUTE.ints, ints }),
  float: (name: string, f: number): AttributeProto => ({ name, type: ATTRIBUTE.float, f }),
  floats: (name: string, floats: number[]): AttributeProto => ({ name, type: ATTRIBUTE.floats, floats }),
  string: (name: string, text: string): AttributeProto => ({ name, type: ATTRIBUTE.string, s: utf8(text) }),
  strings: (name: string, texts: string[]): AttributeProto => ({
    name,
    type: ATTRIBUTE.strings,
    strings: texts.map(utf8),
  }),
}

/** An input or output of a graph: a tensor whose shape mixes sizes with names of free dimensions (`['n', 10]`). */
export function tensorValue(
  name: string,
  type: keyof typeof TENSOR,
  shape: (number | string)[],
): ValueInfoProto {
  const dim = shape.map((size) => (typeof size === 'number' ? { dim_value: size } : { dim_param: size }))
  return { name, type: { tensor_type: { elem_type: TENSOR[type], shape: { dim } } } }
}

const encoder = new TextEncoder()

function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}
