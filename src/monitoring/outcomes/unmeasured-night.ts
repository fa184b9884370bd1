import type { Outcome } from './record.ts'

/** A night that no check has looked at since its label window ended. */
export const DUE = 'it is due because its label window has ended, but it has not been checked yet'

/**
 * Why a night is not measured although its label window has ended, with instants as ISO 8601; undefined if the window
 * is still open. The record describes the last check: without a check since then, it says nothing about the present.
 */
export function unmeasured(
  { model, matures_at, looked, note }: Pick<Outcome, 'model' | 'matures_at' | 'looked' | 'note'>,
  now: Date,
): string | undefined {
  if (Date.parse(matures_at) > now.getTime()) return undefined
  if (looked === true && note !== null) return note
  return `${DUE}: run \`nightshift up\` or \`nightshift outcomes ${model} --measure\``
}
