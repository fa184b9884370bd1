import type { StepTime, Usage } from '../../pipeline/engine/facts.ts'
import { stopwatch } from '../../pipeline/engine/stopwatch.ts'

/** The steps of one attempt with their durations; steps of the child are listed as `compute: <step>`. */
export interface Steps {
  readonly done: StepTime[]
  time<T>(step: string, act: () => Promise<T>): Promise<T>
  add(within: string, steps: StepTime[]): void
  /** Adds what a compute process used. */
  used(usage: Usage): void
  /** The most that was used; undefined while none has ended. */
  usage(): Usage | undefined
}

/** What an attempt has done so far. */
export interface Tried {
  number: number
  steps: StepTime[]
  /** Absent where another process reports the attempt. */
  usage?(): Usage | undefined
}

export function openSteps(onStep: (step: string) => void, before: StepTime[] = []): Steps {
  const done: StepTime[] = [...before]
  const timed = stopwatch(done)
  let most: Usage | undefined
  return {
    done,
    async time(step, act) {
      onStep(step)
      return await timed(step, act)
    },
    add(within, steps) {
      for (const { step, ms } of steps) done.push({ step: `${within}: ${step}`, ms: Math.round(ms) })
    },
    used({ memory, limit, spilled }) {
      most = {
        memory: Math.max(memory, most?.memory ?? 0),
        limit,
        spilled: spilled === null ? (most?.spilled ?? null) : Math.max(spilled, most?.spilled ?? 0),
      }
    },
    usage: () => most,
  }
}
