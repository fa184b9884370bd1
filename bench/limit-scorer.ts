/** A thread of the bare engine: one ONNX session of one thread, batches in, scores out. */
import { parentPort } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-node'

export type Task =
  | { kind: 'open'; model: string }
  | { kind: 'score'; rows: number; width: number; data: Float32Array }

export type Answer = { kind: 'open' } | { kind: 'scores'; scores: Float64Array; data: Float32Array }

let session: InferenceSession | undefined

async function perform(task: Task): Promise<void> {
  if (task.kind === 'open') {
    session = await InferenceSession.create(task.model, { intraOpNumThreads: 1, interOpNumThreads: 1 })
    parentPort?.postMessage({ kind: 'open' } satisfies Answer)
    return
  }
  if (session === undefined) throw new Error('rows came before the model')
  const { rows, width, data } = task
  const features = new Tensor('float32', data.subarray(0, rows * width), [rows, width])
  const { probabilities } = await session.run({ features }, ['probabilities'])
  const values = probabilities?.data
  if (!(values instanceof Float32Array)) throw new Error('the model gave no probabilities')
  const scores = new Float64Array(rows)
  for (let row = 0; row < rows; row++) scores[row] = values[2 * row + 1] ?? 0
  const memory = [scores.buffer, data.buffer].filter((buffer) => buffer instanceof ArrayBuffer)
  parentPort?.postMessage({ kind: 'scores', scores, data } satisfies Answer, memory)
}

// One after the other: rows wait until the session is open.
let last = Promise.resolve()
parentPort?.on('message', (task: Task) => {
  last = last.then(() => perform(task))
})
parentPort?.postMessage('ready')
