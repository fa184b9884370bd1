import { html } from 'hono/html'
import type { Viewer } from '../page-context.ts'

/** A button that does what a command does. */
export interface Button {
  path: string
  text: string
  /** It asks for a reason. */
  reason: boolean
  /** It gives something up, a night, a check or mails: it does not look like what is to be tried first. */
  second?: true
}

/**
 * The form of a button. `back`: the page that shows what came of it, one that `pageAfter` admits; default: the page of the run.
 */
export function buttonForm(
  { path, text, reason, second }: Button,
  { csrf }: Pick<Viewer, 'csrf'>,
  back?: string,
) {
  return html`<form method="post" action="${path}"><input type="hidden" name="csrf" value="${csrf}">${back === undefined ? '' : html`<input type="hidden" name="back" value="${back}">`}
${reason ? html`<label>Why<input type="text" name="reason" required maxlength="1000" autocomplete="off"></label>` : ''}
<button${second ? html` class="second"` : ''}>${text}</button></form>`
}

/** Pages that show what came of a button that was pressed on them. An address of elsewhere is none. */
const BACK =
  /^\/(?:(?:incidents|backfills)\/\d{1,15}|nights\/[^/?#\\.%][^/?#\\]*\/\d[^/?#\\]*(?:\?kind=features)?)$/

/** Where a press leads to: back to the page that its form names, otherwise to the usual one. */
export function pageAfter({ back }: { back?: string }, done: string, usual: string): string {
  const path = back !== undefined && BACK.test(back) ? back : usual
  return `${path}${path.includes('?') ? '&' : '?'}done=${done}`
}
