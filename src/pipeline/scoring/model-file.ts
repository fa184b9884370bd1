import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { Failure } from '../engine/failure.ts'
import { runnableBytes } from '../onnx/graph.ts'
import type { MappingPlan } from '../onnx/mapping.ts'
import { openScorers, type Scorers } from './scorers.ts'

export interface ModelFile {
  /** Path of the ONNX file. */
  model: string
  /** Of the file that was registered, in hex. */
  sha256?: string | undefined
  mapping: MappingPlan
  /** Sessions to open. */
  threads: number
}

/** Opens sessions on a version's file. Throws a Failure of class `model` where it is gone, another one, or does not open. */
export async function openModel({ model, sha256, mapping, threads }: ModelFile): Promise<Scorers> {
  const bytes = await read(model)
  const found = createHash('sha256').update(bytes).digest('hex')
  if (sha256 !== undefined && found !== sha256) {
    const message = `${model} is not the file that was registered: nightshift register with that file and the same --dataset puts it back (expected sha256 ${sha256}, got: ${found})`
    throw new Failure('model', message, { evidence: { file: model, expected: sha256, found } })
  }
  return openScorers(mapping.zipMap ? runnableBytes(bytes) : bytes, mapping, threads)
}

/** Bytes of a model's file; 0 where it is gone, which `openModel` reports. */
export async function modelSize(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause)
    throw new Failure('model', `cannot read the model's file: ${words}`, { cause, evidence: { file: path } })
  }
}
