import type { ModelProto, NodeProto, ValueInfoProto } from '../../../src/pipeline/onnx/proto.ts'

/** A model around the given nodes, for tests that need one of a special shape. */
export function small(
  input: ValueInfoProto[],
  output: ValueInfoProto[],
  node: NodeProto[],
  rest: Partial<ModelProto> = {},
): ModelProto {
  return {
    ir_version: 8,
    opset_import: [
      { domain: '', version: 17 },
      { domain: 'ai.onnx.ml', version: 3 },
    ],
    graph: { name: 'small', input, output, node },
    ...rest,
  }
}
