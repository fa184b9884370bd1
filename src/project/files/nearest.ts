import { distance } from 'fastest-levenshtein'

/** Suggestions are searched for short words among a limited number of names, so that they stay cheap. */
const LONGEST_NAME = 100
const MOST_NAMES = 1000

/**
 * The name that was probably meant, or undefined if none is close. Case is ignored. One letter in three (at least
 * two) may differ: `auc` is suggested for `acu`, but nothing for an unrelated word.
 */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  if (name.length > LONGEST_NAME) return undefined
  const typed = name.toLowerCase()
  let left = MOST_NAMES
  let best: { name: string; distance: number } | undefined
  for (const candidate of names) {
    if (left-- === 0) break
    if (candidate === name || candidate.length > LONGEST_NAME) continue
    const apart = distance(typed, candidate.toLowerCase())
    if (best === undefined || apart < best.distance) best = { name: candidate, distance: apart }
  }
  if (best === undefined) return undefined
  const allowed = Math.max(2, Math.floor(name.length / 3))
  // In a word of two or three letters, two differences would match anything.
  const limit = Math.min(allowed, Math.max(1, Math.max(name.length, best.name.length) - 1))
  return best.distance <= limit ? best.name : undefined
}

/** The tail of an error message: `; did you mean churn?`, or nothing. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const near = nearestName(name, names)
  return near === undefined ? '' : `; did you mean ${near}?`
}
