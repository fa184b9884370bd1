/** A query slower than this was waiting for an unavailable ledger. */
const SLOW_MS = 8_000

/**
 * Since when the ledger has answered this process. Heartbeats are missing while the ledger is unavailable, and the
 * first process to reach it again must not consider all others dead: silence counts only from then on.
 */
export interface Answers {
  /** Queries the ledger and records whether it answered. */
  ask<T>(question: () => Promise<T>): Promise<T>
  /** Milliseconds; Infinity if it was never unavailable. */
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
