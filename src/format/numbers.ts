/** Digits of a figure that people read. Files, CSV and JSON keep all of them. */
const DIGITS = 4

/** `1,234,567`. Without `Intl`, which takes 15 ms to load. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** A figure in four significant digits, as short as it can be; `none` where there is none. */
export function figure(value: number | null | undefined, none = ''): string {
  return value === null || value === undefined || !Number.isFinite(value) ? none : inDigits(value, DIGITS)
}

/** A value of a row as text: a fraction in as many digits as people read, anything else as it is. */
export function shortFraction(value: string): string {
  return /^-?\d+\.\d{4,}$/.test(value) ? figure(Number(value)) : value
}

/** A difference: `+0.012`, `-0.012`. */
export function signed(value: number | null | undefined, none = ''): string {
  return `${(value ?? 0) > 0 ? '+' : ''}${figure(value, none)}`
}

/** A figure beside the bound that it keeps or breaks: in as many digits as tell the two apart, four at least. */
export function figureBeside(value: number, bound: number): string {
  let digits = DIGITS
  while (value !== bound && digits < 17 && inDigits(value, digits) === inDigits(bound, digits)) digits++
  return inDigits(value, digits)
}

function inDigits(value: number, digits: number): string {
  const size = Math.abs(value)
  if (value !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(digits - 2)
  if (digits === DIGITS && size >= 1000) return count(value)
  return String(rounded(value, digits))
}

/** The nearest number of so many significant digits. */
export function rounded(value: number, digits: number): number {
  return Number(value.toPrecision(digits))
}

export interface Bounds {
  low: number | null
  high: number | null
}

/** `0.74 to 0.8`; nothing where there is no interval. One without a width is none: it is of too few rows. */
export function interval(bounds: Bounds | undefined, show: (value: number) => string = figure): string {
  if (bounds?.low == null || bounds.high === null || bounds.low === bounds.high) return ''
  return `${show(bounds.low)} to ${show(bounds.high)}`
}

/** ` (0.74 to 0.8)` behind a figure. */
export function bracketed(bounds: Bounds | undefined, show: (value: number) => string = figure): string {
  const text = interval(bounds, show)
  return text === '' ? '' : ` (${text})`
}

/** `1 night`, `3 nights`. */
export function counted(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`
}
