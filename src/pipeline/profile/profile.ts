/**
 * What a partition looks like, column by column: small enough for a jsonb column, and countable against another
 * partition's profile, because both were counted on the same edges and the same values (those of the baseline).
 */
export interface Profile {
  rows: number
  /** Different entities among the rows: in a night as many as rows, in a holdout of several as-ofs fewer. */
  entities: number
  columns: ColumnProfile[]
  /** Columns that cannot be counted, and why, such as `a BLOB is not compared`. */
  left_out: { column: string; why: string }[]
}

export type ColumnProfile = NumberProfile | CategoryProfile

interface Counted {
  column: string
  /** DuckDB's name of the type. */
  type: string
  /** It is the score and no feature. */
  score: boolean
  rows: number
  nulls: number
  /** Approximate. */
  distinct: number
}

/** Integers, decimals, floats; dates and timestamps in seconds since 1970. */
export interface NumberProfile extends Counted {
  kind: 'number'
  /** NaN and infinities: counted here, and in no other figure. */
  infinite: number
  /** Of the finite values; null where there are none. */
  min: number | null
  max: number | null
  mean: number | null
  /** Of the population; null too where it is too large for a number. */
  sd: number | null
  /** At QUANTILES, interpolated between the edges; null where there are no finite values. */
  quantiles: number[] | null
  /** Ascending, distinct, at most 99: quantiles of the baseline (see edges.ts). Empty where it has no values. */
  edges: number[]
  /**
   * Finite values below the first edge, from each edge up to the next (`edges[i] <= x < edges[i+1]`), from the last
   * on.
   */
  counts: number[]
}

/** Texts, booleans and enums. */
export interface CategoryProfile extends Counted {
  kind: 'category'
  /** Values of the baseline, most frequent first, at most 50. */
  values: string[]
  /** Rows with each of `values`. */
  counts: number[]
  /** Rows with a value that the baseline has, beyond its 50. */
  other: number
  /** Rows with a value that the baseline does not have. */
  unseen: number
  /** The most frequent of those, at most five. */
  unseen_values: { value: string; count: number }[]
  /**
   * All further values of the baseline: in its own profile alone, and not where it has more than KNOWN_VALUES.
   * Without them unseen values cannot be distinguished from rare ones, and all beyond `values` are `other`.
   */
  known?: string[]
}

/** Distributions against which nights are compared: stored with a version. */
export interface Baseline {
  /** Where it is from, such as `holdout of 3f2a9c0b1d` or `first night 2026-11-01`. */
  text: string
  kind: 'holdout' | 'night'
  /** Partition of the night that it is. */
  night?: string
  /** Id of the training set whose holdout it is. */
  dataset: string | null
  rows: number
  profile: Profile
  /** The same by as-of: how much the reference differs from itself. */
  by_as_of: { as_of: string; profile: Profile }[]
}

/** Where the quantiles of a profile are taken. */
export const QUANTILES = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99] as const
/** Values of a baseline that are counted one by one. */
export const COUNTED_VALUES = 50
/** Values of a baseline that are remembered. */
export const KNOWN_VALUES = 1000
