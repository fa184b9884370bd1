import type { NumberProfile } from '../../../src/pipeline/profile/profile.ts'

/** A profile counted in plain JavaScript. NaN stands for null. */
export function numberProfile(all: number[], edges: number[]): NumberProfile {
  const values = all.filter((value) => !Number.isNaN(value))
  const counts = [...edges, 0].map(() => 0)
  for (const value of values) {
    const bin = edges.filter((edge) => edge <= value).length
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  const some = values.length > 0
  return {
    kind: 'number',
    column: 'x',
    type: 'DOUBLE',
    score: false,
    rows: all.length,
    nulls: all.length - values.length,
    distinct: new Set(values).size,
    infinite: 0,
    min: some ? values.reduce((a, b) => Math.min(a, b)) : null,
    max: some ? values.reduce((a, b) => Math.max(a, b)) : null,
    mean: some ? mean : null,
    sd: some ? Math.sqrt(variance) : null,
    quantiles: null,
    edges,
    counts,
  }
}

/** The same profile of so many times the rows. */
export function times(profile: NumberProfile, by: number): NumberProfile {
  const { rows, nulls, counts } = profile
  return { ...profile, rows: rows * by, nulls: nulls * by, counts: counts.map((count) => count * by) }
}
