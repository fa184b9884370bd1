import { html } from 'hono/html'
import { clockTime } from '../format/clock-time.ts'

/** An instant as the zone's clock shows it; nothing for none. */
export function moment(iso: string | Date | null | undefined, timezone: string) {
  if (iso === null || iso === undefined) return ''
  return html`<time datetime="${new Date(iso).toISOString()}">${clockTime(iso, timezone)}</time>`
}
