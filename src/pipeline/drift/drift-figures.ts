import type { DECIDING, MeasureFigures } from './measures.ts'

/** The measure that decides. */
export type DriftStatistic = (typeof DECIDING)[keyof typeof DECIDING]['statistic']

/** Of the whole distribution, of the rate of nulls, of the rate of values that the reference does not have. */
export type DriftTest = 'distribution' | 'nulls' | 'unseen'

/** Which of the three a threshold is: the largest decides. */
export type ThresholdFrom = 'resampling' | 'as-ofs' | 'min_effect'

/** How far one column of a night is from its reference; null where a figure does not exist for it. */
export interface Drift extends MeasureFigures {
  column: string
  score: boolean
  /** Of the night. */
  rows: number
  null_rate: number
  /** Share of values that the reference does not have: categories only; of numbers null. */
  unseen_rate: number | null
  reference: { rows: number; null_rate: number; mean: number | null }
  mean: number | null
  statistic: DriftStatistic
  /** Of the deciding statistic; null where there are not enough rows. */
  threshold: number | null
  /** Which of the three the threshold is. */
  threshold_from: ThresholdFrom | null
  /** Of the deciding statistic, by resampling; null where it could not be had. */
  p: number | null
  drifted: boolean
  /** Which tests fired. */
  fired: DriftTest[]
  /** What there is to say, such as `not enough rows` or `all null`. */
  note: string | null
}
