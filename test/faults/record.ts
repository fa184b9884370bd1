import { appendFileSync } from 'node:fs'

/** What came of one try of a fault: a line of the table in docs/reliability.md is made of all that are alike. */
export interface Try {
  /** `the ledger is away for 2.5 s while the commit runs`. */
  fault: string
  /** What has to hold all the same. */
  promise: string
  /** What happened, in the same words where it is the same. */
  happened: string
  /** From the end of the fault, or from the fault where it does not end, to the promise kept. */
  seconds: number
  /** `full`: as often, as long and as large as the promise is tested; `short`: as in CI, or with fewer tries. */
  form: 'full' | 'short'
}

const { NIGHTSHIFT_FAULTS, NIGHTSHIFT_FAULTS_TRIES } = process.env
const FORM = NIGHTSHIFT_FAULTS === 'full' && NIGHTSHIFT_FAULTS_TRIES === undefined ? 'full' : 'short'

/** Adds a try to the file that `npm run test:faults` makes its table of; does nothing elsewhere. */
export function record(tried: Omit<Try, 'form'>): void {
  const file = process.env.NIGHTSHIFT_FAULTS_RECORD
  if (file) appendFileSync(file, `${JSON.stringify({ ...tried, form: FORM })}\n`)
}

/** Polls until something holds, and returns how long that took, in seconds. */
export async function secondsUntil(
  holds: () => Promise<boolean>,
  { within, from = performance.now() }: { within: number; from?: number },
): Promise<number> {
  for (;;) {
    if (await holds()) return (performance.now() - from) / 1000
    if (performance.now() - from > within * 1000) throw new Error(`it did not come within ${within} s`)
    await new Promise((again) => setTimeout(again, 100))
  }
}
