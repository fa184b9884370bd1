import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Type } from 'protobufjs'
import { ownFile } from '../../program/own-files.ts'

/**
 * ONNX models as plain objects, field names as in the public schema (`onnx.proto` beside this file).
 * Everything is optional, as on the wire; what was read gives null or an empty list where a file says nothing.
 */
export interface ModelProto {
  ir_version?: Int64
  producer_name?: string
  producer_version?: string
  domain?: string
  model_version?: Int64
  doc_string?: string
  graph?: GraphProto | null
  opset_import?: OperatorSetIdProto[]
  metadata_props?: { key?: string; value?: string }[]
  training_info?: { initialization?: GraphProto | null; algorithm?: GraphProto | null }[]
  functions?: FunctionProto[]
}

/** Read as the pair of halves (64 bits do not fit a number); may be written as a number. */
export type Int64 = number | { low: number; high: number; unsigned: boolean }

export interface OperatorSetIdProto {
  domain?: string
  version?: Int64
}

export interface FunctionProto {
  name?: string
  domain?: string
  input?: string[]
  output?: string[]
  node?: NodeProto[]
  opset_import?: OperatorSetIdProto[]
  attribute_proto?: AttributeProto[]
}

export interface GraphProto {
  name?: string
  node?: NodeProto[]
  initializer?: TensorProto[]
  sparse_initializer?: SparseTensorProto[]
  input?: ValueInfoProto[]
  output?: ValueInfoProto[]
  value_info?: ValueInfoProto[]
  doc_string?: string
}

export interface NodeProto {
  name?: string
  op_type?: string
  domain?: string
  input?: string[]
  output?: string[]
  attribute?: AttributeProto[]
}

export interface AttributeProto {
  name?: string
  /** One of ATTRIBUTE; says which field below holds the value. */
  type?: number
  f?: number
  i?: Int64
  s?: Uint8Array
  t?: TensorProto | null
  g?: GraphProto | null
  floats?: number[]
  ints?: Int64[]
  strings?: Uint8Array[]
  tensors?: TensorProto[]
  graphs?: GraphProto[]
  sparse_tensor?: SparseTensorProto | null
  sparse_tensors?: SparseTensorProto[]
}

export interface TensorProto {
  name?: string
  dims?: Int64[]
  /** One of TENSOR's numbers. */
  data_type?: number
  float_data?: number[]
  int32_data?: number[]
  int64_data?: Int64[]
  double_data?: number[]
  string_data?: Uint8Array[]
  raw_data?: Uint8Array
  external_data?: { key?: string; value?: string }[]
  /** 1: the values lie in another file. */
  data_location?: number
}

export interface SparseTensorProto {
  values?: TensorProto | null
  indices?: TensorProto | null
  dims?: Int64[]
}

export interface ValueInfoProto {
  name?: string
  type?: TypeProto | null
}

export interface TypeProto {
  tensor_type?: TensorTypeProto | null
  sequence_type?: { elem_type?: TypeProto | null } | null
  map_type?: { key_type?: number; value_type?: TypeProto | null } | null
  opaque_type?: { domain?: string; name?: string } | null
  sparse_tensor_type?: TensorTypeProto | null
  optional_type?: { elem_type?: TypeProto | null } | null
}

export interface TensorTypeProto {
  elem_type?: number
  shape?: { dim?: { dim_value?: Int64; dim_param?: string }[] } | null
}

/** Element types of tensors by their number in the format. */
export const TENSOR = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
} as const

/** Values of `AttributeProto.type`. */
export const ATTRIBUTE = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
} as const

/** Writes a model in the ONNX file format. Throws a TypeError that names a field of a wrong type. */
export function encodeModel(model: ModelProto): Uint8Array {
  const type = modelType()
  const problem = type.verify(model)
  if (problem !== null) throw new TypeError(`expected an ONNX model, got a wrong field: ${problem}`)
  return type.encode(model).finish()
}

/**
 * Reads the ONNX file format; throws on bytes that are no protobuf message. `encodeModel` of the result writes
 * every field again, those that the schema here does not list included. Byte fields are views into `bytes`.
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  const type = modelType()
  const { Reader } = loadProtobuf()
  const reader = Reader.create(bytes)
  reader.discardUnknown = false
  const model: object = type.decode(reader)
  return model
}

export function int64ToNumber(value: Int64 | undefined): number {
  if (value === undefined || typeof value === 'number') return value ?? 0
  return value.high * 2 ** 32 + (value.low >>> 0)
}

let loaded: Type | undefined

function modelType(): Type {
  loaded ??= loadProtobuf()
    .parse(readFileSync(ownFile('pipeline/onnx/onnx.proto'), 'utf8'), { keepCase: true })
    .root.lookupType('onnx.ModelProto')
  return loaded
}

// protobufjs is 30 ms of start-up that only commands which open a model should pay.
function loadProtobuf(): typeof import('protobufjs') {
  return createRequire(import.meta.url)('protobufjs')
}
