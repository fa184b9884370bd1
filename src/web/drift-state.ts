import type { Face } from '../ledger/nights/faces.ts'
import type { NightDrift } from '../monitoring/drift/record.ts'

/** The drift state of a column on a night, including an open alert of a column that did not drift again. */
export type DriftState =
  | 'alerting'
  | 'drifted'
  | 'still alerting'
  | 'as before'
  | 'not compared'
  | 'not compared, alerting'

/** A column that could not be compared is neither good nor bad; an alert from earlier nights stays open. */
export function driftState({
  drifted,
  alerting,
  threshold,
}: Pick<NightDrift, 'drifted' | 'alerting' | 'threshold'>): DriftState {
  if (drifted) return alerting ? 'alerting' : 'drifted'
  if (threshold === null) return alerting ? 'not compared, alerting' : 'not compared'
  return alerting ? 'still alerting' : 'as before'
}

export const DRIFT_FACES: Record<DriftState, Face> = {
  alerting: 'failed',
  drifted: 'late',
  'still alerting': 'late',
  'as before': 'published',
  'not compared': 'expected',
  'not compared, alerting': 'expected',
}

/** Short texts that fit a table. */
export const DRIFT_WORDS: Record<DriftState, string> = {
  alerting: 'alerting',
  drifted: 'drifted',
  'still alerting': 'as before tonight; alerts since earlier nights',
  'as before': 'as before',
  'not compared': 'not compared',
  'not compared, alerting': 'not compared; alerts since earlier nights',
}
