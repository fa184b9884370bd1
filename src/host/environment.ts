import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigurationError } from '../project/files/problem.ts'
import { type Networks, parseNetworks } from '../web/security/network.ts'
import type { UsersSource } from '../web/security/users.ts'

/** The settings from environment variables, read once at startup. No other code reads `process.env`. */
export interface Environment {
  databaseUrl: string | undefined
  redisUrl: string | undefined
  smtpUrl: string | undefined
  /** Without an SMTP server, mails are written there: a folder within `.nightshift`. */
  outbox: string[]
  /** Who may sign in to the pages; undefined: the project's own file, if it has one. */
  users: UsersSource | undefined
  /** The bearer token that Prometheus must send. */
  metricsToken: string | undefined
  /** Proxies in front of the pages, whose `X-Forwarded-*` headers are trusted. */
  isProxy: Networks
  logLevel: string
  /** The variable of that name, which nightshift.yaml gives; an empty one counts as unset. */
  secret: (name: string) => string | undefined
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
    outbox: ['outbox'],
    users: usersSource(env.NIGHTSHIFT_USERS),
    metricsToken: env.NIGHTSHIFT_METRICS_TOKEN || undefined,
    isProxy: parseNetworks(env.NIGHTSHIFT_PROXIES ?? '', 'NIGHTSHIFT_PROXIES'),
    logLevel,
    secret: (name) => env[name] || undefined,
  }
}

/** An empty variable counts as unset. The value is not printed: it may contain a password. */
function url(name: string, value: string | undefined, protocols: string[]): string | undefined {
  if (value === undefined || value === '') return undefined
  const protocol = URL.canParse(value) ? new URL(value).protocol : undefined
  if (protocol === undefined || !protocols.includes(protocol)) {
    throw new ConfigurationError(
      `${name}: expected a URL that begins with ${protocols.map((each) => `${each}//`).join(' or ')}, got ${
        protocol === undefined ? 'something that is not a URL' : `${protocol}//`
      }`,
    )
  }
  return value
}

/** The path of a file, or the entries themselves. Entries contain colons; a value with a colon is a path only if that file exists. */
function usersSource(value: string | undefined): UsersSource | undefined {
  if (value === undefined || value.trim() === '') return undefined
  return value.includes(':') && !existsSync(value)
    ? { kind: 'entries', text: value }
    : { kind: 'file', path: resolve(value), required: true }
}
