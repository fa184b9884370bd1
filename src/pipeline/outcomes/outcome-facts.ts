import type { InputFile } from '../engine/facts.ts'
import type { Interval } from '../evaluation/bootstrap.ts'
import type { Measured, MeasureFacts } from '../evaluation/measure.ts'
import type { CalibrationBin } from '../evaluation/metrics.ts'

/**
 * Realized outcomes of one night's scores: labels joined to the published scores, with intervals that resample
 * entities.
 */
export interface OutcomeFacts extends Measured {
  kind: 'classification' | 'regression'
  /** Rows of the scores, and of those the rows that have no label. */
  scored: number
  unlabelled: number
  /** Mean label and mean score of the measured rows, and the interval of the first. */
  realized: ({ value: number | null } & Interval) | null
  predicted: number | null
  calibration: CalibrationBin[]
  by_segment: (Measured & { segment: string; value: string })[]
  /**
   * Who was acted on. `measured_on` is the measured group: all entities, those not acted on, or a control group;
   * `biased` is true if the campaign influences the figures; `note` states why.
   */
  treated: {
    known: boolean
    rows: number
    measured_on: 'all' | 'untreated' | 'control'
    biased: boolean
    note: string | null
  }
  /** Other scores of the same rows; the difference is these minus the others, with the interval of resampled pairs. */
  against?: MeasureFacts<never>['rival']
  /** Business figures of model.yaml; `error` where the SQL gave none. */
  business: { name: string; value: number | null; target: number | null; error: string | null }[]
  /** What the labels were read from: labels that arrive late change it. */
  inputs: InputFile[]
  /** Hash of what of the model's files decides on the figures: an edit changes it. */
  definition?: string | undefined
  notes: string[]
}
