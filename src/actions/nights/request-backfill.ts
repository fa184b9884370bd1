import type { BackfillMode, BackfillPlan } from '../../jobs/backfills/plan-backfill.ts'
import { startBackfill } from '../../jobs/backfills/start-backfill.ts'
import { settingsFor } from '../../jobs/request-run.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Model } from '../../project/project.ts'
import { readAsOfOption, refuseReversed } from '../../project/time/as-of-option.ts'
import { type AsOf, asOfRange } from '../../project/time/asof.ts'
import { scheduledAsOf } from '../../project/time/scheduled-as-of.ts'
import type { ProjectLedger } from '../project-ledger.ts'
import { refuseChangedViews } from '../unchanged-views.ts'
import { planNights } from './plan-nights.ts'

const MAX_ACTIVE = 4

/** As it is typed: both ends are inclusive. */
export interface BackfillWish {
  from: string
  to: string
  mode: BackfillMode
  version?: number | undefined
  asWas?: boolean | undefined
  /** Nights that run concurrently; default 4. */
  maxActive?: number | undefined
}

/** A backfill that may be started; nothing has been so far. */
export interface PlannedBackfill {
  plan: BackfillPlan
  asOfs: AsOf[]
  mode: BackfillMode
  maxActive: number
}

/**
 * Plans a backfill of a model. Throws a ConfigurationError for nights that no schedule of the model has, an unknown version,
 * and a version whose view was edited.
 */
export async function planBackfillOf(
  ledger: ProjectLedger,
  model: Model,
  { from, to, mode, version, asWas, maxActive = MAX_ACTIVE }: BackfillWish,
): Promise<PlannedBackfill> {
  const { project } = ledger
  refuseReversed(readAsOfOption('--from', from), readAsOfOption('--to', to))
  const asOfs = asOfRange(
    scheduledAsOf(project, model, from, '--from'),
    scheduledAsOf(project, model, to, '--to'),
    project.timezone,
  )
  if (version !== undefined && asWas)
    throw new ConfigurationError('backfill: expected --version N or --as-was, got both')
  const plan = await planNights(ledger, model.name, asOfs, { mode, version, asWas, maxActive })
  const versions = new Set(nightsToRun(plan).flatMap((step) => step.version ?? []))
  await refuseChangedViews(ledger, 'backfill', model.name, [...versions])
  return { plan, asOfs, mode, maxActive }
}

export function nightsToRun({ slots }: BackfillPlan): BackfillPlan['slots'] {
  return slots.filter(({ action }) => action === 'run')
}

/** Starts it. @returns its number; undefined if another backfill has taken its nights meanwhile */
export async function beginBackfill(
  { project, database }: ProjectLedger,
  { plan, asOfs, mode, maxActive }: PlannedBackfill,
  by: string | null,
): Promise<number | undefined> {
  const settings = settingsFor(project, 'scores', plan.name)
  return startBackfill(database, plan, asOfs, { mode, maxActive, settings, by })
}
