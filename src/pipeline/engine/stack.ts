import { cut } from '../../format/one-line.ts'
import type { Failure } from './failure.ts'

/** Bytes of a stack trace that are kept. */
const MOST_BYTES = 16 * 1024
/** A cause that is its own cause must not be followed forever. */
const MOST_CAUSES = 8

/**
 * The stack trace of a failure: of the error that it wraps, if there is one, since its own only shows where that error was
 * classified. The traces of further causes follow.
 */
export function stackOf(failure: Failure): string {
  const traces: string[] = []
  let error: unknown = failure.cause instanceof Error ? failure.cause : failure
  while (error instanceof Error && traces.length < MOST_CAUSES) {
    traces.push(error.stack ?? `${error.name}: ${error.message}`)
    error = error.cause
  }
  return traces.join('\ncaused by: ')
}

/** A stack trace for the ledger: at most 16 KiB, its beginning and its end. */
export function keptStack(failure: Failure): string {
  const stack = stackOf(failure)
  let length = MOST_BYTES
  let kept = cut(stack, length)
  // A character has up to three bytes, and the mark of what is left out has some too.
  while (Buffer.byteLength(kept) > MOST_BYTES) {
    length = Math.floor(length * 0.9)
    kept = cut(stack, length)
  }
  return kept
}
