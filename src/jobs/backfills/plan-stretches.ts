import { counted } from '../../format/numbers.ts'
import type { BackfillStep } from './plan-backfill.ts'

/** Consecutive nights of a plan that differ at most in the run ids of their reasons. */
export interface Stretch {
  /** `2026-03-01`, or `2026-03-01 to 2026-03-09, 9 nights`. */
  nights: string
  action: BackfillStep['action']
  version: number | null
  reason: string
}

export function stretchesOf(steps: BackfillStep[]): Stretch[] {
  const lines: { steps: BackfillStep[]; reason: string; key: string }[] = []
  for (const step of steps) {
    const common = step.reason.replace(/\brun [a-z][a-z0-9]{7}\b/g, 'runs of their own')
    const key = `${step.action} ${step.version} ${common}`
    const last = lines.at(-1)
    if (last?.key === key) {
      last.steps.push(step)
      last.reason = common
    } else lines.push({ steps: [step], reason: step.reason, key })
  }
  return lines.flatMap(({ steps: [first, ...others], reason }) =>
    first === undefined
      ? []
      : [{ nights: nightsOf([first, ...others]), action: first.action, version: first.version, reason }],
  )
}

function nightsOf(steps: BackfillStep[]): string {
  const [first, last] = [steps[0]?.as_of ?? '', steps.at(-1)?.as_of ?? '']
  return steps.length === 1 ? first : `${first} to ${last}, ${steps.length} nights`
}

/** `3 of 5 nights to run, 2 nights of features first, 1 partition replaced`. Features that several models need count once. */
export function planText({
  slots,
  refresh,
}: {
  slots: BackfillStep[]
  refresh: { view: string; as_of: string }[]
}): string {
  const runs = slots.filter(({ action }) => action === 'run')
  const replaced = runs.filter(({ replaces }) => replaces !== null).length
  const features = new Set(refresh.map(({ view, as_of }) => `${view} ${as_of}`)).size
  return [
    `${runs.length} of ${counted(slots.length, 'night')} to run`,
    ...(features === 0 ? [] : [`${counted(features, 'night')} of features first`]),
    ...(replaced === 0 ? [] : [`${counted(replaced, 'partition')} replaced`]),
  ].join(', ')
}
