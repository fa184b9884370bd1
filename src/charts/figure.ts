/** Figures as people read them: in titles, labels and descriptions of charts. */

/** A share as a percentage: `0.4 %`, `12 %`; `<0.1 %` where there is something, and little. */
export function percent(share: number): string {
  const value = share * 100
  if (value === 0) return '0 %'
  if (Math.abs(value) < 0.1) return `${value < 0 ? '>-' : '<'}0.1 %`
  return Math.abs(value) < 9.95 ? `${value.toFixed(1)} %` : `${Math.round(value)} %`
}

/** Three significant digits: `0.0123`, `12.3`, `12,345`, `1.2e+9`; `-` for none. */
export function amount(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '-'
  const size = Math.abs(value)
  if (size !== 0 && (size >= 1e9 || size < 1e-4)) return value.toExponential(1)
  if (size >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

/** A count: `12,345`. */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}
