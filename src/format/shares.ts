import { counted, figureBeside } from './numbers.ts'

/** A share as a percentage: `0.4 %`, `12 %`; `<0.1 %` for something and little, `>99.9 %` for nearly all. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return ''
  const value = share * 100
  const size = Math.abs(value)
  if (value === 0) return '0 %'
  if (size < 0.1) return `${value < 0 ? '>-' : '<'}0.1 %`
  if (value > 99.9 && value < 100) return '>99.9 %'
  return size < 9.95 || (size > 99 && size < 100) ? `${value.toFixed(1)} %` : `${Math.round(value)} %`
}

/** A share beside the bound that it keeps or breaks, in as many digits as tell the two apart. */
export function percentBeside(share: number, bound: number): string {
  return `${figureBeside(share * 100, bound * 100)} %`
}

/** A bound as written by the user: `12.5 %`, without floating-point noise. */
export function exactPercent(share: number): string {
  return `${Number((share * 100).toPrecision(12))} %`
}

/** Of which rows precision and lift at k are: a number of rows, or below 1 a share of them, as in `evaluation.k`. */
export function highestRows(k: number): string {
  return k < 1 ? `the highest ${exactPercent(k)} of the rows` : `the highest ${counted(k, 'row')}`
}
