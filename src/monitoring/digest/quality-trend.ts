import type { Model } from '../../project/project.ts'
import { LESS_IS_BETTER, METRICS, type Metric } from '../../project/schema/metric.ts'
import type { MeasuredNight } from '../outcomes/outcome-nights.ts'
import { isEvidence } from '../outcomes/quality-verdicts.ts'
import { qualityBounds } from '../required-bound.ts'

/** How well the scores came true lately, by one figure. */
export interface QualityTrend {
  metric: Metric
  /** The newest measured night and its figure. */
  partition: string
  value: number
  /** The mean of the measured nights before it; undefined if there is none. */
  before: number | undefined
  /** `steady`: the mean before lies within the interval of the newest night. `first`: nothing was measured before it. */
  trend: 'steady' | 'better' | 'worse' | 'first'
}

/**
 * The trend of the first figure that model.yaml bounds, else of the first that was measured.
 *
 * @param measured oldest first
 * @returns undefined if no night is evidence of the quality
 */
export function qualityTrend(
  model: Pick<Model, 'retrain' | 'evaluation'>,
  measured: Pick<MeasuredNight, 'partition' | 'report'>[],
): QualityTrend | undefined {
  const judged = measured.filter(({ report }) => isEvidence(report))
  const newest = judged.at(-1)
  if (newest === undefined) return undefined
  const { metrics, intervals } = newest.report
  const wanted = [...qualityBounds(model).map(({ metric }) => metric), ...METRICS]
  const metric = wanted.find((each) => metrics[each] != null)
  const value = metric === undefined ? undefined : metrics[metric]
  if (metric === undefined || value == null) return undefined
  const earlier = judged.slice(0, -1).flatMap(({ report }) => report.metrics[metric] ?? [])
  const about = { metric, partition: newest.partition, value }
  if (earlier.length === 0) return { ...about, before: undefined, trend: 'first' }
  const before = earlier.reduce((sum, each) => sum + each, 0) / earlier.length
  return { ...about, before, trend: trendOf(before, metric, intervals[metric]) }
}

function trendOf(
  before: number,
  metric: Metric,
  interval: { low?: number | null; high?: number | null } | undefined,
): 'steady' | 'better' | 'worse' {
  const { low, high } = interval ?? {}
  if (low == null || high == null || (before >= low && before <= high)) return 'steady'
  const isBetter = LESS_IS_BETTER.has(metric) ? before > high : before < low
  return isBetter ? 'better' : 'worse'
}
