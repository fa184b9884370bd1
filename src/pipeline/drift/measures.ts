import type { ColumnProfile } from '../profile/profile.ts'
import { distanceOfPsi, jensenShannon } from './jensen-shannon.ts'
import { ksOfProfiles } from './kolmogorov-smirnov.ts'
import { psi } from './psi.ts'
import { wassersteinOverDeviation } from './wasserstein.ts'

/** A column of the reference and of tonight, counted on the same edges or values. */
export interface Sides {
  before: ColumnProfile
  now: ColumnProfile
  /** In the bins that are compared. */
  counts: { before: Float64Array; now: Float64Array }
}

/** One way to say how far a column is from its reference, as everything that shows it needs to know. */
export interface Measure {
  /** In JSON, CSV and the ledger. */
  key: string
  /** In tables, mails and sentences. */
  name: string
  /** Over a narrow column. */
  short: string
  /** In full. */
  title: string
  /** Kinds of columns, and a definition: for docs/drift.md. */
  of: string
  definition: string
  /** Null or NaN where there is none. */
  between(sides: Sides): number | null
}

/** The measures of drift, in the order of every table. */
export const MEASURES = [
  {
    key: 'psi',
    name: 'PSI',
    short: 'PSI',
    title: 'Population stability index',
    of: 'numbers (decides), categories',
    definition:
      'sum of (q - p) ln(q / p) over about ten bins of equal share of the reference, one for infinities, one for nulls (Siddiqi 2006); a share of 0 counts as 0.0001, as in Evidently',
    between: ({ counts }) => psi(counts.before, counts.now),
  },
  {
    key: 'jensen_shannon',
    name: 'Jensen-Shannon',
    short: 'JS',
    title: 'Jensen-Shannon distance',
    of: 'categories (decides), numbers',
    definition:
      "the distance: root of the divergence in bits, 0 to 1 (scipy's `jensenshannon`, base 2) over the counted values, `other`, `unseen` and nulls",
    between: ({ counts }) => jensenShannon(counts.before, counts.now),
  },
  {
    key: 'ks',
    name: 'K-S',
    short: 'K-S',
    title: 'Kolmogorov-Smirnov D',
    of: 'numbers',
    definition:
      'the largest distance of the distribution functions at the edges: less than the exact one by at most the largest bin, about 0.01',
    between: ({ before, now }) =>
      before.kind === 'number' && now.kind === 'number' ? ksOfProfiles(before, now) : null,
  },
  {
    key: 'wasserstein',
    name: 'Wasserstein/sd',
    short: 'W / sd',
    title: 'Wasserstein over the standard deviation of the reference',
    of: 'numbers',
    definition:
      'area between the distribution functions, straight between the edges, never less than the difference of the means, over the standard deviation of the reference',
    between: ({ before, now }) =>
      before.kind === 'number' && now.kind === 'number' ? wassersteinOverDeviation(before, now) : null,
  },
] as const satisfies readonly Measure[]

export type MeasureName = (typeof MEASURES)[number]['key']
export type MeasureFigures = Record<MeasureName, number | null>

/** Of a column that is compared with nothing. */
export const NO_FIGURES: MeasureFigures = { psi: null, jensen_shannon: null, ks: null, wasserstein: null }

/** The measure that decides on a column of this kind, and what it is where the least effect is given as a PSI. */
export const DECIDING = {
  number: { statistic: 'psi', between: psi, least: (minEffect: number) => minEffect },
  category: { statistic: 'jensen_shannon', between: jensenShannon, least: distanceOfPsi },
} as const

/** Every figure; null where it does not exist for these sides. */
export function measureSides(sides: Sides): MeasureFigures {
  const figures = { ...NO_FIGURES }
  for (const { key, between } of MEASURES) {
    const value = between(sides)
    figures[key] = value !== null && Number.isFinite(value) ? value : null
  }
  return figures
}

/** `PSI`, as sentences name a measure. */
export function nameOf(measure: MeasureName): string {
  return MEASURES.find(({ key }) => key === measure)?.name ?? measure
}
