import { distance } from 'fastest-levenshtein'

/** A slip is one of a short word, and is looked for among so many names at most: an aid must not cost more than the work. */
const LONGEST_NAME = 100
const MOST_NAMES = 1000

/**
 * The name that was probably meant, or undefined where nothing is near. Case does not count; one letter in three
 * (at least two) may differ, so that `auc` is offered for `acu` and nothing for a word that is simply another.
 */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  if (name.length > LONGEST_NAME) return undefined
  const wanted = name.toLowerCase()
  let left = MOST_NAMES
  let best: { name: string; distance: number } | undefined
  for (const candidate of names) {
    if (left-- === 0) break
    if (candidate === name || candidate.length > LONGEST_NAME) continue
    const apart = distance(wanted, candidate.toLowerCase())
    if (best === undefined || apart < best.distance) best = { name: candidate, distance: apart }
  }
  if (best === undefined) return undefined
  const allowed = Math.max(2, Math.floor(name.length / 3))
  // Two letters of a word of two or three are the whole word.
  const limit = Math.min(allowed, Math.max(1, Math.max(name.length, best.name.length) - 1))
  return best.distance <= limit ? best.name : undefined
}

/** The tail of an error message: `; did you mean churn?`, or nothing. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const near = nearestName(name, names)
  return near === undefined ? '' : `; did you mean ${near}?`
}
