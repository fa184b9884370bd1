import type { SMTPPoolOptions, Transporter } from 'nodemailer'
import { clean, oneLine } from '../../format/one-line.ts'
import type { AlertLog } from './alert-log.ts'
import { readSmtpUrl } from './smtp-url.ts'
import { type Transport, Undeliverable } from './transport.ts'

/** Milliseconds. Nodemailer's defaults are 120 s to connect, 30 s for the greeting and 600 s of silence. */
const TIMEOUTS = {
  dnsTimeout: 5_000,
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  socketTimeout: 20_000,
}
/** Maximum time for one mail, whatever the server does; shorter than an outbox claim. */
export const SEND_TIMEOUT = 60_000

/** Nodemailer error codes that concern the server and not the mail. */
const SERVER = new Set([
  'ECONNECTION',
  'ETIMEDOUT',
  'ESOCKET',
  'EDNS',
  'ETLS',
  'EREQUIRETLS',
  'EAUTH',
  'ENOAUTH',
  'EOAUTH2',
  'EPROTOCOL',
  'ECONFIG',
  'EPROXY',
])

/** One pooled connection, opened for the first mail and closed by `rest`. */
export function openSmtp(url: string, log: AlertLog): Transport {
  const server = readSmtpUrl(url)
  let transporter: Transporter | undefined
  const connect = async () => {
    const { createTransport } = await import('nodemailer')
    const options: SMTPPoolOptions & { pool: true } = {
      ...server.options,
      ...TIMEOUTS,
      pool: true,
      maxConnections: 1,
      // A mail whose connection broke may have been accepted: the outbox decides whether to send it again.
      maxRequeues: 0,
      disableFileAccess: true,
      disableUrlAccess: true,
    }
    const opened = createTransport(options)
    opened.on('error', (error) =>
      log.warn({ error: oneLine(error.message, 300) }, 'mail server connection error'),
    )
    return opened
  }
  return {
    name: server.name,
    async send({ mail, from, raw }) {
      transporter ??= await connect()
      try {
        const info = await transporter.sendMail({
          envelope: { from, to: [mail.recipient] },
          raw,
          signal: AbortSignal.timeout(SEND_TIMEOUT),
        })
        return `${server.name}: ${oneLine(String(info.response), 200)}`
      } catch (error) {
        throw undeliverable(error, server.name)
      }
    },
    rest() {
      transporter?.close()
      transporter = undefined
    },
    async close() {
      this.rest()
    },
  }
}

function undeliverable(error: unknown, name: string): Undeliverable {
  const { code, responseCode } = codes(error)
  const scope =
    (code !== undefined && SERVER.has(code)) || responseCode === 421 || isAbort(error) ? 'server' : 'mail'
  const reason = isAbort(error)
    ? `not accepted within ${SEND_TIMEOUT / 1000} s`
    : error instanceof Error
      ? error.message
      : String(error)
  return new Undeliverable(scope, `${name}: ${clean(oneLine(reason, 300))}`, { cause: error })
}

function codes(error: unknown): { code: string | undefined; responseCode: number | undefined } {
  if (typeof error !== 'object' || error === null) return { code: undefined, responseCode: undefined }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const responseCode =
    'responseCode' in error && typeof error.responseCode === 'number' ? error.responseCode : undefined
  return { code, responseCode }
}

function isAbort(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === 'AbortError' || error.name === 'TimeoutError' || codes(error).code === 'EABORT')
  )
}
