import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION_MS = 10

let delays: IntervalHistogram | undefined

/**
 * The longest time in seconds since the last call that this process could do nothing else: its own work, or other processes on
 * a busy machine. Undefined at the first call, which begins to watch.
 */
export function longestDelay(): number | undefined {
  if (delays === undefined) {
    delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    delays.enable()
    return undefined
  }
  const longest = Math.max(0, delays.max / 1e9 - RESOLUTION_MS / 1000)
  delays.reset()
  return longest
}
