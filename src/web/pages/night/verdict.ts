import { html } from 'hono/html'
import { verdictHistory } from '../../../monitoring/trust/verdict-history.ts'
import { stateMark } from '../../state-mark.ts'
import { wordsOfAnswer } from '../overview/choose-models.ts'
import type { Night } from './load.ts'

/** More changes than these are for `show --json`. */
const MOST_CHANGES = 5

/**
 * May the list of this night be used, and why? Nothing for features, and for a run whose scores nobody has or will have. `page`: that of
 * the night, if this is another one.
 */
export function verdict({ trust, verdicts, slot, run, drift }: Night, timezone: string, page = '') {
  if (trust === undefined) return ''
  const isTheNight = run === undefined || run.id === slot.run || run.id === slot.published_run
  if (!isTheNight) return ''
  const { answer, face, reasons, missing } = trust
  // On the page of the night its run says below why it failed.
  const isTold =
    page === '' && run?.failure != null && (missing?.face === 'failed' || missing?.face === 'held')
  const shown = [...reasons, ...(missing === undefined || isTold ? [] : [missing])]
  const moved = drift.filter(({ drifted }) => drifted).length
  const changes = verdictHistory(verdicts, timezone).slice(0, MOST_CHANGES)
  return html`<div class="verdict face face-${face}"><p class="answer"><span class="quiet small">May this list be used?</span> ${stateMark(face, wordsOfAnswer(answer))}</p>
${shown.length === 0 ? '' : html`<ul>${shown.map((each) => html`<li class="face face-${each.face}">${each.text}</li>`)}</ul>`}
${changes.length === 0 ? '' : html`<ul class="small quiet">${changes.map((text) => html`<li>${text}</li>`)}</ul>`}
${moved === 0 ? '' : html`<p class="small"><a href="${page}#drift">${moved === 1 ? 'The column that moved' : `The ${moved} columns that moved`}</a></p>`}</div>`
}
