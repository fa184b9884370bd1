import { html, raw } from 'hono/html'
import type { DailyGate } from '../../../readiness/daily-gates.ts'

/** What an item was on each day, oldest first, as bars of different heights; read aloud as counts. */
export function strip(days: DailyGate[], id: string, title: string) {
  const states = days.toReversed().flatMap(({ day, gate }) => {
    const item = gate.items.find((each) => each.id === id)
    return item === undefined ? [] : [{ day, status: item.status }]
  })
  if (states.length === 0) return ''
  const counts = (['pass', 'waived', 'fail'] as const)
    .map((each) => [each, states.filter(({ status }) => status === each).length] as const)
    .filter(([, count]) => count > 0)
    .map(([each, count]) => `${each} on ${count}`)
  const words = `${title}: ${counts.join(', ')} of ${states.length} days`
  // Dates and states are of known form.
  const bars = states.map(({ day, status }) => `<i class="${status}" title="${day}: ${status}"></i>`).join('')
  return html`<span class="strip" role="img" aria-label="${words}">${raw(bars)}</span>`
}
