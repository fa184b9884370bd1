import { afterEach } from 'vitest'
import { Failure } from '../../../src/pipeline/engine/failure.ts'
import type { NodeProto } from '../../../src/pipeline/onnx/proto.ts'
import { tensorValue } from '../onnx/attribute.ts'
import { small } from '../onnx/small.ts'
import { type Case, openCase } from '../scoring-case.ts'

const opened: Case[] = []
afterEach(() => {
  for (const each of opened.splice(0)) each.remove()
})

export async function open(...parts: Parameters<typeof openCase>): Promise<Case> {
  const each = await openCase(...parts)
  opened.push(each)
  return each
}

export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof Failure) return error
  throw new Error(`expected a Failure, got: ${error}`)
}

export const y = tensorValue('y', 'float32', ['n', 1])
export const x = tensorValue('x', 'float32', ['n', 1])
export const node = (
  op_type: string,
  input: string[],
  output: string[],
  rest: NodeProto = {},
): NodeProto => ({
  op_type,
  input,
  output,
  ...rest,
})
export const same = small([x], [y], [node('Identity', ['x'], ['y'])])
