import type { FailureClass } from '../../failures/classes.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { readEngineError } from './engine-error.ts'
import { Failure } from './failure.ts'

/** DuckDB's error types whose class does not depend on the message. */
const ENGINE: Record<string, FailureClass> = {
  'Out of Memory': 'resource',
  Interrupt: 'transient',
  HTTP: 'transient',
  Connection: 'transient',
  Transaction: 'transient',
  INTERNAL: 'bug',
  FATAL: 'bug',
  Dependency: 'bug',
  'Invalid Configuration': 'bug',
}
/** All other DuckDB errors are caused by the SQL or the data and recur on every retry. */
const ENGINE_DEFAULT: FailureClass = 'contract'

const CODES: Record<string, FailureClass> = {
  ENOSPC: 'resource',
  EDQUOT: 'resource',
  ENOMEM: 'resource',
  EMFILE: 'resource',
  ENFILE: 'resource',
  EFBIG: 'resource',
  EROFS: 'resource',
  ENOENT: 'transient',
  EIO: 'transient',
  EBUSY: 'transient',
  EAGAIN: 'transient',
  ESTALE: 'transient',
  EPIPE: 'transient',
  ECONNRESET: 'transient',
  ECONNREFUSED: 'transient',
  ECONNABORTED: 'transient',
  ETIMEDOUT: 'transient',
  EHOSTUNREACH: 'transient',
  ENETUNREACH: 'transient',
  ENOTFOUND: 'transient',
  EAI_AGAIN: 'transient',
  ERR_SOCKET_CLOSED: 'transient',
  ERR_IPC_CHANNEL_CLOSED: 'transient',
  ABORT_ERR: 'transient',
  // A retry does not grant a permission.
  EACCES: 'contract',
  EPERM: 'contract',
}

/** PostgreSQL's classes of SQLSTATE, the first two characters. */
const SQLSTATE: Record<string, FailureClass> = {
  '08': 'transient',
  '40': 'transient',
  '53': 'resource',
  '55': 'transient',
  '57': 'transient',
}

const DISK_FULL =
  /no space left|disk quota|ENOSPC|EDQUOT|max_temp_directory_size|failed to offload data block/i
const NO_MEMORY =
  /out of memory|could not allocate|failed to allocate|bad[_ ]alloc|allocation failed|cannot allocate memory/i
const ONNX =
  /onnxruntime|\[ONNX|ORT_|Non-zero status code returned|Load model|failed:.*(?:node|graph|opset|operator)|Non tensor type/i

/**
 * Decides the failure class of every error. The class determines whether to wait, retry, hold or stop. A Failure
 * keeps its class; every unknown error is a bug.
 */
export function classify(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof ConfigurationError) {
    return new Failure('contract', error.message, { cause: error, evidence: { problems: error.problems } })
  }
  const message = error instanceof Error ? error.message : String(error)
  const engine = readEngineError(error)
  if (engine !== undefined) {
    return new Failure(engineClass(engine.type, engine.message), engine.message, {
      cause: error,
      evidence: { engine: engine.type },
    })
  }
  const code = codeOf(error)
  return new Failure(classOf(code, message), message, {
    cause: error,
    evidence: code === undefined ? {} : { code },
  })
}

/** Whether an engine's message says that it found no memory. */
export function isOutOfMemory(message: string): boolean {
  return NO_MEMORY.test(message)
}

function engineClass(type: string, message: string): FailureClass {
  if (DISK_FULL.test(message) || NO_MEMORY.test(message)) return 'resource'
  // A missing file or a temporary disk error. A broken file is Invalid Input.
  if (type === 'IO') return 'transient'
  return ENGINE[type] ?? ENGINE_DEFAULT
}

function classOf(code: string | undefined, message: string): FailureClass {
  if (DISK_FULL.test(message) || NO_MEMORY.test(message)) return 'resource'
  const byCode =
    code === undefined
      ? undefined
      : (CODES[code] ?? SQLSTATE[/^[0-9A-Z]{5}$/.test(code) ? code.slice(0, 2) : ''])
  if (byCode !== undefined) return byCode
  if (/connection terminated|connection is closed|socket hang up|timeout exceeded/i.test(message))
    return 'transient'
  return ONNX.test(message) ? 'model' : 'bug'
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
