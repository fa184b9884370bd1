/** A question that takes longer has waited for a ledger that was away. */
const SLOW_MS = 8_000

/**
 * Since when the ledger answers this process. Heartbeats are missing where the ledger was away, and whoever is first to
 * reach it again must not take everybody else for dead: silence counts from then on only.
 */
export interface Answers {
  /** Asks the ledger, and notes how that went. */
  ask<T>(question: () => Promise<T>): Promise<T>
  /** Milliseconds; Infinity where it has never been away. */
  forMs(): number
}

export function followAnswers(): Answers {
  let since = Number.NEGATIVE_INFINITY
  return {
    async ask(question) {
      const begun = performance.now()
      let answered = false
      try {
        const answer = await question()
        answered = performance.now() - begun <= SLOW_MS
        return answer
      } finally {
        if (!answered) since = performance.now()
      }
    },
    forMs: () => performance.now() - since,
  }
}
