import { NoAnswer } from './no-answer.ts'

/**
 * Why a server cannot be reached, to be appended to its name: `refuses connections`. Undefined if the error does not
 * concern the connection. Contains neither host names nor text of the error.
 */
export function unavailable(error: unknown): string | undefined {
  if (error instanceof NoAnswer) return `does not answer within ${error.ms / 1000} s`
  if (!(error instanceof Error)) return undefined
  const code = codeOf(error)
  switch (code) {
    case 'ECONNREFUSED':
      return 'refuses connections'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'has an unknown host name'
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'has an unreachable host'
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
  if (code !== undefined && /^(?:28|08)\w{3}$/.test(code)) return 'refuses the login: check user and password'
  if (/timeout exceeded|connection timeout|connect ETIMEDOUT/i.test(error.message)) return 'does not answer'
  if (/connection (?:terminated|is closed)/i.test(error.message)) return 'closed the connection'
  return undefined
}

/** A connection refused at several addresses has the code in its parts. */
function codeOf(error: Error): string | undefined {
  if ('code' in error && typeof error.code === 'string') return error.code
  return error instanceof AggregateError
    ? error.errors.map(codeOf).find((code) => code !== undefined)
    : undefined
}
