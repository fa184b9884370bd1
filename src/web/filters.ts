import { html } from 'hono/html'

/** Reports a query parameter that is not one of the legal values. An empty one counts as absent. */
export function choiceProblem(name: string, given: string | undefined, legal: readonly string[]): string[] {
  if (given === undefined || given === '' || legal.includes(given)) return []
  return [`${name}: expected ${legal.length === 1 ? '' : 'one of '}${legal.join(', ')}, got: ${given}`]
}

/** Shown instead of results if the query is invalid: an unintended search would be misleading. */
export function unreadable(problems: string[], all: { href: string; text: string }) {
  return html`${problems.map((problem) => html`<p class="notice alarm" role="alert">${problem}</p>`)}
<p><a href="${all.href}">${all.text}</a></p>`
}
