import { pathOf } from '../../ledger/nights/published.ts'
import type { Attempt, Run } from '../../ledger/nights/run-records.ts'
import type { Project } from '../../project/project.ts'

/** A run as `run`, `refresh` and `show` print it with `--json`. */
export function runRecord(project: Project, run: Run, attempts: Attempt[]) {
  return {
    run: run.id,
    kind: run.kind,
    name: run.name,
    as_of: run.partition,
    instant: run.as_of,
    state: run.state,
    version: run.version,
    rows: run.rows,
    path: pathOf(project, run),
    // A check that found the data late does not count as an attempt.
    attempts: attempts.filter((attempt) => attempt.outcome !== 'waiting').length,
    failure: run.failure,
    trigger: run.trigger,
    reason: run.reason,
    known_at: run.known_at,
    view_hash: run.view_hash,
    sha256: run.sha256,
    summary: run.summary,
    unknown_values: run.unknown_values,
    checks: run.checks,
    warnings: run.warnings,
    inputs: run.inputs,
    created_at: run.created_at,
    started_at: run.started_at,
    ended_at: run.ended_at,
    tries: attempts,
  }
}
