/** A repeated action that never overlaps itself and runs at once when woken. */
export interface Loop {
  /** Runs it now, or once more right after the current round. */
  wake(): void
  /** Waits for the current round; there is none after it. */
  close(): Promise<void>
}

/**
 * Starts a loop with a pause between rounds. A round that throws is reported to `onError` and does not end the loop:
 * the next round finds the remaining work again. A round may return the milliseconds until there is work, if that is
 * sooner than the pause ends.
 */
export function startLoop(
  round: () => Promise<number | undefined>,
  { everyMs, onError }: { everyMs: number; onError: (error: unknown) => void },
): Loop {
  let closed = false
  let woken = false
  let timer: NodeJS.Timeout | undefined
  let pause = everyMs
  let underWay: Promise<void> | undefined

  const go = () => {
    clearTimeout(timer)
    if (underWay !== undefined || closed) return
    woken = false
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
        if (!closed) timer = setTimeout(go, woken ? 0 : pause)
      })
  }
  go()
  return {
    wake() {
      woken = true
      go()
    },
    async close() {
      closed = true
      clearTimeout(timer)
      await underWay
    },
  }
}
