/** A figure of scores and what came true, as everything that shows or bounds it needs to know. */
interface MetricDescription {
  /** In model.yaml, JSON, CSV and the ledger. */
  key: string
  /** As people read it. */
  words: string
  /** Of labels that are two classes, or numbers. */
  of: 'classes' | 'numbers'
  better: 'more' | 'less'
  definition: string
}

/** The metrics of an evaluation and of a night, in the order of every table; src/pipeline/evaluation/metrics.ts computes them. */
export const METRIC_TABLE = [
  {
    key: 'auc',
    words: 'ROC AUC',
    of: 'classes',
    better: 'more',
    definition: 'Mann-Whitney U over positives x negatives, ties count half (Hanley and McNeil 1982)',
  },
  {
    key: 'average_precision',
    words: 'average precision',
    of: 'classes',
    better: 'more',
    definition:
      'sum of (R_n - R_n-1) P_n over distinct scores, without interpolation (scikit-learn, `average_precision_score`)',
  },
  {
    key: 'log_loss',
    words: 'log loss',
    of: 'classes',
    better: 'less',
    definition:
      '-mean(y ln p + (1 - y) ln(1 - p)), p clipped to [eps, 1 - eps] of a double (scikit-learn, `log_loss`)',
  },
  {
    key: 'brier',
    words: 'Brier score',
    of: 'classes',
    better: 'less',
    definition: 'mean((p - y)^2) (Brier 1950)',
  },
  {
    key: 'ece',
    words: 'calibration error',
    of: 'classes',
    better: 'less',
    definition: 'ten bins of equal width, mean of |mean p - mean y| weighted by rows (Naeini et al. 2015)',
  },
  {
    key: 'precision_at_k',
    words: 'precision at k',
    of: 'classes',
    better: 'more',
    definition: 'share of positives among the k highest scores, a tie at the border counted in proportion',
  },
  {
    key: 'lift_at_k',
    words: 'lift at k',
    of: 'classes',
    better: 'more',
    definition: 'precision_at_k over the share of positives among all',
  },
  {
    key: 'rmse',
    words: 'RMSE',
    of: 'numbers',
    better: 'less',
    definition: 'root of the mean squared error',
  },
  { key: 'mae', words: 'MAE', of: 'numbers', better: 'less', definition: 'mean absolute error' },
  { key: 'r2', words: 'R²', of: 'numbers', better: 'more', definition: '1 - SSE / SST' },
] as const satisfies readonly MetricDescription[]

type Described = (typeof METRIC_TABLE)[number]
export type Metric = Described['key']
export type ClassMetric = Extract<Described, { of: 'classes' }>['key']
export type NumberMetric = Exclude<Metric, ClassMetric>

/** The metrics that `evaluation.require` may bound. */
export const METRICS: readonly Metric[] = METRIC_TABLE.map(({ key }) => key)

/** Metrics of a score that separates two classes, and of one that predicts a number. */
export const CLASSIFICATION = keysOf('classes')
export const REGRESSION = keysOf('numbers')

/** Of these less is better. */
export const LESS_IS_BETTER: ReadonlySet<Metric> = new Set(
  METRIC_TABLE.flatMap(({ key, better }) => (better === 'less' ? [key] : [])),
)

export function wordsOf(metric: Metric): string {
  return METRIC_TABLE.find(({ key }) => key === metric)?.words ?? metric
}

function keysOf(kind: Described['of']): readonly Metric[] {
  return METRIC_TABLE.flatMap(({ key, of }) => (of === kind ? [key] : []))
}

/** The columns of a model's nights.csv before those of METRICS, each of which is followed by its interval. */
export const NIGHT_COLUMNS = [
  'as_of',
  'state',
  'late',
  'run',
  'version',
  'backfilled',
  'published_at',
  'rows',
  'seconds',
  'score_p05',
  'score_p25',
  'score_median',
  'score_p75',
  'score_p95',
  'score_mean',
  'compared_with',
  'drifted_columns',
  'estimated_auc',
  'estimated_rate',
  'outcome',
  'matures_at',
  'labelled_rows',
  'measured_on',
  'biased',
  'realized',
  'realized_low',
  'realized_high',
  'predicted',
] as const

/** The columns of METRICS there: the figure and its interval. */
export function metricColumns(metric: Metric): [string, string, string] {
  return [metric, `${metric}_low`, `${metric}_high`]
}

/** Whether a business figure of that name would collide with a built-in figure, in nights.csv or in a table. */
export function isBuiltIn(name: string): boolean {
  const plain = (text: string) =>
    text
      .trim()
      .toLowerCase()
      .replace(/[\s_-]+/g, '_')
  const own: string[] = [...NIGHT_COLUMNS, ...METRICS.flatMap(metricColumns), ...METRICS.map(wordsOf)]
  return own.some((each) => plain(each) === plain(name))
}

/** The tables of a night that `outcomes.metrics` may read in addition to the sources. */
export const NIGHT_TABLES = ['scores', 'labels', 'treated', 'control', 'features'] as const
export type NightTable = (typeof NIGHT_TABLES)[number]
