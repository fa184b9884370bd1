import { html } from 'hono/html'
import type { OutcomeFacts } from '../../../pipeline/outcomes/outcomes.ts'

/** Whose figures these are, where it is not everybody's. */
export function bias(treated: OutcomeFacts['treated'] | undefined) {
  if (treated === undefined) return ''
  const { biased, measured_on: on, note } = treated
  if (biased) {
    return html`<p class="note"><strong>Biased by the campaign.</strong> ${note ?? 'Those that were acted on are in these figures.'}</p>`
  }
  if (on === 'all') return ''
  const whose = on === 'control' ? 'a control group' : 'those that nobody acted on'
  return html`<p class="quiet small">Measured on ${whose}${note === null ? '' : `: ${note}`}.</p>`
}
