import { networkOf } from './network.ts'

/** How many wrong tries are free, and how long the wait behind them may grow. It begins at a second and doubles. */
interface Rule {
  free: number
  longestS: number
}
/** For one account from one network. */
const PAIR: Rule = { free: 5, longestS: 300 }
/** For one account from anywhere, and from one network for any account: short, since others share them. */
const ACCOUNT: Rule = { free: 20, longestS: 30 }
const NETWORK: Rule = { free: 30, longestS: 30 }
/** Wrong tries are forgotten when there were none for so long. */
const FORGOTTEN_MS = 3_600_000
/** Beyond so many keys the oldest are forgotten: memory is worth more than their count. */
const KEYS = 10_000

export interface Throttle {
  /**
   * Counts a try before it is made, so that many at once are as many. Returns the seconds to wait where it may not be
   * made at all; such a try is not counted.
   */
  enter(name: string, address: string): number | undefined
  /**
   * The password was right: the account's tries from there are forgotten, and what others do elsewhere, or behind the
   * same proxy with other names, makes it wait no more from there.
   */
  succeed(name: string, address: string): void
}

interface Tries {
  count: number
  last: number
}

/** Wrong sign-ins, in memory. Nobody is locked out: who waits may try again, and waits longer each time. */
export function openThrottle(clock: () => number = Date.now): Throttle {
  const tries = new Map<string, Tries>()
  const known = new Map<string, true>()

  const counted = (key: string): number => {
    const found = tries.get(key)
    return found === undefined || clock() - found.last > FORGOTTEN_MS ? 0 : found.count
  }
  const wait = (key: string, { free, longestS }: Rule): number => {
    const count = counted(key)
    if (count < free) return 0
    const delayMs = 1000 * Math.min(longestS, 2 ** Math.min(count - free, 20))
    return Math.max(0, Math.ceil(((tries.get(key)?.last ?? 0) + delayMs - clock()) / 1000))
  }
  return {
    enter(name, address) {
      const { pair, account, network } = keysOf(name, address)
      const others = known.has(pair) ? 0 : Math.max(wait(account, ACCOUNT), wait(network, NETWORK))
      const seconds = Math.max(wait(pair, PAIR), others)
      if (seconds > 0) return seconds
      for (const key of [pair, account, network]) {
        putLast(tries, key, { count: counted(key) + 1, last: clock() })
      }
      return undefined
    },
    succeed(name, address) {
      const { pair, account, network } = keysOf(name, address)
      tries.delete(pair)
      // Its own try was none of the wrong ones.
      for (const key of [account, network]) {
        const found = tries.get(key)
        if (found === undefined) continue
        if (found.count <= 1) tries.delete(key)
        else tries.set(key, { ...found, count: found.count - 1 })
      }
      putLast(known, pair, true)
    },
  }
}

/** The first of the map is the one that was idle longest. */
function putLast<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  for (const oldest of map.keys()) {
    if (map.size <= KEYS) break
    map.delete(oldest)
  }
}

function keysOf(name: string, address: string) {
  const network = networkOf(address)
  return {
    pair: JSON.stringify([name, network]),
    account: JSON.stringify([name]),
    network,
  }
}
