import { createHmac } from 'node:crypto'
import { clean, oneLine } from '../../format/one-line.ts'
import type { Webhook } from '../../project/project.ts'
import { Undeliverable } from '../delivery/transport.ts'
import type { OutboxMail } from '../letters/message.ts'
import { recipientName } from './webhook-name.ts'

/** Maximum time for one post, answer included; shorter than an outbox claim. Milliseconds. */
const TIMEOUT = 10_000
/** Bytes of an answer that are read, for the reason of a refusal. */
const MOST_OF_ANSWER = 2_000

export interface PostOptions {
  webhooks: Webhook[]
  /** The value of an environment variable. */
  secret: (name: string) => string | undefined
  timeoutMs?: number
}

/** `sha256=` and the HMAC-SHA256 of `TIMESTAMP.BODY` in hexadecimal; the timestamp is in seconds since 1970. */
export function signatureOf(secret: string, timestamp: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`
}

/**
 * Posts to a webhook, signed, and returns what the server answered. Throws Undeliverable. A redirect is not followed:
 * the secret was declared for this address alone.
 */
export async function sendPost(
  { recipient, messageId, text }: OutboxMail,
  { webhooks, secret, timeoutMs = TIMEOUT }: PostOptions,
): Promise<string> {
  const name = recipientName(recipient)
  const webhook = webhooks.find(({ url }) => url === recipient)
  if (webhook === undefined) {
    throw new Undeliverable('server', `${name}: this webhook is no longer in nightshift.yaml`)
  }
  const key = secret(webhook.secret_env)
  if (key === undefined) {
    throw new Undeliverable(
      'server',
      `${name}: the environment variable ${webhook.secret_env} is not set here, so the post cannot be signed`,
    )
  }
  const timestamp = String(Math.floor(Date.now() / 1000))
  try {
    const answer = await fetch(recipient, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'nightshift',
        'nightshift-id': messageId.replaceAll(/[<>]/g, ''),
        'nightshift-timestamp': timestamp,
        'nightshift-signature': signatureOf(key, timestamp, text),
      },
      body: text,
    })
    const said = await beginningOf(answer)
    if (answer.ok) return `${name}: ${answer.status}`
    throw refusal(name, answer.status, said)
  } catch (error) {
    throw error instanceof Undeliverable ? error : unreachable(error, name, timeoutMs)
  }
}

function refusal(name: string, status: number, said: string): Undeliverable {
  if (status >= 300 && status < 400) {
    return new Undeliverable(
      'server',
      `${name}: answered ${status}, a redirect, which is not followed: write the address that it leads to`,
    )
  }
  const scope = status >= 500 || status === 408 || status === 429 ? 'server' : 'mail'
  return new Undeliverable(scope, `${name}: answered ${status}${said === '' ? '' : `: ${said}`}`)
}

function unreachable(error: unknown, name: string, timeoutMs: number): Undeliverable {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new Undeliverable('server', `${name}: no answer within ${timeoutMs / 1000} s`, { cause: error })
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause)
  return new Undeliverable('server', `${name}: ${clean(oneLine(reason, 300))}`, { cause: error })
}

/** The first words of an answer, however long it is. */
async function beginningOf({ body }: Response): Promise<string> {
  if (body === null) return ''
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    while (size < MOST_OF_ANSWER) {
      const { done, value } = await reader.read()
      if (done) break
      chunks.push(value)
      size += value.length
    }
  } finally {
    await reader.cancel()
  }
  return oneLine(Buffer.concat(chunks).subarray(0, MOST_OF_ANSWER).toString('utf8'), 200)
}
