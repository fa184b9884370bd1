/** An alert needs drift on `drifted` of the last `nights` nights. */
export interface Persist {
  drifted: number
  nights: number
}

/** Reads `drift.persist`, such as `2 of 3`, which the project's schema has validated. */
export function readPersist(text: string): Persist {
  const [drifted = 1, nights = 1] = text.split(' of ').map(Number)
  return { drifted, nights }
}

/** Of a column on a night; unknown if it could not be judged, for example because of too few rows. */
export type Verdict = 'drifted' | 'quiet' | 'unknown'

/** The columns that were looked at on a night, by name. */
export type Verdicts = ReadonlyMap<string, Verdict>

/**
 * The columns that alert on each night: drifted on as many as it takes of the last nights on which they could be
 * judged, that night included. One quiet night among them ends nothing, so that an incident does not close and open
 * again; and a night that says nothing of a column leaves it as it was.
 *
 * @param nights oldest first
 */
export function alertingColumns(nights: Verdicts[], persist: Persist): Set<string>[] {
  return nights.map(
    (night, index) =>
      new Set(
        [...night.keys()].filter(
          (column) => driftedLately(nights.slice(0, index + 1), column, persist) >= persist.drifted,
        ),
      ),
  )
}

/** On how many of the last nights on which it could be judged a column drifted. */
export function driftedLately(nights: Verdicts[], column: string, { nights: wanted }: Persist): number {
  let [judged, drifted] = [0, 0]
  for (let index = nights.length - 1; index >= 0 && judged < wanted; index--) {
    const verdict = nights[index]?.get(column) ?? 'unknown'
    if (verdict === 'unknown') continue
    judged++
    if (verdict === 'drifted') drifted++
  }
  return drifted
}

/**
 * Index of the night on which a column began to drift as it does on the last one: going back, as many quiet nights in
 * a row are passed over as `persist` forgives. Undefined where it did not drift at all.
 */
export function beganAt(nights: Verdicts[], column: string, persist: Persist): number | undefined {
  let began: number | undefined
  let quiet = 0
  for (let index = nights.length - 1; index >= 0 && quiet <= persist.nights - persist.drifted; index--) {
    const verdict = nights[index]?.get(column)
    if (verdict === 'drifted') {
      began = index
      quiet = 0
    } else if (verdict === 'quiet') quiet++
  }
  return began
}
