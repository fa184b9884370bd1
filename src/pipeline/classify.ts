import { ConfigurationError } from '../project/problem.ts'
import { readEngineError } from './engine-error.ts'
import { Failure, type FailureClass } from './failure.ts'

const NO_ROOM = /no space left|disk quota|out of memory|could not allocate|cannot allocate memory|bad_alloc|temporary directory size/i

/** Node's codes of errors that come from the machine or the network. */
const CODES: Record<string, FailureClass> = {
  ENOSPC: 'resource',
  EDQUOT: 'resource',
  ENOMEM: 'resource',
  EMFILE: 'resource',
  ENFILE: 'resource',
  EIO: 'resource',
  EROFS: 'resource',
  ECONNREFUSED: 'transient',
  ECONNRESET: 'transient',
  EPIPE: 'transient',
  ETIMEDOUT: 'transient',
  EAI_AGAIN: 'transient',
  ENOTFOUND: 'transient',
  EHOSTUNREACH: 'transient',
  EACCES: 'contract',
  EPERM: 'contract',
}

/** What DuckDB calls an error, where that alone decides. What is not listed is a bug. */
const ENGINE: Record<string, FailureClass> = {
  'Out of Memory': 'resource',
  Interrupt: 'transient',
  Parser: 'contract',
  Binder: 'contract',
  Catalog: 'contract',
  Conversion: 'contract',
  'Invalid Input': 'contract',
  'Invalid Error': 'contract',
  'Mismatch Type': 'contract',
  'Out of Range': 'contract',
  'Invalid Configuration': 'contract',
  Permission: 'contract',
  Constraint: 'contract',
  'Not implemented': 'contract',
  IO: 'contract',
}

/** Decides the class of anything that was thrown: the one place that does. A Failure keeps the class it has. */
export function classify(error: unknown): Failure {
  if (error instanceof Failure) return error
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof ConfigurationError) return new Failure('contract', message, { cause: error })
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  const engine = readEngineError(error)
  const evidence = {
    ...(code === undefined ? {} : { code }),
    ...(engine === undefined ? {} : { engine: engine.type }),
  }
  return new Failure(classOf(message, code, engine?.type), engine?.message ?? message, { cause: error, evidence })
}

function classOf(message: string, code: string | undefined, engine: string | undefined): FailureClass {
  if (NO_ROOM.test(message)) return 'resource'
  if (engine !== undefined) return ENGINE[engine] ?? 'bug'
  if (code === undefined) return 'bug'
  // PostgreSQL: 08 connection, 53 resources, 57 operator intervention, 40 serialization.
  if (/^(08|57|40)...$/.test(code)) return 'transient'
  if (/^53...$/.test(code)) return 'resource'
  return CODES[code] ?? 'bug'
}
