import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigurationError } from '../project/files/problem.ts'
import { type Networks, parseNetworks } from '../web/security/network.ts'
import type { UsersSource } from '../web/security/users.ts'

/** What the environment says. Read once, at the door; nothing further in reads `process.env`. */
export interface Environment {
  databaseUrl: string | undefined
  redisUrl: string | undefined
  smtpUrl: string | undefined
  /** Who may sign in to the pages; undefined: the project's own file, where it has one. */
  users: UsersSource | undefined
  /** What Prometheus has to bring as its bearer token. */
  metricsToken: string | undefined
  /** Proxies before the pages, whose `X-Forwarded-*` count. */
  isProxy: Networks
  logLevel: string
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent']

export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  const logLevel = env.NIGHTSHIFT_LOG || 'info'
  if (!LEVELS.includes(logLevel)) {
    throw new ConfigurationError(`NIGHTSHIFT_LOG: expected one of ${LEVELS.join(', ')}, got: ${logLevel}`)
  }
  return {
    databaseUrl: url('DATABASE_URL', env.DATABASE_URL, ['postgres:', 'postgresql:']),
    redisUrl: url('REDIS_URL', env.REDIS_URL, ['redis:', 'rediss:']),
    smtpUrl: url('SMTP_URL', env.SMTP_URL, ['smtp:', 'smtps:']),
    users: usersSource(env.NIGHTSHIFT_USERS),
    metricsToken: env.NIGHTSHIFT_METRICS_TOKEN || undefined,
    isProxy: parseNetworks(env.NIGHTSHIFT_PROXIES ?? '', 'NIGHTSHIFT_PROXIES'),
    logLevel,
  }
}

/** An empty variable is an unset one. The value is not printed: it may hold a password. */
function url(name: string, value: string | undefined, protocols: string[]): string | undefined {
  if (value === undefined || value === '') return undefined
  const protocol = URL.canParse(value) ? new URL(value).protocol : undefined
  if (protocol === undefined || !protocols.includes(protocol)) {
    throw new ConfigurationError(
      `${name}: expected a URL that begins with ${protocols.map((each) => `${each}//`).join(' or ')}, got ${
        protocol === undefined ? 'something that is no URL' : `${protocol}//`
      }`,
    )
  }
  return value
}

/** The path of a file, or the entries themselves: those have colons, and no file is called like that. */
function usersSource(value: string | undefined): UsersSource | undefined {
  if (value === undefined || value.trim() === '') return undefined
  return value.includes(':') && !existsSync(value)
    ? { kind: 'entries', text: value }
    : { kind: 'file', path: resolve(value), required: true }
}
