import type { StepTime } from '../../pipeline/engine/facts.ts'

/** The steps of one attempt with their durations; steps of the child are listed as `compute: <step>`. */
export interface Steps {
  readonly done: StepTime[]
  time<T>(step: string, act: () => Promise<T>): Promise<T>
  add(within: string, steps: StepTime[]): void
}

export function openSteps(onStep: (step: string) => void): Steps {
  const done: StepTime[] = []
  return {
    done,
    async time(step, act) {
      onStep(step)
      const start = performance.now()
      try {
        return await act()
      } finally {
        done.push({ step, ms: Math.round(performance.now() - start) })
      }
    },
    add(within, steps) {
      for (const { step, ms } of steps) done.push({ step: `${within}: ${step}`, ms: Math.round(ms) })
    },
  }
}
