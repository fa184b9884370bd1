/** A repeated action that never overlaps itself and runs at once when woken. */
export interface Loop {
  /** Runs it now, or once more right after the current round. */
  wake(): void
  /** Waits for the current round; there is none after it. */
  close(): Promise<void>
}

/** A round that takes longer costs others of the machine's time. */
const LONG_MS = 100

/**
 * Starts a loop with a pause between rounds. A round that throws is reported to `onError` and does not end the loop:
 * the next round finds the remaining work again. A round may return the milliseconds until there is work, if that is
 * sooner than the pause ends. `rests`: after a long round it pauses for as long, even if woken.
 */
export function startLoop(
  round: () => Promise<number | undefined>,
  {
    everyMs,
    onError,
    rests = false,
  }: { everyMs: number; onError: (error: unknown) => void; rests?: boolean },
): Loop {
  let closed = false
  let woken = false
  let timer: NodeJS.Timeout | undefined
  let pause = everyMs
  let underWay: Promise<void> | undefined
  let restUntil = 0
  const restLeft = () => Math.max(0, restUntil - performance.now())

  const go = () => {
    clearTimeout(timer)
    if (underWay !== undefined || closed) return
    woken = false
    const begun = performance.now()
    underWay = Promise.resolve()
      .then(round)
      .then(
        (next) => {
          pause = Math.min(everyMs, next ?? everyMs)
        },
        (error) => {
          pause = everyMs
          onError(error)
        },
      )
      .finally(() => {
        underWay = undefined
        const took = performance.now() - begun
        restUntil = rests && took > LONG_MS ? performance.now() + Math.min(everyMs, took) : 0
        if (!closed) timer = setTimeout(go, Math.max(restLeft(), woken ? 0 : pause))
      })
  }
  go()
  return {
    wake() {
      woken = true
      if (underWay !== undefined || closed) return
      clearTimeout(timer)
      if (restLeft() > 0) timer = setTimeout(go, restLeft())
      else go()
    },
    async close() {
      closed = true
      clearTimeout(timer)
      await underWay
    },
  }
}
