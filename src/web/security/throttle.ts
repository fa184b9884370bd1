const WINDOW_MS = 15 * 60_000
/** Wrong passwords for one name from one address, and from one address whatever the name. */
const PER_NAME = 5
const PER_ADDRESS = 30
/** Beyond so many keys the oldest are forgotten: memory is worth more than their count. */
const KEYS = 10_000

export interface Throttle {
  /**
   * Counts a try before it is made, so that many at once are as many. Returns the seconds to wait where it may not be
   * made at all.
   */
  enter(name: string, address: string): number | undefined
  /** The password was right: the name's tries from there are forgotten. */
  succeed(name: string, address: string): void
}

/** Wrong sign-ins of the last quarter of an hour, in memory. */
export function openThrottle(clock: () => number = Date.now): Throttle {
  const tries = new Map<string, number[]>()
  const recent = (key: string) => (tries.get(key) ?? []).filter((at) => at > clock() - WINDOW_MS)
  const wait = (key: string, most: number) => {
    const times = recent(key)
    const oldest = times[times.length - most]
    return oldest === undefined ? 0 : Math.ceil((oldest + WINDOW_MS - clock()) / 1000)
  }
  return {
    enter(name, address) {
      const [both, alone] = keysOf(name, address)
      const seconds = Math.max(wait(both, PER_NAME), wait(alone, PER_ADDRESS))
      if (seconds > 0) return seconds
      for (const key of [both, alone]) {
        const times = [...recent(key), clock()]
        // Put last, so that the first of the map is the one that was idle longest.
        tries.delete(key)
        tries.set(key, times)
      }
      for (const key of tries.keys()) {
        if (tries.size <= KEYS) break
        tries.delete(key)
      }
      return undefined
    },
    succeed(name, address) {
      const [both, alone] = keysOf(name, address)
      tries.delete(both)
      // Its own try was none of the wrong ones.
      const others = recent(alone).slice(0, -1)
      if (others.length === 0) tries.delete(alone)
      else tries.set(alone, others)
    },
  }
}

function keysOf(name: string, address: string): [string, string] {
  return [JSON.stringify([name, address]), address]
}
