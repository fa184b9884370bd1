/**
 * A thread with an inference session of its own. It is handed a model, then batches, and hands back their scores; the
 * tensors' memory travels with the message and returns with the answer. Inference blocks this thread and no other.
 */
import { parentPort } from 'node:worker_threads'
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import type { FailureClass } from '../../failures/classes.ts'
import { Failure } from '../engine/failure.ts'
import type { MappingPlan, PlannedInput } from '../onnx/mapping.ts'
import { engineFailure, loadRuntime, openSession } from '../onnx/onnx-session.ts'
import type { PlannedOutput } from '../onnx/score-output.ts'
import { findReasons } from '../reasons/find-reasons.ts'
import type { ReasonPlan, Reasons } from '../reasons/reason-plan.ts'
import { createTensor, type TensorData } from './tensors.ts'

export type ScorerTask =
  | { kind: 'open'; model: Uint8Array; mapping: MappingPlan }
  | { kind: 'reasons'; plan: ReasonPlan }
  | { kind: 'score'; rows: number; tensors: TensorData[] }

/** One for every task, in their order. */
export type ScorerAnswer =
  | { kind: 'open' }
  | { kind: 'reasons' }
  | { kind: 'scores'; scores: Float64Array; tensors: TensorData[]; reasons: Reasons | undefined }
  | { kind: 'failure'; class: FailureClass; message: string; evidence: Record<string, unknown> }

interface Opened {
  session: InferenceSession
  mapping: MappingPlan
  /** Scores come with reasons from when they were asked for. */
  plan: ReasonPlan | undefined
}

let opened: Opened | undefined
// One after the other: a batch waits until the session is open.
let last: Promise<void> = Promise.resolve()

parentPort?.on('message', (task: ScorerTask) => {
  last = last.then(() => perform(task)).catch(fail)
})
// While the main thread still reads its files.
loadRuntime()

async function perform(task: ScorerTask): Promise<void> {
  switch (task.kind) {
    case 'open':
      await opened?.session.release()
      opened = undefined
      opened = { session: await openSession(task.model), mapping: task.mapping, plan: undefined }
      return answer({ kind: 'open' }, [])
    case 'reasons':
      modelAtHand().plan = task.plan
      return answer({ kind: 'reasons' }, [])
    case 'score': {
      const own = modelAtHand()
      const { rows, tensors } = task
      const scores = await score(own, task)
      const scoreRows = (given: TensorData[]) => score(own, { rows, tensors: given })
      const reasons =
        own.plan &&
        (await findReasons(own.plan, own.mapping, { scores, tensors: filled(own, task), scoreRows }))
      answer({ kind: 'scores', scores, tensors, reasons }, [
        scores.buffer,
        ...buffers(tensors),
        ...buffers([...(reasons?.effects ?? [])]),
      ])
    }
  }
}

/** The tensors without the room behind the batch's rows. */
function filled(
  { mapping }: Opened,
  { rows, tensors }: { rows: number; tensors: TensorData[] },
): TensorData[] {
  return tensors.map((data, index) => data.slice(0, rows * (mapping.inputs[index]?.columns.length ?? 0)))
}

function modelAtHand(): Opened {
  if (opened === undefined) throw new Failure('bug', 'a scoring thread was given rows before a model')
  return opened
}

/** Scores of a batch: one call, or one per `mapping.batch` rows where the file fixes their number. */
async function score(
  { session, mapping }: Opened,
  { rows, tensors }: { rows: number; tensors: TensorData[] },
): Promise<Float64Array> {
  const scores = new Float64Array(rows)
  const step = mapping.batch ?? rows
  for (let from = 0; from < rows; from += step) {
    const count = Math.min(step, rows - from)
    const feeds = Object.fromEntries(
      mapping.inputs.map((input, index) => [input.name, feed(input, tensors[index], from, count, step)]),
    )
    const output = await run(session, mapping.output.name, feeds)
    read(output, mapping.output, step, scores.subarray(from, from + count))
  }
  return scores
}

function feed(
  { element, shape, columns }: PlannedInput,
  data: TensorData | undefined,
  from: number,
  count: number,
  step: number,
): Tensor {
  const width = columns.length
  const { Tensor } = loadRuntime()
  const dims = shape === 'vector' ? [step] : [step, width]
  if (data === undefined) throw new Error('a batch came without the data of an input')
  const slice = Array.isArray(data)
    ? data.slice(from * width, (from + count) * width)
    : data.subarray(from * width, (from + count) * width)
  return new Tensor(element, count === step ? slice : padded(slice, element, step * width), dims)
}

/** The last rows of a file with fixed batches: repeated up to its size; the scores of repetitions are not read. */
function padded(data: TensorData, element: PlannedInput['element'], length: number): TensorData {
  if (Array.isArray(data)) return Array.from({ length }, (_, index) => data[index % data.length] ?? '')
  const full = createTensor(element, length)
  if (Array.isArray(full)) return full
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const target = new Uint8Array(full.buffer)
  for (let start = 0; start < target.length; start += bytes.length) {
    target.set(bytes.subarray(0, target.length - start), start)
  }
  return full
}

async function run(session: InferenceSession, name: string, feeds: Record<string, Tensor>): Promise<Tensor> {
  try {
    const results = await session.run(feeds, [name])
    const output = results[name]
    if (output === undefined) throw new Error(`no output ${name}`)
    return output
  } catch (cause) {
    throw engineFailure('ONNX Runtime cannot score', cause)
  }
}

function read(
  { data, dims }: Tensor,
  { name, class: chosen }: PlannedOutput,
  rows: number,
  scores: Float64Array,
): void {
  const wrong = (expected: string, got: string) =>
    new Failure('model', `expected output ${name} to be ${expected}, got: ${got}`, {
      evidence: { output: name, dims },
    })
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    throw wrong('float32 or float64 values', data.constructor.name)
  }
  const width = data.length / rows
  const fits = chosen === null ? width === 1 : Number.isInteger(width) && chosen < width
  if (!fits) {
    const wanted = chosen === null ? 'one value a row' : `at least ${chosen + 1} values a row`
    throw wrong(`${wanted} for ${rows} rows`, `[${dims.join(', ')}]`)
  }
  for (let row = 0, place = chosen ?? 0; row < scores.length; row++, place += width) {
    scores[row] = data[place] ?? Number.NaN
  }
}

function buffers(tensors: TensorData[]): ArrayBufferLike[] {
  return tensors.flatMap((data) => (Array.isArray(data) ? [] : [data.buffer]))
}

function answer(message: ScorerAnswer, transfer: readonly ArrayBufferLike[]): void {
  parentPort?.postMessage(
    message,
    transfer.filter((buffer) => buffer instanceof ArrayBuffer),
  )
}

function fail(error: unknown): void {
  if (!(error instanceof Failure)) throw error
  answer({ kind: 'failure', class: error.failureClass, message: error.message, evidence: error.evidence }, [])
}
