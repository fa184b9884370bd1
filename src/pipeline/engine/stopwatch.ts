import type { StepTime } from './facts.ts'

/** Times each step of some work, failed ones included. */
export function stopwatch(steps: StepTime[]): <T>(step: string, work: () => Promise<T>) => Promise<T> {
  return async (step, work) => {
    const start = performance.now()
    try {
      return await work()
    } finally {
      steps.push({ step, ms: Math.round(performance.now() - start) })
    }
  }
}
