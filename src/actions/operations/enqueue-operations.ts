import type { Pool } from 'pg'
import type { Reconciler } from '../../jobs/reconciler.ts'
import { drillingModels, type Operation, waitingOperations } from './operation-record.ts'

const NIGHT_RUNS = `
select exists (select from nightshift.runs
                where backfill is null and state in ('queued', 'running', 'publishing')) as busy`

/**
 * Enqueues the operations that wait for a process, or were lost with theirs: of the drills of a model one at a time, and none
 * that computes while a night runs. A wiped queue loses none.
 */
export async function enqueueOperations({ database, queues, project }: Reconciler): Promise<void> {
  const { pool } = database
  const waiting = await waitingOperations(pool, Object.keys(project().models))
  if (waiting.length === 0) return
  const drilling = await drillingModels(pool)
  const busy = waiting.some(computesInCopy) && (await nightRuns(pool))
  for (const operation of waiting) {
    const { id, model, kind, drill, tries } = operation
    if (kind === 'drill') {
      if (drilling.has(model) || (busy && computesInCopy(operation))) continue
      drilling.add(model)
    }
    await queues.add('operations', {
      id: `operation-${id}-t${tries + 1}`,
      title: `${kind}${drill === null ? '' : ` ${drill}`} ${model}`,
      data: { operation: id },
    })
  }
}

/** Whether a scheduled or requested night waits for a place or has one. */
export async function nightRuns(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ busy: boolean }>(NIGHT_RUNS)
  return rows[0]?.busy === true
}

/** Whether it takes computing time from nights. A drill of an alert only sends mails and waits. */
export function computesInCopy({ kind, drill }: Pick<Operation, 'kind' | 'drill'>): boolean {
  return kind === 'drill' && drill !== 'alert'
}
