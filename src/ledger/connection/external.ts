import type pg from 'pg'
import { ConfigurationError } from '../../project/files/problem.ts'

/**
 * Takes the pool's first connection to the server of DATABASE_URL, so that errors are reported before anything runs. No
 * message contains the password.
 */
export async function checkExternal(pool: pg.Pool, where: string): Promise<void> {
  try {
    const client = await pool.connect()
    client.release()
  } catch (error) {
    throw new ConfigurationError(
      `DATABASE_URL: expected a PostgreSQL server at ${where}, got: ${reason(error)}`,
      {
        cause: error,
      },
    )
  }
}

/** `user@host:port/database`, for messages. Throws a ConfigurationError if it is none of PostgreSQL. */
export function describeServer(url: string): string {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw malformed('something that is not a URL')
  }
  if (parsed.protocol !== 'postgresql:' && parsed.protocol !== 'postgres:') {
    throw malformed(`a URL that starts with ${parsed.protocol}`)
  }
  const host = parsed.hostname || parsed.searchParams.get('host') || 'localhost'
  const user = parsed.username === '' ? '' : `${decodeURIComponent(parsed.username)}@`
  return `${user}${host}:${parsed.port || '5432'}${parsed.pathname}`
}

function malformed(got: string): ConfigurationError {
  return new ConfigurationError(
    `DATABASE_URL: expected postgresql://user:password@host:5432/database, got: ${got} (not shown: it may hold a password)`,
  )
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const text = error instanceof Error ? error.message : String(error)
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused; check that the server is running and listens at this address'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'unknown host; check its name'
    case '28P01':
    case '28000':
      return `${text}; check user and password`
    case '3D000':
      return `${text}; create it with "create database"`
    default:
      return code === '' ? text : `${text} (${code})`
  }
}
