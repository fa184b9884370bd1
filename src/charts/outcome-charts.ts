import type { Chart } from './chart.ts'
import type { Nights } from './night-axis.ts'
import { type OverTime, overTime, type Value } from './over-time.ts'

/** A figure with its 95 % interval, null where it is not known. */
export interface Estimate {
  value: Value
  low: Value
  high: Value
}

type Shared = Pick<OverTime, 'immature' | 'target'>

/** Quality by night: the measured figure with its interval, and the estimate from the scores before that. */
export function quality(
  nights: Nights,
  { name, measured, estimate, ...shared }: { name: string; measured: Estimate[]; estimate: Value[] } & Shared,
): Chart {
  return overTime({
    title: name,
    nights,
    unit: 'figure',
    ...shared,
    tracks: [
      { name: 'measured', as: 'line', colour: 'tonight', ...withBand(measured) },
      ...(estimate.every((value) => value === null)
        ? []
        : [{ name: 'estimate', as: 'dashed' as const, colour: 'estimate' as const, values: estimate }]),
    ],
  })
}

/** The realized rate by night, with the mean score that predicted it. */
export function realizedAgainstPredicted(
  nights: Nights,
  {
    realized,
    predicted,
    unit,
    ...shared
  }: { realized: Estimate[]; predicted: Value[]; unit: OverTime['unit'] } & Shared,
): Chart {
  return overTime({
    title: 'Realized and predicted',
    nights,
    unit,
    ...shared,
    tracks: [
      { name: 'realized', as: 'line', colour: 'tonight', ...withBand(realized) },
      { name: 'predicted', as: 'dashed', colour: 'estimate', values: predicted },
    ],
  })
}

/** A business figure by night, with the value to reach. */
export function business(
  nights: Nights,
  { name, values, ...shared }: { name: string; values: Value[] } & Shared,
): Chart {
  return overTime({
    title: name,
    nights,
    unit: 'figure',
    ...shared,
    tracks: [{ name, as: 'line', colour: 'tonight', values }],
  })
}

function withBand(estimates: Estimate[]) {
  return {
    values: estimates.map(({ value }) => value),
    band: { low: estimates.map(({ low }) => low), high: estimates.map(({ high }) => high) },
  }
}
