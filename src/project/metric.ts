/** Metrics of a score that tells two classes apart; src/pipeline/evaluation/metrics.ts has their formulas. */
export const CLASSIFICATION = [
  'auc',
  'average_precision',
  'log_loss',
  'brier',
  'ece',
  'precision_at_k',
  'lift_at_k',
] as const

/** Metrics of a score that foretells a number. */
export const REGRESSION = ['rmse', 'mae', 'r2'] as const

/** The metrics that an evaluation knows and that `evaluation.require` may bound. */
export const METRICS = [...CLASSIFICATION, ...REGRESSION] as const

export type Metric = (typeof METRICS)[number]

/** What people read, in the order of METRICS. */
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
