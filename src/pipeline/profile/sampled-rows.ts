/**
 * Histograms and distinct values of larger files are counted on every second, third, ... row, at least this many: the
 * 20 columns of 1,000,000 rows take 0.25 s then and not 0.55 s. What the sample adds to a PSI of ten bins is 9 / 125,000.
 * Rows, nulls, infinities, extremes, means, deviations and categories are of all rows.
 */
export const SAMPLED_ROWS = 125_000
