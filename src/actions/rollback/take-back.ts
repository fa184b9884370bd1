import type { Model } from '../../project/project.ts'
import type { Context } from '../../workers/context.ts'
import {
  type RollbackRequest,
  type RollbackTarget,
  rescoreNights,
  rollBack,
  rollbackTarget,
} from './roll-back.ts'

export interface TakenBack extends RollbackTarget {
  /** Labels of the nights whose existing scores were published. */
  republished: string[]
  /** Labels of the nights that are scored again. */
  cold: string[]
  /** The backfill that scores them; undefined: there are none, or another backfill has them. */
  backfill: number | undefined
  /** Until the existing scores were published. */
  seconds: number
}

/**
 * Rolls a model back: the earlier version is champion, its existing scores are published, and the other nights are handed to
 * a backfill. Throws a ConfigurationError where there is nothing to go back to, or nothing to do.
 * @param mine whether this process holds the lock of the model's rollbacks
 */
export async function takeBack(
  context: Context,
  model: Model,
  request: RollbackRequest,
  mine: boolean,
): Promise<TakenBack> {
  const begun = performance.now()
  const ledger = { database: context.database, project: context.project() }
  const between = await rollbackTarget(ledger, model, request, mine)
  const { republished, cold } = await rollBack(context, model, between, request, mine)
  const seconds = (performance.now() - begun) / 1000
  const backfill =
    cold.length === 0 ? undefined : await rescoreNights(ledger, model, between.to, cold, request.by)
  return { ...between, republished, cold: cold.map(({ partition }) => partition), backfill, seconds }
}
