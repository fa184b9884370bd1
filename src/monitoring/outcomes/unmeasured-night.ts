import type { Outcome } from './record.ts'

/**
 * Why a night whose label window is over is not measured, with instants as ISO 8601; undefined where its time has not
 * come. What is on record is of the last look: where nobody has looked since, it says nothing of now.
 */
export function unmeasured(
  { model, matures_at, looked, note }: Pick<Outcome, 'model' | 'matures_at' | 'looked' | 'note'>,
  now: Date,
): string | undefined {
  if (Date.parse(matures_at) > now.getTime()) return undefined
  if (looked === true && note !== null) return note
  return `it is due, since its label window is over, and nobody has looked at it yet: \`nightshift up\` does, or \`nightshift outcomes ${model} --measure\``
}
