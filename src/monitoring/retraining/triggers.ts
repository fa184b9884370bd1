import { duration } from '../../format/elapsed.ts'
import { figureBeside } from '../../format/numbers.ts'
import type { Model } from '../../project/project.ts'

export type Trigger = 'drift' | 'quality' | 'age' | 'hand'

type When = NonNullable<Model['retrain']>['when']

/** What the triggers look at: all of it concerns the champion of now. Instants are ISO 8601. */
export interface Standing {
  /** Scheduled nights that were compared, oldest first. */
  nights: { partition: string; columns: { column: string; verdict: 'drifted' | 'quiet' | 'unknown' }[] }[]
  /** Nights with a measured outcome, oldest first. */
  outcomes: { partition: string; auc: number | null }[]
  /** When the champion was registered. */
  registered: string
}

/** So many measured nights in a row have to be below the bound: one of them may be chance. */
export const BELOW = 3

/**
 * Why a model is to be trained again, with the figures; undefined where it is not.
 *
 * drift_nights  one column drifted on each of the last N nights that could be judged on it
 * auc_below     each of the last three measured nights has an AUC below the bound
 * age           the champion was registered longer ago
 */
export function dueTrigger(
  when: When,
  standing: Standing,
  now: Date,
): { trigger: Trigger; reason: string } | undefined {
  return drifting(when, standing) ?? falling(when, standing) ?? aged(when, standing, now)
}

function drifting({ drift_nights: least }: When, { nights }: Standing) {
  if (least === undefined) return undefined
  const persisting = [...new Set(nights.flatMap(({ columns }) => columns.map(({ column }) => column)))]
    .map((column) => ({ column, nights: lastDrifted(column, nights) }))
    .filter((each) => each.nights.length >= least)
    .sort((a, b) => b.nights.length - a.nights.length)
  const [first, ...others] = persisting
  if (first === undefined) return undefined
  const more = others.length === 0 ? '' : `, and ${others.length} more columns`
  return {
    trigger: 'drift' as const,
    reason: `${first.column}${more} drifted on ${first.nights.length} nights in a row, from ${first.nights[0]} to ${first.nights.at(-1)} (retrain.when.drift_nights: ${least})`,
  }
}

/** The newest nights in a row on which a column drifted. A night that cannot be judged neither counts nor ends it. */
function lastDrifted(column: string, nights: Standing['nights']): string[] {
  const drifted: string[] = []
  for (const night of nights.toReversed()) {
    const verdict = night.columns.find((each) => each.column === column)?.verdict ?? 'unknown'
    if (verdict === 'quiet') break
    if (verdict === 'drifted') drifted.unshift(night.partition)
  }
  return drifted
}

function falling({ auc_below: bound }: When, { outcomes }: Standing) {
  if (bound === undefined) return undefined
  const measured = outcomes.flatMap(({ partition, auc }) => (auc === null ? [] : [{ partition, auc }]))
  const last = measured.slice(-BELOW)
  if (last.length < BELOW || last.some(({ auc }) => auc >= bound)) return undefined
  return {
    trigger: 'quality' as const,
    reason: `the realized AUC of ${last.map(({ partition, auc }) => `${partition} was ${figureBeside(auc, bound)}`).join(', of ')} (retrain.when.auc_below: ${bound})`,
  }
}

function aged({ age }: When, { registered }: Standing, now: Date) {
  if (age === undefined) return undefined
  const old = now.getTime() - Date.parse(registered)
  if (old <= age.ms) return undefined
  return {
    trigger: 'age' as const,
    reason: `the champion was registered ${duration(old)} ago (retrain.when.age: ${age.text})`,
  }
}
