import { html } from 'hono/html'
import type { OutcomeFacts } from '../../../pipeline/outcomes/outcome-facts.ts'

/** The rows on which the figures were measured, if these are not all rows. */
export function bias(treated: OutcomeFacts['treated'] | undefined) {
  if (treated === undefined) return ''
  const { biased, measured_on: on, note } = treated
  const sentence =
    note === null ? undefined : `${note.slice(0, 1).toUpperCase()}${note.slice(1).replace(/\.$/, '')}.`
  if (biased) {
    return html`<p class="note"><strong>Biased by the campaign.</strong> ${sentence ?? 'These figures include rows that were acted on.'}</p>`
  }
  if (on === 'all') return ''
  const whose = on === 'control' ? 'a control group' : 'the rows that were not acted on'
  return html`<p class="quiet small">${sentence ?? `Measured on ${whose}.`}</p>`
}
