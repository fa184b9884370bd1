import type { Run } from './run-records.ts'

/** Who let readers have what a run was held for, and why: `released by ann: the orders are real`; undefined: nobody. */
export function released(
  run: Pick<Run, 'trigger' | 'requested_by' | 'reason'> | undefined,
): string | undefined {
  if (run?.trigger !== 'release') return undefined
  return `released by ${run.requested_by ?? 'somebody'}: ${run.reason ?? 'no reason given'}`
}

/** The same beside expectations that are not met, of each run that readers have in spite of it. */
export function releasedInSpite(runs: (Run | undefined)[]): string[] {
  return runs.flatMap((run) => {
    const by = released(run)
    if (run === undefined || by === undefined || run.checks.every(({ passed }) => passed)) return []
    return [`The ${run.kind} of ${run.name} were ${by}`]
  })
}
