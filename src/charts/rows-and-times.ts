import type { Chart } from './chart.ts'
import type { Nights } from './night-axis.ts'
import { overTime, type Value } from './over-time.ts'

/** Published rows by night. */
export function rowsPerNight(nights: Nights, values: Value[], { apart }: { apart: boolean[] }): Chart {
  return overTime({
    title: 'Rows',
    nights,
    unit: 'count',
    fromZero: true,
    tracks: [{ name: 'rows', as: 'bars', colour: 'reference', values, apart }],
  })
}

/** Seconds from the start of a night's first attempt to its publication. */
export function secondsPerNight(nights: Nights, values: Value[], { apart }: { apart: boolean[] }): Chart {
  return overTime({
    title: 'Seconds',
    nights,
    unit: 'seconds',
    fromZero: true,
    tracks: [{ name: 'seconds', as: 'bars', colour: 'reference', values, apart }],
  })
}
