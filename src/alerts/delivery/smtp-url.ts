import { ConfigurationError } from '../../project/files/problem.ts'

export interface SmtpServer {
  /** `smtp://mail.example.com:587`, without user and password. */
  name: string
  options: {
    host: string
    port: number
    secure: boolean
    requireTLS?: boolean
    ignoreTLS?: boolean
    auth?: { user: string; pass: string }
    tls?: { rejectUnauthorized: boolean }
  }
}

const OPTIONS = ['requireTLS', 'ignoreTLS', 'rejectUnauthorized'] as const

/**
 * Parses `smtp://user:password@host:587?requireTLS=true`, or `smtps://` for TLS from the first byte. By default
 * STARTTLS is used if the server offers it. Throws a ConfigurationError that does not contain the password.
 */
export function readSmtpUrl(text: string): SmtpServer {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') || url.hostname === '') {
    throw refused(url === undefined ? 'no URL' : `${url.protocol}//${url.hostname}`)
  }
  const secure = url.protocol === 'smtps:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? (secure ? 465 : 587) : Number(url.port)
  const switches = readSwitches(url)
  const auth = url.username === '' ? undefined : { user: decoded(url.username), pass: decoded(url.password) }
  return {
    name: `${url.protocol}//${url.hostname}:${port}`,
    options: {
      host,
      port,
      secure,
      ...(switches.requireTLS === undefined ? {} : { requireTLS: switches.requireTLS }),
      ...(switches.ignoreTLS === undefined ? {} : { ignoreTLS: switches.ignoreTLS }),
      ...(switches.rejectUnauthorized === undefined
        ? {}
        : { tls: { rejectUnauthorized: switches.rejectUnauthorized } }),
      ...(auth === undefined ? {} : { auth }),
    },
  }
}

function readSwitches(url: URL): Partial<Record<(typeof OPTIONS)[number], boolean>> {
  const switches: Partial<Record<(typeof OPTIONS)[number], boolean>> = {}
  for (const [key, value] of url.searchParams) {
    const option = OPTIONS.find((known) => known === key)
    if (option === undefined || (value !== 'true' && value !== 'false')) {
      throw new ConfigurationError(
        `SMTP_URL: expected options ${OPTIONS.join(', ')} with true or false, got: ${key}`,
      )
    }
    switches[option] = value === 'true'
  }
  return switches
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new ConfigurationError(
      'SMTP_URL: expected user and password to be percent-encoded (% itself is %25), got a % that starts no valid code',
    )
  }
}

function refused(got: string): ConfigurationError {
  return new ConfigurationError(
    `SMTP_URL: expected smtp://user:password@host:587 or smtps://user:password@host:465, got: ${got}. ` +
      'If it is unset, mails are written to .nightshift/outbox/',
  )
}
