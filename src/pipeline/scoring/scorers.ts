import { Worker } from 'node:worker_threads'
import { ownProgram } from '../../program/own-files.ts'
import { Failure } from '../engine/failure.ts'
import type { MappingPlan } from '../onnx/mapping.ts'
import type { ReasonPlan, Reasons } from '../reasons/reason-plan.ts'
import type { ScorerAnswer, ScorerTask } from './scorer.ts'
import type { Batch, TensorData } from './tensors.ts'

/** Threads that score batches side by side, each with a session of its own on the same model. */
export interface Scorers {
  readonly count: number
  /**
   * Scores of the batch's rows, in their order. The batch's memory is away until then; `tensors` gives it back.
   * Throws a Failure of class `model` with the engine's words.
   */
  score(batch: Batch): Promise<Scored>
  /** From now on scores come with reasons, as the plan says. */
  giveReasons(plan: ReasonPlan): Promise<void>
  /**
   * Gives the threads back, to be kept for the next model; threads that failed or are at work are ended. One that is
   * within a call ends only after it: a model that never returns is for the process to end.
   */
  close(): Promise<void>
}

export interface Scored {
  scores: Float64Array
  tensors: TensorData[]
  /** Undefined unless asked for. */
  reasons: Reasons | undefined
}

const PROGRAM = ownProgram('pipeline/scoring/scorer.js')

/** Threads without work. They have ONNX Runtime loaded, which takes 0.1 s, and do not keep the process alive. */
const idle: Thread[] = []

/** Starts threads ahead of the first model. */
export function warmScorers(count: number): void {
  while (idle.length < count) idle.push(startThread())
}

/** Opens `count` sessions on the bytes of an ONNX file. Throws a Failure of class `model`. */
export async function openScorers(model: Uint8Array, mapping: MappingPlan, count: number): Promise<Scorers> {
  const threads = Array.from({ length: count }, () => idle.pop() ?? startThread())
  const close = async () => {
    const kept = threads.filter((thread) => thread.rest())
    idle.push(...kept)
    await Promise.all(threads.filter((thread) => !kept.includes(thread)).map((thread) => thread.end()))
  }
  const opened = await Promise.allSettled(
    threads.map((thread) => thread.ask({ kind: 'open', model, mapping })),
  )
  const refused = opened.find((each) => each.status === 'rejected')
  if (refused) {
    await close()
    throw refused.reason
  }
  return {
    count,
    async score({ rows, tensors }) {
      const idlest = threads.reduce((best, each) => (each.load() < best.load() ? each : best))
      const answer = await idlest.ask({ kind: 'score', rows, tensors })
      if (answer.kind !== 'scores')
        throw new Failure('bug', `a scoring thread answered rows with: ${answer.kind}`)
      return answer
    },
    async giveReasons(plan) {
      await Promise.all(threads.map((thread) => thread.ask({ kind: 'reasons', plan })))
    },
    close,
  }
}

interface Thread {
  /** Tasks without an answer. */
  load(): number
  ask(task: ScorerTask): Promise<ScorerAnswer>
  /** Lets the process end; false where the thread is of no more use. */
  rest(): boolean
  end(): Promise<unknown>
}

interface Waiting {
  resolve(answer: ScorerAnswer): void
  reject(error: unknown): void
}

function startThread(): Thread {
  const worker = new Worker(PROGRAM)
  worker.unref()
  const waiting: Waiting[] = []
  let broken: unknown
  const fail = (error: unknown) => {
    broken ??= error
    for (const { reject } of waiting.splice(0)) reject(error)
  }
  worker.on('message', (answer: ScorerAnswer) => {
    if (answer.kind === 'failure')
      fail(new Failure(answer.class, answer.message, { evidence: answer.evidence }))
    else waiting.shift()?.resolve(answer)
  })
  worker.on('error', fail)
  worker.on('exit', (code) => {
    fail(new Failure('transient', `a scoring thread ended with exit code ${code}`))
    const place = idle.indexOf(thread)
    if (place >= 0) idle.splice(place, 1)
  })
  const thread: Thread = {
    load: () => waiting.length,
    ask(task) {
      if (broken !== undefined) return Promise.reject(broken)
      worker.ref()
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        const tensors = task.kind === 'score' ? task.tensors : []
        worker.postMessage(
          task,
          tensors
            .map((data) => (Array.isArray(data) ? undefined : data.buffer))
            .filter((buffer) => buffer instanceof ArrayBuffer),
        )
      })
    },
    rest() {
      worker.unref()
      return broken === undefined && waiting.length === 0
    },
    end: () => worker.terminate(),
  }
  return thread
}
