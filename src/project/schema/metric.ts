/** Metrics of a score that separates two classes; src/pipeline/evaluation/metrics.ts has their formulas. */
export const CLASSIFICATION = [
  'auc',
  'average_precision',
  'log_loss',
  'brier',
  'ece',
  'precision_at_k',
  'lift_at_k',
] as const

/** Metrics of a score that predicts a number. */
export const REGRESSION = ['rmse', 'mae', 'r2'] as const

/** The metrics of an evaluation, which `evaluation.require` may bound. */
export const METRICS = [...CLASSIFICATION, ...REGRESSION] as const

export type Metric = (typeof METRICS)[number]

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
  const own: string[] = [...NIGHT_COLUMNS, ...METRICS.flatMap(metricColumns), ...Object.values(METRIC_WORDS)]
  return own.some((each) => plain(each) === plain(name))
}

/** Display names, in the order of METRICS. */
export const METRIC_WORDS: Record<Metric, string> = {
  auc: 'ROC AUC',
  average_precision: 'average precision',
  log_loss: 'log loss',
  brier: 'Brier score',
  ece: 'calibration error',
  precision_at_k: 'precision at k',
  lift_at_k: 'lift at k',
  rmse: 'RMSE',
  mae: 'MAE',
  r2: 'R2',
}

/** The tables of a night that `outcomes.metrics` may read in addition to the sources. */
export const NIGHT_TABLES = ['scores', 'labels', 'treated', 'control', 'features'] as const
export type NightTable = (typeof NIGHT_TABLES)[number]
