import { type BackfillMode, type BackfillSlot, type NightAsOf, planBackfill } from './plan-backfill.ts'

/** A night of a backfill as it is when its turn has come. */
export interface FedNight {
  asOf: NightAsOf
  version: number | null
  /** The view that the version scores; null where no version is known. */
  view: string | null
  scores: BackfillSlot | undefined
  features: BackfillSlot | undefined
}

/**
 * run    with its features refreshed first, or not
 * leave  it is no longer what it was when the backfill was planned; `outcome` is how the night ends in this backfill
 */
export type NightVerdict =
  | { do: 'run'; refresh: boolean }
  | { do: 'leave'; outcome: 'published' | 'held' | 'failed' | 'skipped'; reason: string }

/**
 * What a backfill does with a night when its turn comes: the rules are those of its plan (plan-backfill.ts), asked again
 * of what the ledger and the inputs say now. Others may have published, refreshed or broken the night since.
 */
export function decideNight(
  { model, mode, now }: { model: string; mode: BackfillMode; now: string },
  { asOf, version, view, scores, features }: FedNight,
): NightVerdict {
  const { slots, refresh } = planBackfill({
    now,
    kind: 'scores',
    name: model,
    asOfs: [asOf],
    slots: scores === undefined ? [] : [scores],
    mode,
    versions: version === null ? undefined : { use: 'version', version },
    views: version === null || view === null ? {} : { [version]: [view] },
    viewSlots: view === null || features === undefined ? {} : { [view]: [features] },
    taken: {},
    dues: {},
    latestFirst: true,
    maxActive: 1,
    past: { own: [], views: [] },
  })
  const [step] = slots
  if (step === undefined || step.action === 'run') return { do: 'run', refresh: refresh.length > 0 }
  return { do: 'leave', outcome: outcomeOf(scores, features), reason: step.reason }
}

function outcomeOf(
  scores: BackfillSlot | undefined,
  features: BackfillSlot | undefined,
): 'published' | 'held' | 'failed' | 'skipped' {
  if (scores?.state === 'published' || scores?.state === 'held' || scores?.state === 'failed')
    return scores.state
  return features?.state === 'held' && features.published_run === null ? 'held' : 'skipped'
}
