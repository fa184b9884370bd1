import type { Drift } from './drift-figures.ts'

/** How many times its threshold a column moved; one of which only nulls or unseen values tell is at it. */
export function excess(drift: Pick<Drift, Drift['statistic'] | 'statistic' | 'threshold' | 'fired'>): number {
  const value = drift[drift.statistic]
  if (value === null || !drift.threshold) return drift.fired.length > 0 ? 1 : 0
  return value / drift.threshold
}
