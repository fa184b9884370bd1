import type { StandingFile } from '../outcomes/measure-outcome.ts'

/** Features that were scored, with the columns that a mover is shown with. */
export interface FeatureFile extends StandingFile {
  entity: string[]
  columns: string[]
}

/** How a challenger's scores of one night differ from those that they are compared with: the champion's, or a current process'. */
export interface ShadowFigures {
  rows: {
    champion: number
    challenger: number
    /** Entities that both have scored. */
    both: number
    only_champion: number
    only_challenger: number
    /** Of `both`: at least one of the scores is null, NaN or infinite. They are in no other figure. */
    not_numbers: number
  }
  /** Share of the champion's rows that the challenger has scored with a number too; null without rows. */
  coverage: number | null
  /** Spearman, ties at their mean rank. Null: fewer than two rows, or all scores of one side are equal. */
  rank_correlation: number | null
  /**
   * The highest `k` scores of both sides. Rows that are equal at the edge belong to it in part, so that no order of
   * theirs decides.
   */
  top: { k: number; overlap: number | null }
  /** Decisions that differ. `decided`: rows with a decision on both sides. Null without a threshold. */
  flips: Flips | null
  /** Distributions of all finite scores of each side. `ks` is between 0 and 1, `wasserstein` is in units of the score. */
  distance: { ks: number | null; wasserstein: number | null }
  champion: Spread
  challenger: Spread
  by_segment: SegmentFigures[]
  /** Rows that moved most, farthest first. */
  movers: Mover[]
  notes: string[]
}

export interface Flips {
  decided: number
  to_positive: number
  to_negative: number
  /** Null if no row is decided on both sides. */
  rate: number | null
}

/** Of finite scores; null without any. Quantiles at 5, 25, 50, 75 and 95 %. */
export interface Spread {
  mean: number | null
  quantiles: number[] | null
}

export interface SegmentFigures {
  segment: string
  value: string
  rows: number
  rank_correlation: number | null
  flips: Flips | null
  champion_mean: number
  challenger_mean: number
}

export interface Mover {
  /** By column of the champion's entity, as text. */
  entity: Record<string, string>
  champion: number
  challenger: number
  /** 0 for the lowest score of all rows, 1 for the highest. */
  champion_rank: number
  challenger_rank: number
  /** Features as text: those of the challenger's view, then those that only the champion's has. */
  features: Record<string, string | null>
}
