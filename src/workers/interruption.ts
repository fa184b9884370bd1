/**
 * Ctrl-C and SIGTERM. Signals reach the process as a whole, so what is known of them is kept here once. The first one
 * asks all work that has begun to put things away; a second one ends the process at once.
 */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const
export type StopSignal = keyof typeof EXIT_CODES
const SIGNALS = ['SIGINT', 'SIGTERM'] as const satisfies StopSignal[]

/** So long work that was begun may take to put things away. What it leaves is taken over as if it had been killed. */
const TIDY_MS = 10_000

/** From the last of it to the end of the command: connections are closed. */
const LAST_MS = 2_000

const DEFAULT_OUTLOOK = 'what was not finished is not kept, and the same command begins it anew'

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

/** Of commands that have asked for runs, which are in the ledger. */
export const ASKED_FOR =
  'what was asked for goes on as soon as a worker lives (nightshift up), or with the same command'

/** Says for the case that a signal comes what goes on without this command, or how to go on. */
export function setOutlook(sentence: string): void {
  outlook = sentence
}

/**
 * Begins something that heeds `stop` and has something to put away. The process waits for its release, for at most 10 s
 * (with `limited: false`, however long it takes). Where nothing has begun, a signal ends the process at once.
 */
export function beginTidy({ limited = true }: { limited?: boolean } = {}): {
  stop: AbortSignal
  release: () => void
} {
  const own = { limited }
  tidying.add(own)
  const release = () => {
    tidying.delete(own)
    // The command comes to its own end now; where it does not, nothing is lost by not waiting for it.
    if (received !== undefined && limited && tidying.size === 0) setTimeout(() => end?.(), LAST_MS).unref()
  }
  return { stop: stopping.signal, release }
}

/** Does such work from beginning to end. */
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
