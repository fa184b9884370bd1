import type { Persist } from '../../pipeline/drift/persistence.ts'
import { isFewOnRecord } from '../../pipeline/evaluation/few.ts'
import { isMostlyUnlabelled } from '../../pipeline/outcomes/unlabelled.ts'
import type { MeasuredReport } from '../evidence.ts'
import { keeps, type QualityBound } from '../required-bound.ts'

/**
 * What one measured night says of a bound.
 *
 * worse          the whole interval is on the wrong side of the bound
 * perhaps worse  the figure is on the wrong side, but its interval includes the bound: that may be chance
 * met            the figure keeps the bound
 * unknown        there is no figure, or it is no evidence for or against the model
 */
export type QualityVerdict = 'worse' | 'perhaps worse' | 'met' | 'unknown'

/** Figures that a campaign influences, of few rows, or of nights whose labels are mostly missing, are no evidence. */
export function isEvidence(report: MeasuredReport): boolean {
  return !(report.treated.biased || isFewOnRecord(report) || isMostlyUnlabelled(report))
}

export function qualityVerdict(report: MeasuredReport, bound: QualityBound): QualityVerdict {
  const value = report.metrics[bound.metric]
  const { low, high } = report.intervals[bound.metric] ?? {}
  if (value == null || low == null || high == null) return 'unknown'
  if (!isEvidence(report)) return 'unknown'
  if (keeps(value, bound)) return 'met'
  return keeps(bound.side === 'at least' ? high : low, bound) ? 'perhaps worse' : 'worse'
}

/**
 * What the measured nights of a model say of a bound, by `drift.persist` (N of M).
 *
 * worse  N of the last M nights are worse; or each of the last 2 M is worse or perhaps worse
 * met    not worse, and the last N nights keep the bound
 * open   neither: an incident is not opened, and one that is open is not closed
 *
 * Nights that say nothing are passed over.
 *
 * @param verdicts oldest first
 */
export function qualityStanding(
  verdicts: QualityVerdict[],
  { drifted: least, nights }: Persist,
): 'worse' | 'met' | 'open' {
  const judged = verdicts.filter((verdict) => verdict !== 'unknown')
  const surely = judged.slice(-nights).filter((verdict) => verdict === 'worse').length
  const long = judged.slice(-nights * 2)
  if (surely >= least) return 'worse'
  if (long.length === nights * 2 && !long.includes('met')) return 'worse'
  const lately = judged.slice(-least)
  return lately.length === least && lately.every((verdict) => verdict === 'met') ? 'met' : 'open'
}
