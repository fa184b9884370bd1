import type { StepTime } from './facts.ts'

/** A step with the parts that the compute process timed within it. */
export interface StepWithParts extends StepTime {
  parts: StepTime[]
}

/** What a compute process times is recorded before the step around it, as `scores: write`. */
const PART = /^[\w-]+: (.+)$/

/** Steps in their order, each with its parts. Parts of a step that did not come to its end stand by themselves. */
export function withParts(steps: StepTime[]): StepWithParts[] {
  const nested: StepWithParts[] = []
  let parts: StepTime[] = []
  for (const { step, ms } of steps) {
    const [, part] = PART.exec(step) ?? []
    if (part !== undefined) parts.push({ step: part, ms })
    else {
      nested.push({ step, ms, parts })
      parts = []
    }
  }
  return [...nested, ...parts.map((part) => ({ ...part, parts: [] }))]
}
