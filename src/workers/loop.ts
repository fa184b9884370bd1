/** Something done again and again, never twice at once, and at once when woken. */
export interface Loop {
  /** Does it now, or once more right after the round that is under way. */
  wake(): void
  /** Waits for the round that is under way; there is none after it. */
  close(): Promise<void>
}

/**
 * Starts a loop with a pause between two rounds. A round that throws is told to `onError` and does not end the loop:
 * what it could not do is found again by the next.
 */
export function startLoop(
  round: () => Promise<unknown>,
  { everyMs, onError }: { everyMs: number; onError: (error: unknown) => void },
): Loop {
  let closed = false
  let woken = false
  let timer: NodeJS.Timeout | undefined
  let underWay: Promise<void> | undefined

  const go = () => {
    clearTimeout(timer)
    if (underWay !== undefined || closed) return
    woken = false
    underWay = Promise.resolve()
      .then(round)
      .then(() => {}, onError)
      .finally(() => {
        underWay = undefined
        if (!closed) timer = setTimeout(go, woken ? 0 : everyMs)
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
