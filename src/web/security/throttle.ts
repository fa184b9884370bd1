import { networkOf } from './network.ts'

/** How many failed attempts are free, and the longest wait after that. The wait starts at 1 s and doubles. */
interface Rule {
  free: number
  longestS: number
}
/** For one account from one network. */
const PAIR: Rule = { free: 5, longestS: 300 }
/** For one account from any network, and for any account from one network: short, because other users share them. */
const ACCOUNT: Rule = { free: 20, longestS: 30 }
const NETWORK: Rule = { free: 30, longestS: 30 }
/** Failed attempts are forgotten after this time without a new one. */
const EXPIRY_MS = 3_600_000
/** The oldest keys above this number are dropped to limit memory. */
const KEYS = 10_000

export interface Throttle {
  /**
   * Counts an attempt before it is made, so that concurrent ones all count. If it is not allowed yet, returns the seconds
   * to wait and does not count it.
   */
  enter(name: string, address: string): number | undefined
  /**
   * The password was right: forgets the account's failed attempts from this network. Attempts of others, from other
   * networks or with other names behind the same proxy, no longer delay the account from this network.
   */
  succeed(name: string, address: string): void
}

interface Attempts {
  count: number
  last: number
}

/** Failed sign-ins, in memory. No one is locked out: a user may try again after a wait, which grows each time. */
export function openThrottle(clock: () => number = Date.now): Throttle {
  const attempts = new Map<string, Attempts>()
  const known = new Map<string, true>()

  const counted = (key: string): number => {
    const found = attempts.get(key)
    return found === undefined || clock() - found.last > EXPIRY_MS ? 0 : found.count
  }
  const wait = (key: string, { free, longestS }: Rule): number => {
    const count = counted(key)
    if (count < free) return 0
    const delayMs = 1000 * Math.min(longestS, 2 ** Math.min(count - free, 20))
    return Math.max(0, Math.ceil(((attempts.get(key)?.last ?? 0) + delayMs - clock()) / 1000))
  }
  return {
    enter(name, address) {
      const { pair, account, network } = keysOf(name, address)
      const others = known.has(pair) ? 0 : Math.max(wait(account, ACCOUNT), wait(network, NETWORK))
      const seconds = Math.max(wait(pair, PAIR), others)
      if (seconds > 0) return seconds
      for (const key of [pair, account, network]) {
        putLast(attempts, key, { count: counted(key) + 1, last: clock() })
      }
      return undefined
    },
    succeed(name, address) {
      const { pair, account, network } = keysOf(name, address)
      attempts.delete(pair)
      // This attempt was counted by `enter` but did not fail.
      for (const key of [account, network]) {
        const found = attempts.get(key)
        if (found === undefined) continue
        if (found.count <= 1) attempts.delete(key)
        else attempts.set(key, { ...found, count: found.count - 1 })
      }
      putLast(known, pair, true)
    },
  }
}

/** Keeps the map ordered by last use, and drops the entries that were unused longest. */
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
