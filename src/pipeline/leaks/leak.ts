/**
 * How a training set can know what no night could have known.
 *
 * static           a source without time is seen as it is now, whatever the as-of
 * future-rows      a feature changes when rows after the as-of are added
 * future-value     a row that is seen at the as-of says what came after it, such as its own end
 * load-date        the declared time is the time of the load, not the time at which it happened
 * rewritten        rows that are seen at the as-of were written again after it
 * arrival          the files say when rows arrive, and the source is not cut by it
 * separates-label  one feature alone tells the label
 */
export type LeakKind =
  | 'static'
  | 'future-rows'
  | 'future-value'
  | 'load-date'
  | 'rewritten'
  | 'arrival'
  | 'separates-label'

export interface Leak {
  kind: LeakKind
  /** A warning is a suspicion that the files alone cannot settle. */
  severity: 'error' | 'warning'
  view: string
  /** Null where the finding is about a feature, wherever it comes from. */
  source: string | null
  /** Of the source, or of the view where `source` is null. */
  column: string | null
  /** Features of the view that are touched, where the check knows them. */
  features: string[]
  /** Label of the as-of at which most rows are touched; null where it holds of all. */
  as_of: string | null
  /** Rows of the source, or of the view where `source` is null. */
  rows: number
  /** Entities, or a feature's values with and without the rows behind the as-of. */
  examples: string[]
  message: string
  fix: string
}
