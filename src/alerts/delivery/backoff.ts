/** An undeliverable mail is given up this long after it was written. Milliseconds. */
export const GIVE_UP_AFTER = 24 * 3_600_000

const FIRST = 15_000
const LONGEST = 2 * 60_000

/**
 * Delay after this many tries, in milliseconds: 15 s, 30 s, 1 min, then every 2 min. The limit is short because an
 * alert from 2 am is worth little at 3 am, and a retry costs a server that is down nothing.
 */
export function backoff(tries: number): number {
  return Math.min(LONGEST, FIRST * 2 ** Math.min(10, Math.max(0, tries - 1)))
}
