/**
 * The six classes of failure. Whether to wait, retry, hold or stop follows from the class alone (src/workers/attempt/attempt-outcome.ts).
 *
 * late-data   the data of the night is not there yet: wait and try again until the window closes
 * contract    data, schema or SQL break what was promised: hold, no retry
 * model       the model file or its output is wrong: no retry
 * resource    memory, disk or time ran out, or the warehouse may not be written: retry with backoff
 * transient   a connection, a lock, a lost process: retry with backoff
 * bug         anything else: retry, then stop
 */
export const FAILURE_CLASSES = ['late-data', 'contract', 'model', 'resource', 'transient', 'bug'] as const
export type FailureClass = (typeof FAILURE_CLASSES)[number]

/** What is stored of a failure, and printed by `--json`. `anchor` is the section of the model's RUNBOOK.md. */
export interface FailureRecord {
  class: FailureClass
  message: string
  anchor: string
  /** Facts beside the message: file, column, bound, engine's own words. */
  evidence: Record<string, unknown>
}

/** A failure whose class is known where it happens. */
export class Failure extends Error {
  override name = 'Failure'
  readonly failureClass: FailureClass
  readonly evidence: Record<string, unknown>

  constructor(
    failureClass: FailureClass,
    message: string,
    options: { cause?: unknown; evidence?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.failureClass = failureClass
    this.evidence = options.evidence ?? {}
  }

  toRecord(): FailureRecord {
    return {
      class: this.failureClass,
      message: this.message,
      anchor: `#${this.failureClass}`,
      evidence: this.evidence,
    }
  }
}
