import type { NumberProfile } from '../pipeline/profile/profile.ts'
import { QUANTILES } from '../pipeline/profile/profile.ts'
import type { Chart } from './chart.ts'
import type { Nights } from './night-axis.ts'
import { overTime } from './over-time.ts'

/**
 * The distribution of the score by night: the median, the middle half and the middle 90 % of the rows. `scores` has the
 * score's profile of each night, null where there is none; `apart` says which nights were filled in later.
 */
export function scoreOverTime(
  nights: Nights,
  scores: (Pick<NumberProfile, 'quantiles'> | null)[],
  { apart }: { apart: boolean[] },
): Chart {
  const at = (quantile: (typeof QUANTILES)[number]) =>
    scores.map((score) => score?.quantiles?.[QUANTILES.indexOf(quantile)] ?? null)
  const none = scores.map(() => null)
  return overTime({
    title: 'Score',
    nights,
    unit: 'figure',
    tracks: [
      {
        name: '90 % of rows',
        opacity: 0.18,
        as: 'area',
        colour: 'band',
        values: none,
        band: { low: at(0.05), high: at(0.95) },
      },
      {
        name: 'half of rows',
        opacity: 0.38,
        as: 'area',
        colour: 'band',
        values: none,
        band: { low: at(0.25), high: at(0.75) },
      },
      { name: 'median', as: 'line', colour: 'tonight', values: at(0.5), apart },
    ],
  })
}
