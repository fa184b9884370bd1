import type { ColumnProfile } from '../pipeline/profile/profile.ts'
import { categoryBars } from './category-bars.ts'
import type { Chart } from './chart.ts'
import { histogram } from './histogram.ts'
import type { Words } from './sides.ts'

/**
 * How a column looked in the reference and how it looks tonight, as shares of all rows: the reference as a grey area
 * (or grey bars), tonight as a blue line over it (or blue bars below). Nulls, if any, are drawn separately. Text that
 * is too long for the width is shortened; the description has the full text.
 */
export function beforeAfter(
  reference: ColumnProfile,
  tonight: ColumnProfile,
  words: Words,
  width: number,
): Chart {
  return reference.kind === 'number' && tonight.kind === 'number'
    ? histogram(reference, tonight, words, width)
    : categoryBars(reference, tonight, words, width)
}
