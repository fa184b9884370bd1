import { html } from 'hono/html'

/** As many characters name a file among all that anybody has. */
const SHOWN = 12

/** The beginning of a hash; opened, the whole of it, to be copied. */
export function shortHash(hash: string | null | undefined) {
  if (hash == null || hash === '') return ''
  if (hash.length <= SHOWN) return html`<code>${hash}</code>`
  return html`<details class="hash"><summary><code>${hash.slice(0, SHOWN)}</code></summary><code>${hash}</code></details>`
}
