/**
 * Histograms and distinct values of larger files are counted on every second, third, ... row, at least this many: for
 * the 20 columns of 1,000,000 rows they take 0.07 s then and not 0.5 s. What the sample adds to a PSI of ten bins is
 * 9 / 62,500. Rows, nulls, infinities, extremes, means, deviations and categories are of all rows.
 */
export const SAMPLED_ROWS = 62_500
