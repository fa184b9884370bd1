/** Something done again and again, never twice at once, and at once when woken. */
export interface Loop {
  /** Does it now, or once more right after the round that is under way. */
  wake(): void
  /** Waits for the round that is under way; there is none after it. */
  close(): Promise<void>
}

/**
 * Starts a loop with a pause between two rounds. A round that throws is told to `onError` and does not end the loop:
 * what it could not do is found again by the next. A round may say after how many milliseconds there is something to
 * do, where that is sooner than the pause ends.
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
