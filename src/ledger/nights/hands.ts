/** One try of a run. */
export interface Held {
  run: string
  number: number
}

/** The attempts that this process works on. Its heartbeats name them: one that is not named is taken for lost. */
export interface Hands {
  /** Returns its release. */
  take(attempt: Held): () => void
  list(): Held[]
}

export function openHands(): Hands {
  const held = new Set<Held>()
  return {
    take(attempt) {
      // Of two deliveries of one job, the one that ends first must not let go for the other.
      const own = { ...attempt }
      held.add(own)
      return () => {
        held.delete(own)
      }
    },
    list: () => [...held],
  }
}
