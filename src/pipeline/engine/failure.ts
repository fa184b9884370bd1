import type { FailureClass } from '../../failures/classes.ts'

/** What is stored of a failure, and printed by `--json`. `anchor` is the section of the model's RUNBOOK.md. */
export interface FailureRecord {
  class: FailureClass
  message: string
  anchor: string
  /** Facts beside the message: file, column, bound, engine's own words. */
  evidence: Record<string, unknown>
}

/** What is stored of the failure of an attempt. */
export interface AttemptFailure extends FailureRecord {
  /** Where it happened, at most 16 KiB. Only of class `bug`; absent from attempts of older versions. */
  stack?: string
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
