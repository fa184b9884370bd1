import { NoAnswer } from './no-answer.ts'

/**
 * What a server does that cannot be asked, to be said after its name: `refuses connections`. Undefined where the error
 * is not of the connection. Names no host and holds no text of the error.
 */
export function away(error: unknown): string | undefined {
  if (error instanceof NoAnswer) return `does not answer within ${error.ms / 1000} s`
  if (!(error instanceof Error)) return undefined
  const code = codeOf(error)
  switch (code) {
    case 'ECONNREFUSED':
      return 'refuses connections'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'is at a host that is not found'
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'is at a host that cannot be reached'
    case 'ECONNRESET':
    case 'EPIPE':
    case '57P01':
    case '57P02':
      return 'closed the connection'
    case '57P03':
      return 'is starting or stopping'
    case '53300':
      return 'takes no more connections'
    case 'ETIMEDOUT':
      return 'does not answer'
  }
  if (code !== undefined && /^(?:28|08)\w{3}$/.test(code)) return 'refuses us: are user and password right?'
  if (/timeout exceeded|connection timeout|connect ETIMEDOUT/i.test(error.message)) return 'does not answer'
  if (/connection (?:terminated|is closed)/i.test(error.message)) return 'closed the connection'
  return undefined
}

/** A refused connection to several addresses has its code in its parts. */
function codeOf(error: Error): string | undefined {
  if ('code' in error && typeof error.code === 'string') return error.code
  return error instanceof AggregateError
    ? error.errors.map(codeOf).find((code) => code !== undefined)
    : undefined
}
