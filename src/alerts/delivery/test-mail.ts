import type { ClientBase } from 'pg'
import { clockTime } from '../../format/clock-time.ts'
import { transaction } from '../../ledger/connection/database.ts'
import type { Webhook } from '../../project/project.ts'
import type { Letter } from '../letters/letter.ts'
import { overviewLink } from '../letters/links.ts'
import { recipientName } from '../webhooks/webhook-name.ts'
import { newTestCode, recordTest } from './alert-tests.ts'
import { enqueue } from './enqueue-mail.ts'
import { enqueuePost } from './enqueue-post.ts'
import { type Claimed, claimNext, deliver, type Post } from './outbox.ts'

export interface TestMail {
  recipient: string
  messageId: string
  /** What the recipient sends back with `ack`. */
  code: string
  sent: boolean
  /** Where it was delivered, or why it was not. */
  detail: string
}

/**
 * Sends one real mail the way incident mails are sent: outbox, claim, transport. It is tried once and given up on
 * failure, so that it does not arrive a day later. Throws a ConfigurationError if the recipient is not one address.
 */
export async function sendTest(post: Post, recipient: string, by: string | undefined): Promise<TestMail> {
  const { settings, clock, database } = post
  const now = await clock()
  const code = newTestCode()
  const letter = testLetter(post, now, by, { recipient, code })
  const mail = { recipient, subject: 'test mail: nothing failed', letter }
  const claimed = await transaction(database, async (client) => {
    await recordTest(client, code, recipient)
    const { id } = await enqueue(client, now, mail, settings)
    return await claimOwn(client, now, id)
  })
  try {
    return { recipient, messageId: claimed.mail.messageId, code, ...(await tryOnce(post, claimed)) }
  } finally {
    post.transport.rest()
  }
}

/** Posts a test to a webhook, the way incidents are posted. Nobody acknowledges it: the answer of the server is the proof. */
export async function sendTestPost(post: Post, webhook: Webhook): Promise<Omit<TestMail, 'code'>> {
  const { settings, clock, database } = post
  const now = await clock()
  const letter: Letter = {
    tone: 'notice',
    lead: [
      `Posts from ${settings.project} reach this address.`,
      'This is a test: nothing failed.',
      `Sent ${clockTime(now, settings.timezone)}.`,
    ],
    sections: [],
    foot: [],
  }
  const test = { event: 'test' as const, subject: 'test post: nothing failed', letter, incidents: [] }
  const claimed = await transaction(database, async (client) => {
    const { id } = await enqueuePost(client, now, webhook, test, settings)
    return await claimOwn(client, now, id)
  })
  return {
    recipient: recipientName(webhook.url),
    messageId: claimed.mail.messageId,
    ...(await tryOnce(post, claimed)),
  }
}

/** Claims a test in the transaction that writes it: a worker that sent it first would leave its outcome unknown here. */
async function claimOwn(client: ClientBase, now: Date, id: number): Promise<Claimed> {
  const claimed = await claimNext(client, now, { id })
  if (claimed === undefined) throw new Error(`test ${id} cannot be claimed in the outbox`)
  return claimed
}

async function tryOnce(post: Post, claimed: Claimed): Promise<Pick<TestMail, 'sent' | 'detail'>> {
  const delivery = await deliver(post, claimed)
  if (delivery.outcome === 'sent') return { sent: true, detail: delivery.where ?? post.transport.name }
  await post.database.pool.query(
    'update nightshift.outbox set gave_up_at = coalesce(gave_up_at, $2) where id = $1 and sent_at is null',
    [claimed.mail.id, await post.clock()],
  )
  return { sent: false, detail: delivery.error?.message ?? 'not delivered' }
}

function testLetter(
  { settings, transport }: Post,
  now: Date,
  by: string | undefined,
  { recipient, code }: { recipient: string; code: string },
): Letter {
  const pages = overviewLink(settings.baseUrl)
  return {
    tone: 'notice',
    lead: [
      `Mails from ${settings.project} reach you.`,
      'This is a test: nothing failed. Confirm it with the command below.',
      `Sent ${clockTime(now, settings.timezone)} through ${transport.name}${by === undefined ? '' : ` by ${by}`}.`,
    ],
    button: pages === undefined ? undefined : { text: 'Open the pages', href: pages },
    sections: [
      {
        title: 'What to check',
        items: [
          {
            kind: 'point',
            text: 'The mail is in your inbox, not in the spam folder, and your phone notified you.',
          },
          {
            kind: 'point',
            text: `The sender is ${settings.from}: allow this address to notify you at night.`,
          },
          ...(pages === undefined
            ? []
            : [{ kind: 'point' as const, text: 'The button opens the pages, on your phone too.' }]),
        ],
      },
      {
        title: 'Next',
        items: [
          {
            kind: 'command',
            command: `npx nightshift ack ${code} --by ${recipient}`,
            why: 'Confirm that this mail reached you: the readiness gate asks for it',
          },
          { kind: 'command', command: 'npx nightshift incidents', why: 'List open incidents' },
        ],
      },
    ],
    foot: [],
  }
}
