import { html } from 'hono/html'

/** Why a parameter of an address cannot be read: it is none of those that are legal. Empty is as good as absent. */
export function choiceProblem(name: string, given: string | undefined, legal: readonly string[]): string[] {
  if (given === undefined || given === '' || legal.includes(given)) return []
  return [`${name}: expected ${legal.length === 1 ? '' : 'one of '}${legal.join(', ')}, got: ${given}`]
}

/** In place of the results, where an address could not be read: nothing is found that nobody asked for. */
export function unreadable(problems: string[], all: { href: string; text: string }) {
  return html`${problems.map((problem) => html`<p class="notice alarm" role="alert">${problem}</p>`)}
<p><a href="${all.href}">${all.text}</a></p>`
}
