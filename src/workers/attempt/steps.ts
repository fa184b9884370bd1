import type { StepTime } from '../../pipeline/engine/facts.ts'
import { stopwatch } from '../../pipeline/engine/stopwatch.ts'

/** The steps of one attempt with their durations; steps of the child are listed as `compute: <step>`. */
export interface Steps {
  readonly done: StepTime[]
  time<T>(step: string, act: () => Promise<T>): Promise<T>
  add(within: string, steps: StepTime[]): void
}

export function openSteps(onStep: (step: string) => void): Steps {
  const done: StepTime[] = []
  const timed = stopwatch(done)
  return {
    done,
    async time(step, act) {
      onStep(step)
      return await timed(step, act)
    },
    add(within, steps) {
      for (const { step, ms } of steps) done.push({ step: `${within}: ${step}`, ms: Math.round(ms) })
    },
  }
}
