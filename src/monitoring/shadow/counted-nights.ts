import { figure } from '../../format/numbers.ts'
import type { Trigger } from '../../ledger/nights/run-request.ts'
import type { OutcomeFacts } from '../../pipeline/outcomes/outcome-facts.ts'
import type { ShadowFigures } from '../../pipeline/shadow/shadow-figures.ts'
import type { Challenge } from '../../registry/challengers.ts'
import type { Against } from './shadow-night-records.ts'

/** What the ledger knows of one night of a challenger. Times are ISO 8601. */
export interface NightInShadow {
  partition: string
  as_of: string
  /** Null: no schedule expected it. */
  due: string | null
  /** Its first publication: of the champion's scores, or without a champion of the challenger's features. */
  first: { at: string; trigger: Trigger; backfilled: boolean } | null
  /** The published scores are those of a backfill. */
  backfilled: boolean
  /** When the challenger first scored it, by a clock that does not run backwards. */
  scored_at: string | null
  /** Why the challenger has no scores. */
  failure: string | null
  against: Against['kind'] | null
  against_version: number | null
  state: 'compared' | 'none' | 'failed' | null
  note: string | null
  figures: ShadowFigures | null
  realized: OutcomeFacts | null
  realized_note: string | null
}

/** A night, and why it does not count. */
export type JudgedNight = NightInShadow & { counts: boolean; why: string | null }

/** What a version has to be compared with, so that its nights count. */
export type Rival = Pick<Against, 'kind' | 'version'>

const HOUR = 3_600_000

/**
 * Which nights count: complete ones that ran on schedule while the version was in shadow, compared with what it would
 * replace now. Each night counts once, whatever was computed again. Its times are compared with the time at which it
 * was due, so nights of the past that are made up later never count.
 */
export function judgeNights(
  nights: NightInShadow[],
  challenges: Pick<Challenge, 'started_at' | 'stopped_at'>[],
  rival: Rival,
  minCoverage: number,
): JudgedNight[] {
  return nights.map((night) => {
    const why = reasonAgainst(night, challenges, rival, minCoverage)
    return { ...night, counts: why === undefined, why: why ?? null }
  })
}

/** Undefined: the night counts. */
function reasonAgainst(
  night: NightInShadow,
  challenges: Pick<Challenge, 'started_at' | 'stopped_at'>[],
  rival: Rival,
  minCoverage: number,
): string | undefined {
  const { due, first, state, figures } = night
  if (night.backfilled || first?.backfilled === true) return 'backfilled'
  if (due === null) return 'no schedule expected it'
  if (!challenges.some((challenge) => covers(challenge, due)))
    return `the version was not in shadow when it was due, ${due}`
  if (first === null) return 'not published'
  if (first.trigger === 'manual' || Date.parse(first.at) < Date.parse(due))
    return `run by hand, not by its schedule`
  const latest = Date.parse(due) + (night.partition.includes('T') ? HOUR : 24 * HOUR)
  if (Date.parse(first.at) > latest)
    return `published at ${first.at}, after the next night was due: it was made up later`
  if (night.failure !== null) return `not scored: ${night.failure}`
  if (night.scored_at === null) return 'not scored yet'
  if (Date.parse(night.scored_at) > latest)
    return `scored at ${night.scored_at}, after the next night was due: it was made up later`
  if (state === null) return 'not compared yet'
  if (state === 'failed') return `not compared: ${night.note ?? 'reason unknown'}`
  if (night.against !== rival.kind || night.against_version !== rival.version)
    return `compared with ${rivalText({ kind: night.against ?? 'none', version: night.against_version })}, not with ${rivalText(rival)}`
  if (rival.kind !== 'none' && (figures?.coverage ?? 0) < minCoverage)
    return `not complete: only ${figures?.rows.both ?? 0} of ${figures?.rows.champion ?? 0} rows have scores on both sides`
  return undefined
}

function covers({ started_at, stopped_at }: Pick<Challenge, 'started_at' | 'stopped_at'>, due: string) {
  const at = Date.parse(due)
  return at >= Date.parse(started_at) && (stopped_at === null || at <= Date.parse(stopped_at))
}

/** `7 of 14 nights count`, or `20 nights count, 14 are required`. */
export function countText({ counted, required }: { counted: number; required: number }): string {
  return counted <= required
    ? `${counted} of ${required} nights count`
    : `${counted} nights count, ${required} are required`
}

/** `version 1`, `the current process`, `nothing`. */
export function rivalText({ kind, version }: Rival): string {
  switch (kind) {
    case 'champion':
      return `version ${version ?? '?'}`
    case 'current':
      return 'the current process'
    case 'none':
      return 'nothing'
  }
}

/** `AUC +0.012 (0.003 to 0.02)`: the challenger's figure minus the other side's. */
export function realizedText(realized: JudgedNight['realized']): string {
  const name = realized?.kind === 'regression' ? 'rmse' : 'auc'
  const difference = realized?.against?.difference[name]
  if (difference?.value == null) return ''
  const { value, low, high } = difference
  const bounds = low === null || high === null ? '' : ` (${figure(low)} to ${figure(high)})`
  return `${name.toUpperCase()} ${value > 0 ? '+' : ''}${figure(value)}${bounds}`
}
