import type { Run } from './run-records.ts'

/** Who released a held run, and why: `released by ann: the orders are real`; undefined if it was not released. */
export function released(
  run: Pick<Run, 'trigger' | 'requested_by' | 'reason'> | undefined,
): string | undefined {
  if (run?.trigger !== 'release') return undefined
  return `released by ${run.requested_by ?? 'someone'}: ${run.reason ?? 'no reason given'}`
}

/** The releases of published runs with failed expectations, one sentence each. */
export function releases(runs: (Run | undefined)[]): string[] {
  return runs.flatMap((run) => {
    const by = released(run)
    if (run === undefined || by === undefined || run.checks.every(({ passed }) => passed)) return []
    return [`The ${run.kind} of ${run.name} were ${by}`]
  })
}
