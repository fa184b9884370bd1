import { ConfigurationError } from '../project/problem.ts'

/** What the environment says. Read once, at the door; nothing further in reads `process.env`. */
export interface Environment {
  databaseUrl: string | undefined
  redisUrl: string | undefined
  smtpUrl: string | undefined
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
