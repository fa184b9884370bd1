import { createRequire } from 'node:module'
import type { InferenceSession } from 'onnxruntime-node'
import { isOutOfMemory } from '../engine/classify.ts'
import { Failure } from '../engine/failure.ts'

/**
 * Opens an inference session on the bytes of an ONNX file (`runnableBytes` of it). One thread: with two, the same rows get scores that
 * differ in the last bits; several sessions in several threads are as fast and give the same scores.
 * Throws a Failure of class `model` with the engine's words. `release()` the session when done.
 */
export async function openSession(bytes: Uint8Array): Promise<InferenceSession> {
  try {
    return await loadRuntime().InferenceSession.create(bytes, {
      executionMode: 'sequential',
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
    })
  } catch (cause) {
    throw engineFailure('ONNX Runtime cannot open the model', cause)
  }
}

/** ONNX Runtime, 60 ms of start-up: loaded when the first model is opened. */
export function loadRuntime(): typeof import('onnxruntime-node') {
  return createRequire(import.meta.url)('onnxruntime-node')
}

/** A Failure of class `model`, or `resource` where memory ran out, that ends in the engine's message. */
export function engineFailure(what: string, cause: unknown): Failure {
  const message = cause instanceof Error ? cause.message : String(cause)
  // Without the paths of the engine's own sources.
  const words = message.replace(/\/onnxruntime_src\/\S+ /g, '').trim()
  return new Failure(isOutOfMemory(words) ? 'resource' : 'model', `${what}: ${words}`, {
    cause,
    evidence: { engine: message },
  })
}
