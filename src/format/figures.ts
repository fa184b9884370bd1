import { html } from 'hono/html'
import { clockTime } from './clock-time.ts'

/** An instant as the zone's clock shows it; nothing for none. */
export function moment(iso: string | Date | null | undefined, timezone: string) {
  if (iso === null || iso === undefined) return ''
  return html`<time datetime="${new Date(iso).toISOString()}">${clockTime(iso, timezone)}</time>`
}

/** `02:05` of an instant in a zone. */
export function hourAndMinute(iso: string | Date, timezone: string): string {
  return clockTime(iso, timezone).slice(11, 16)
}

/** `4 min`, `350 ms`: how long a step took. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`
}

const WHOLE = new Intl.NumberFormat('en-GB')

/** `1,234,567`. */
export function count(value: number): string {
  return WHOLE.format(value)
}

/** `1.4 MB`. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, value < 1 ? 0 : Math.floor(Math.log10(value) / 3))
  const scaled = value / 1000 ** power
  return `${power === 0 ? scaled : scaled.toFixed(scaled < 10 ? 1 : 0)} ${units[power]}`
}

/** A figure in four significant digits, as short as it can be. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return ''
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e9)) return value.toExponential(2)
  return Math.abs(value) >= 1000 ? WHOLE.format(Math.round(value)) : String(Number(value.toPrecision(4)))
}

/** ` (0.74 to 0.8)`; nothing where there is no interval. One without a width is none: it is of too few rows. */
export function interval(
  bounds: { low: number | null; high: number | null } | undefined,
  said: (value: number) => string = figure,
): string {
  if (bounds?.low == null || bounds.high === null || bounds.low === bounds.high) return ''
  return ` (${said(bounds.low)} to ${said(bounds.high)})`
}
