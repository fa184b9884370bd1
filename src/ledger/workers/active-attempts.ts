/** One try of a run. */
export interface ActiveAttempt {
  run: string
  number: number
}

/** The attempts that this process runs. Its heartbeats name them; an attempt that is not named counts as lost. */
export interface ActiveAttempts {
  /** Returns its release. */
  take(attempt: ActiveAttempt): () => void
  list(): ActiveAttempt[]
}

export function openActiveAttempts(): ActiveAttempts {
  const held = new Set<ActiveAttempt>()
  return {
    take(attempt) {
      // If one job is delivered twice, the delivery that ends first must not release the other.
      const own = { ...attempt }
      held.add(own)
      return () => {
        held.delete(own)
      }
    },
    list: () => [...held],
  }
}
