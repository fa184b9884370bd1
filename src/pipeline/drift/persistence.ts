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

/**
 * The columns that alert on each night: drifted on as many as it takes of the last nights, that night included. One
 * quiet night among them ends nothing, so that an incident does not close and open again.
 *
 * @param nights the columns that drifted, by night, oldest first
 */
export function alertingColumns(nights: ReadonlySet<string>[], persist: Persist): Set<string>[] {
  return nights.map((_, index) => {
    const last = nights.slice(Math.max(0, index + 1 - persist.nights), index + 1)
    const columns = new Set(last.flatMap((night) => [...night]))
    return new Set(
      [...columns].filter((column) => last.filter((night) => night.has(column)).length >= persist.drifted),
    )
  })
}

/**
 * Index of the night on which a column began to drift as it does on the last one: going back, as many quiet nights in a
 * row are passed over as `persist` forgives. Undefined where it did not drift at all.
 */
export function beganAt(nights: ReadonlySet<string>[], column: string, persist: Persist): number | undefined {
  let began: number | undefined
  let quiet = 0
  for (let index = nights.length - 1; index >= 0 && quiet <= persist.nights - persist.drifted; index--) {
    if (nights[index]?.has(column)) {
      began = index
      quiet = 0
    } else quiet++
  }
  return began
}
