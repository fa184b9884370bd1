import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Failure } from '../engine/failure.ts'
import { labelsOfOutput } from './class-labels.ts'
import { type Graph, readModel, runnableBytes } from './graph.ts'
import type { ModelValue } from './model-value.ts'
import { openSession } from './onnx-session.ts'
import { int64ToNumber, TENSOR, type TypeProto, type ValueInfoProto } from './proto.ts'
import { readVocabularies, type Vocabulary } from './vocabulary.ts'

/** What an ONNX file says about itself. Plain data. */
export interface ModelFacts {
  /** Of the file, in hex. */
  sha256: string
  bytes: number
  producer: string
  opsets: { domain: string; version: number }[]
  /** What has to be fed, in the file's order. */
  inputs: ModelValue[]
  outputs: ModelOutput[]
  /** An output is a list of maps, which is cut out when the file is opened (see `runnableBytes`). */
  zipMap: boolean
  vocabularies: Vocabulary[]
  warnings: string[]
}

export interface ModelOutput extends ModelValue {
  /** Labels of the classes, in the order of the columns, where the file tells them. */
  classes: (string | number)[] | null
}

const ELEMENT_NAMES = new Map<number, string>(Object.entries(TENSOR).map(([name, number]) => [number, name]))
/** Types that onnxruntime-node has no arrays for. */
const UNREADABLE = /^(bfloat16|complex64|complex128|type \d+)$/
const RANDOM = /^(Bernoulli|Multinomial|Random(Normal|Uniform)(Like)?)$/

/**
 * Reads an ONNX file and opens it once with ONNX Runtime, so that a file with facts is a file that runs.
 * Throws a Failure of class `model` on anything else.
 */
export async function inspectModel(path: string): Promise<ModelFacts> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    const words = cause instanceof Error ? cause.message : String(cause)
    throw new Failure('model', `expected a readable ONNX file of less than 2 GiB, got: ${words}`, { cause })
  })
  const facts = describeModel(bytes)
  for (const value of [...facts.inputs, ...facts.outputs]) refuseUnreadable(value)
  const session = await openSession(facts.zipMap ? runnableBytes(bytes) : bytes)
  try {
    // The engine infers shapes that converters leave out.
    for (const value of session.outputMetadata) {
      const output = facts.outputs.find(({ name }) => name === value.name)
      if (value.isTensor && output?.shape === null) output.shape = [...value.shape]
    }
  } finally {
    await session.release()
  }
  return facts
}

/** The same from bytes, without the engine. */
export function describeModel(bytes: Uint8Array): ModelFacts {
  const read = readModel(bytes)
  const { model, graph } = read
  const constants = new Set((graph.initializer ?? []).map(({ name }) => name))
  // Before IR 4 initializers were listed among the inputs.
  const inputs = (graph.input ?? []).filter(({ name }) => !constants.has(name)).map(describeValue)
  return {
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
    producer: [model.producer_name, model.producer_version].filter(Boolean).join(' '),
    opsets: (model.opset_import ?? []).map(({ domain, version }) => ({
      domain: domain || 'ai.onnx',
      version: int64ToNumber(version),
    })),
    inputs,
    outputs: (graph.output ?? []).map((value) => describeOutput(value, read)),
    zipMap: read.zipMaps.length > 0,
    vocabularies: readVocabularies(graph, inputs),
    warnings: warnings(read),
  }
}

function refuseUnreadable({ name, type }: ModelValue): void {
  if (!UNREADABLE.test(type)) return
  throw new Failure(
    'model',
    `${name} is a ${type} tensor, which ONNX Runtime for Node cannot read or write: export the model in float32`,
    { evidence: { value: name, type } },
  )
}

function describeOutput(value: ValueInfoProto, { graph, zipMaps }: Graph): ModelOutput {
  const zipMap = zipMaps.find(({ output }) => output === value.name)
  if (zipMap) {
    const { classes } = zipMap
    const shape = ['rows', classes.length || null]
    return { name: zipMap.output, type: 'float32', shape, classes: classes.length > 0 ? classes : null }
  }
  const described = describeValue(value)
  const size = described.shape?.length === 2 ? described.shape[1] : described.shape === null ? null : 1
  const columns = typeof size === 'number' ? size : undefined
  const labels = labelsOfOutput(graph, described.name, columns)
  const fits = labels !== null && (columns === undefined || columns === labels.length)
  return { ...described, classes: fits ? labels : null }
}

function describeValue({ name, type }: ValueInfoProto): ModelValue {
  const tensor = type?.tensor_type
  const dims = tensor?.shape?.dim
  return {
    name: name ?? '',
    type: tensor ? elementName(tensor.elem_type ?? 0) : kindOf(type),
    shape: dims?.map(({ dim_value, dim_param }) => int64ToNumber(dim_value) || dim_param || null) ?? null,
  }
}

function elementName(number: number): string {
  return ELEMENT_NAMES.get(number) ?? `type ${number}`
}

function kindOf(type: TypeProto | null | undefined): string {
  if (type?.sequence_type) return 'sequence'
  if (type?.map_type) return 'map'
  if (type?.optional_type) return 'optional'
  if (type?.sparse_tensor_type) return 'sparse tensor'
  return type?.opaque_type ? 'opaque' : 'unknown'
}

function warnings({ operators }: Graph): string[] {
  const random = [...operators].filter((name) => RANDOM.test(name))
  if (random.length === 0) return []
  return [
    `the model draws random numbers (${random.join(', ')}): scoring the same rows twice gives different scores`,
  ]
}
