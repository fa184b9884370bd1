import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { describeModel, inspectModel } from '../../../src/pipeline/onnx/inspect.ts'
import { encodeModel, type NodeProto, TENSOR } from '../../../src/pipeline/onnx/proto.ts'
import { attribute, tensorValue } from './attribute.ts'
import { forest } from './forest.ts'
import { small } from './small.ts'

const folder = mkdtempSync(join(tmpdir(), 'nightshift-inspect-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function stored(bytes: Uint8Array): string {
  const path = join(folder, 'model.onnx')
  writeFileSync(path, bytes)
  return path
}

const x = tensorValue('x', 'float32', ['n', 2])
const y = tensorValue('y', 'float32', ['n', 2])
const identity: NodeProto = { op_type: 'Identity', input: ['x'], output: ['y'] }

describe('inspectModel', () => {
  it('tells what a file takes, gives and is', async () => {
    const bytes = encodeModel(forest({ trees: 3, depth: 2, features: 4 }))
    expect(await inspectModel(stored(bytes))).toEqual({
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
      producer: 'nightshift-test',
      opsets: [
        { domain: 'ai.onnx', version: 17 },
        { domain: 'ai.onnx.ml', version: 3 },
      ],
      inputs: [{ name: 'features', type: 'float32', shape: ['batch', 4] }],
      outputs: [
        { name: 'label', type: 'int64', shape: ['batch'], classes: null },
        { name: 'probabilities', type: 'float32', shape: ['batch', 2], classes: [0, 1] },
      ],
      zipMap: false,
      vocabularies: [],
      warnings: [],
    })
  })

  it('tells the labels of a ZipMap and a tensor in its place', async () => {
    const zipMap: NodeProto = {
      op_type: 'ZipMap',
      domain: 'ai.onnx.ml',
      input: ['x'],
      output: ['p'],
      attribute: [attribute.strings('classlabels_strings', ['nein', 'schön'])],
    }
    const map = { key_type: TENSOR.string, value_type: { tensor_type: { elem_type: TENSOR.float32 } } }
    const output = { name: 'p', type: { sequence_type: { elem_type: { map_type: map } } } }
    const facts = await inspectModel(stored(encodeModel(small([x], [output], [zipMap]))))
    expect(facts.zipMap).toBe(true)
    expect(facts.outputs).toEqual([
      { name: 'p', type: 'float32', shape: ['rows', 2], classes: ['nein', 'schön'] },
    ])
  })

  it('takes initializers that are listed among the inputs for what they are', () => {
    const constant = { name: 'w', dims: [2], data_type: TENSOR.float32, float_data: [1, 2] }
    const model = small([x], [y], [{ op_type: 'Add', input: ['x', 'w'], output: ['y'] }])
    const graph = { ...model.graph, input: [x, tensorValue('w', 'float32', [2])], initializer: [constant] }
    expect(describeModel(encodeModel({ ...model, graph })).inputs.map(({ name }) => name)).toEqual(['x'])
  })

  it('lets the engine tell a shape that the file leaves out', async () => {
    const bare = { name: 'y', type: { tensor_type: { elem_type: TENSOR.float32 } } }
    const facts = await inspectModel(stored(encodeModel(small([x], [bare], [identity]))))
    expect(facts.outputs[0]?.shape).toEqual(['n', 2])
  })

  it('warns of operators that draw random numbers', async () => {
    const random: NodeProto = { op_type: 'RandomNormalLike', input: ['x'], output: ['y'] }
    const { warnings } = await inspectModel(stored(encodeModel(small([x], [y], [random]))))
    expect(warnings).toEqual([
      'the model draws random numbers (RandomNormalLike): scoring the same rows twice gives different scores',
    ])
  })

  it.each([
    ['an unknown operator', small([x], [y], [{ ...identity, op_type: 'Identitty' }])],
    [
      'an operator set of the future',
      small([x], [y], [identity], { opset_import: [{ domain: '', version: 99 }] }),
    ],
    ['a graph with a hole', small([x], [y], [{ ...identity, input: ['nowhere'] }])],
  ])('refuses %s with the words of the engine', async (_, model) => {
    const failure = inspectModel(stored(encodeModel(model)))
    await expect(failure).rejects.toThrow(/^ONNX Runtime cannot open the model: /)
    await expect(failure).rejects.toMatchObject({ failureClass: 'model' })
  })

  it('refuses what is no file, no model, cut off, or too large, without reading it to the end of memory', async () => {
    const model = encodeModel(forest({ trees: 5, depth: 4, features: 4 }))
    await expect(inspectModel(join(folder, 'gone.onnx'))).rejects.toThrow('expected a readable ONNX file')
    await expect(inspectModel(folder)).rejects.toThrow('expected a readable ONNX file')
    await expect(inspectModel(stored(new Uint8Array()))).rejects.toThrow(
      'expected an ONNX model, got: an empty file',
    )
    for (const part of [0.1, 0.5, 0.9, 0.999]) {
      const cut = model.subarray(0, Math.floor(model.length * part))
      await expect(inspectModel(stored(cut)), `${part}`).rejects.toMatchObject({ failureClass: 'model' })
    }
    const huge = stored(model)
    truncateSync(huge, 3 * 2 ** 30)
    await expect(inspectModel(huge)).rejects.toThrow(
      'expected a readable ONNX file of less than 2 GiB, got: ',
    )
  })
})
