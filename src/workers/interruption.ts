/**
 * Ctrl-C and SIGTERM. Signals reach the process as a whole, so what is known of them is kept here once. The first one
 * asks all started work to clean up; a second one ends the process at once.
 */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const
export type StopSignal = keyof typeof EXIT_CODES
const SIGNALS = ['SIGINT', 'SIGTERM'] as const satisfies StopSignal[]

/** The longest that started work may take to clean up. What it leaves is taken over as after a kill. */
const TIDY_MS = 10_000

/** From the end of the last cleanup to the end of the command: connections are closed. */
const LAST_MS = 2_000

const DEFAULT_OUTLOOK = 'unfinished work was discarded; run the same command again'

const stopping = new AbortController()
const tidying = new Set<{ limited: boolean }>()
let received: StopSignal | undefined
let outlook = DEFAULT_OUTLOOK
let end: (() => void) | undefined

/** Why a command ended before its work was done. */
export class Interrupted extends Error {
  override name = 'Interrupted'
}

/**
 * Listens for both signals. Rejects with Interrupted once there is nothing left to wait for, and never resolves;
 * `atOnce` is called for a second signal, with the exit code.
 */
export function untilInterrupted(atOnce: (code: number) => void): Promise<never> {
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (received === undefined) interrupt(signal)
      else atOnce(EXIT_CODES[received])
    })
  }
  return new Promise<never>((_, reject) => {
    end = () => reject(interrupted())
  })
}

/** As if the signal had come: a terminal that reads key by key gets Ctrl-C as a key. */
export function interrupt(signal: StopSignal): void {
  received ??= signal
  stopping.abort(interrupted())
  if (tidying.size === 0) end?.()
  else if ([...tidying].every(({ limited }) => limited)) setTimeout(() => end?.(), TIDY_MS).unref()
}

/** The signal that came, and the exit code that says so. */
export function interruption(): { signal: StopSignal; code: number; outlook: string } | undefined {
  return received === undefined ? undefined : { signal: received, code: EXIT_CODES[received], outlook }
}

/** For commands whose runs are recorded in the ledger. */
export const ASKED_FOR =
  'requested runs continue once a worker is running (nightshift up), or with the same command'

/** Sets the sentence that a signal prints: what continues without this command, or how to continue. */
export function setOutlook(sentence: string): void {
  outlook = sentence
}

/**
 * Starts work that reacts to `stop` and has something to clean up. The process waits for its release, for at most 10 s
 * (with `limited: false`, as long as it takes). If nothing has started, a signal ends the process at once.
 */
export function beginTidy({ limited = true }: { limited?: boolean } = {}): {
  stop: AbortSignal
  release: () => void
} {
  const own = { limited }
  tidying.add(own)
  const release = () => {
    tidying.delete(own)
    // The command ends by itself now. If it does not, nothing is lost by not waiting.
    if (received !== undefined && limited && tidying.size === 0) setTimeout(() => end?.(), LAST_MS).unref()
  }
  return { stop: stopping.signal, release }
}

/** Runs such work to its end. */
export async function tidily<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  const { stop, release } = beginTidy()
  try {
    return await work(stop)
  } finally {
    release()
  }
}

function interrupted(): Interrupted {
  return new Interrupted(`stopped by ${received === 'SIGTERM' ? 'SIGTERM' : 'Ctrl-C'}`)
}
