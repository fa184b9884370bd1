import { distance } from 'fastest-levenshtein'

/**
 * The name that was probably meant, or undefined where nothing is near. Case does not count; one letter in three
 * (at least two) may differ, so that `auc` is offered for `acu` and nothing for a word that is simply another.
 */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase()
  let best: { name: string; distance: number } | undefined
  for (const candidate of names) {
    if (candidate === name) continue
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
