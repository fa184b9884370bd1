import type { Duration, Model, View } from '../project.ts'
import { type AsOf, type Moment, momentAfter } from './asof.ts'

/** The window of a label: from the as-of to `end`. */
export interface LabelWindow {
  asOf: AsOf
  end: Moment
  /** When its data is complete: the end plus `labels.lag`. ISO 8601. */
  complete: string
}

/** The view with all sources of labels and outcomes: its own and those of model.yaml. */
export function labelView(view: View, { sources = {} }: { sources?: Model['sources'] | undefined }): View {
  return { ...view, sources: { ...view.sources, ...sources } }
}

export function labelWindow(
  asOf: AsOf,
  { horizon, lag }: { horizon: Duration; lag: Duration },
  timezone: string,
): LabelWindow {
  const end = momentAfter(asOf, horizon, timezone)
  const complete = momentAfter(end, lag, timezone).instant
  return { asOf, end, complete }
}
