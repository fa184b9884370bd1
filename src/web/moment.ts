import { html } from 'hono/html'
import { clockTime } from '../format/clock-time.ts'

/** An instant as local time in the zone; empty for null. */
export function moment(iso: string | Date | null | undefined, timezone: string) {
  if (iso === null || iso === undefined) return ''
  return html`<time datetime="${new Date(iso).toISOString()}">${clockTime(iso, timezone)}</time>`
}
