import { html } from 'hono/html'
import { type Face, wordsOf } from '../ledger/nights/faces.ts'

/** A word with its shape and colour. */
export function stateMark(face: Face | 'doubt', words?: string, size = '') {
  words ??= face === 'doubt' ? 'check first' : wordsOf(face)
  return html`<span class="state face face-${face} ${size}">${words}</span>`
}

/** Explains the shapes. */
export function legend(extra: ReturnType<typeof html> | '' = '') {
  const shown = [
    'published',
    'tardy',
    'late',
    'held',
    'failed',
    'running',
    'waiting',
    'skipped',
    'expected',
  ] as const
  return html`<ul class="legend" aria-label="What the shapes mean">${shown.map((face) => html`<li>${stateMark(face)}</li>`)}${extra}</ul>`
}
