import { describe, expect, it } from 'vitest'
import { readModel, runnableBytes } from '../../../src/pipeline/onnx/graph.ts'
import {
  ATTRIBUTE,
  decodeModel,
  encodeModel,
  type GraphProto,
  type NodeProto,
  TENSOR,
  type TensorProto,
} from '../../../src/pipeline/onnx/proto.ts'
import { attribute, tensorValue } from './attribute.ts'
import { forest } from './forest.ts'
import { small } from './small.ts'

const x = tensorValue('x', 'float32', ['n', 1])
const y = tensorValue('y', 'float32', ['n', 1])
const external: TensorProto = {
  name: 'weights',
  dims: [1],
  data_type: TENSOR.float32,
  data_location: 1,
  external_data: [{ key: 'location', value: '../weights.bin' }],
}
const identity: NodeProto = { op_type: 'Identity', input: ['x'], output: ['y'] }
const holding = (graph: GraphProto): NodeProto => ({
  ...identity,
  op_type: 'If',
  attribute: [{ name: 'then_branch', type: ATTRIBUTE.graph, g: graph }],
})

describe('readModel', () => {
  it('reads a model that was written', () => {
    const { operators, zipMaps } = readModel(encodeModel(forest({ trees: 2, depth: 2, features: 3 })))
    expect([...operators]).toEqual(['TreeEnsembleClassifier'])
    expect(zipMaps).toEqual([])
  })

  it.each([
    ['an empty file', new Uint8Array()],
    ['text', Buffer.from('not a model at all, only words')],
    ['zeros', new Uint8Array(1000)],
    ['a truncated model', encodeModel(forest({ trees: 3, depth: 3, features: 3 })).subarray(0, 700)],
    ['a model without a graph', encodeModel({ ir_version: 8, opset_import: [{ domain: '', version: 17 }] })],
  ])('refuses %s as no ONNX model', (_, bytes) => {
    expect(() => readModel(bytes)).toThrow(
      /expected an ONNX model, got: (an empty file|\d+ bytes that begin with)/,
    )
  })

  it('refuses random bytes of any length without ending the process', () => {
    let state = 11
    for (let length = 1; length < 400; length++) {
      const bytes = Uint8Array.from({ length }, () => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0
        return state >>> 16
      })
      expect(() => readModel(bytes)).toThrow('expected an ONNX model')
    }
  })

  it.each([
    [
      'among the initializers',
      small([x], [y], [identity], {
        graph: { input: [x], output: [y], node: [identity], initializer: [external] },
      }),
    ],
    [
      'in a constant',
      small([x], [y], [{ ...identity, attribute: [{ name: 'value', type: ATTRIBUTE.tensor, t: external }] }]),
    ],
    ['in a branch', small([x], [y], [holding({ name: 'then', initializer: [external] })])],
    ['in a branch of a branch', small([x], [y], [holding({ node: [holding({ initializer: [external] })] })])],
    [
      'in a function',
      small([x], [y], [identity], {
        functions: [{ name: 'f', domain: 'own', node: [holding({ initializer: [external] })] }],
      }),
    ],
    [
      'in a sparse tensor',
      small([x], [y], [identity], { graph: { output: [y], sparse_initializer: [{ values: external }] } }),
    ],
  ])('refuses values kept in another file %s, and says how to save them', (_, model) => {
    expect(() => readModel(encodeModel(model))).toThrow(
      'tensor weights keeps its values outside of the file, in ../weights.bin: a version is one file. ' +
        'Save the model in one file: onnx.save(onnx.load(path), path, save_as_external_data=False)',
    )
  })

  it('refuses an operator of a domain that the engine does not have, with its node', () => {
    const custom: NodeProto = {
      ...identity,
      name: 'shout',
      op_type: 'StringUpper',
      domain: 'ai.onnx.contrib',
    }
    expect(() => readModel(encodeModel(small([x], [y], [custom])))).toThrow(
      'operator StringUpper of domain ai.onnx.contrib (node shout) is not included in ONNX Runtime',
    )
    expect(() => readModel(encodeModel(small([x], [y], [holding({ node: [custom] })])))).toThrow(
      'StringUpper',
    )
  })

  it('takes operators that the model defines itself', () => {
    const own = { name: 'Twice', domain: 'mine', input: ['a'], output: ['b'], node: [identity] }
    const call: NodeProto = { ...identity, op_type: 'Twice', domain: 'mine' }
    expect(readModel(encodeModel(small([x], [y], [call], { functions: [own] }))).operators).toContain('Twice')
    const other: NodeProto = { ...call, op_type: 'Thrice' }
    expect(() => readModel(encodeModel(small([x], [y], [other], { functions: [own] })))).toThrow(
      'operator Thrice of domain mine',
    )
  })
})

describe('runnableBytes', () => {
  it('gives a file without maps back as it is', () => {
    const bytes = encodeModel(forest({ trees: 1, depth: 1, features: 1 }))
    expect(runnableBytes(bytes)).toBe(bytes)
  })

  it('replaces a ZipMap by what goes into it, under the declared name, and keeps everything else', () => {
    const zipMap: NodeProto = {
      op_type: 'ZipMap',
      domain: 'ai.onnx.ml',
      input: ['x'],
      output: ['y'],
      attribute: [attribute.ints('classlabels_int64s', [3, 5])],
    }
    const model = small([x], [y], [zipMap], {
      opset_import: [{ domain: 'ai.onnx.ml', version: 3 }],
      producer_name: 'test',
    })
    const unknown = Buffer.from([0xda, 0x0c, 0x02, 0x68, 0x69]) // Field 203, which our schema does not know: "hi".
    const bytes = Buffer.concat([encodeModel(model), unknown])
    expect(readModel(bytes).zipMaps).toMatchObject([{ output: 'y', classes: [3, 5] }])
    const cut = runnableBytes(bytes)
    const { graph, opset_import, producer_name } = decodeModel(cut)
    expect(graph?.node).toMatchObject([
      { op_type: 'Identity', domain: '', input: ['x'], output: ['y'], attribute: [] },
    ])
    expect(graph?.output).toMatchObject([{ name: 'y', type: { tensor_type: { elem_type: TENSOR.float32 } } }])
    expect(opset_import).toHaveLength(2)
    expect(producer_name).toBe('test')
    expect(Buffer.from(cut).includes(unknown)).toBe(true)
  })
})

describe('encodeModel', () => {
  it('writes what it read, byte for byte', () => {
    const bytes = encodeModel(forest({ trees: 3, depth: 3, features: 5 }))
    expect(Buffer.from(encodeModel(decodeModel(bytes))).equals(bytes)).toBe(true)
  })

  it('names a field of a wrong type', () => {
    const wrong = JSON.parse('{"graph": {"node": [{"op_type": 7}]}}')
    expect(() => encodeModel(wrong)).toThrow('expected an ONNX model, got a wrong field: graph.node.op_type')
  })
})
