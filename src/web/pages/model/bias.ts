import { html } from 'hono/html'
import type { OutcomeFacts } from '../../../pipeline/outcomes/outcome-facts.ts'

/** Whose figures these are, where it is not everybody's. */
export function bias(treated: OutcomeFacts['treated'] | undefined) {
  if (treated === undefined) return ''
  const { biased, measured_on: on, note } = treated
  const told =
    note === null ? undefined : `${note.slice(0, 1).toUpperCase()}${note.slice(1).replace(/\.$/, '')}.`
  if (biased) {
    return html`<p class="note"><strong>Biased by the campaign.</strong> ${told ?? 'Those that were acted on are in these figures.'}</p>`
  }
  if (on === 'all') return ''
  const whose = on === 'control' ? 'a control group' : 'those that nobody acted on'
  return html`<p class="quiet small">${told ?? `Measured on ${whose}.`}</p>`
}
