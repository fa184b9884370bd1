import { clockTime } from '../../format/clock-time.ts'
import { transaction } from '../../ledger/connection/database.ts'
import type { Webhook } from '../../project/project.ts'
import type { Letter } from '../letters/letter.ts'
import { overviewLink } from '../letters/links.ts'
import { recipientName } from '../webhooks/webhook-name.ts'
import { newTestCode, recordTest } from './alert-tests.ts'
import { enqueue } from './enqueue-mail.ts'
import { enqueuePost } from './enqueue-post.ts'
import { deliverNext, type Post } from './outbox.ts'

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
  const { id, messageId } = await transaction(database, async (client) => {
    await recordTest(client, code, recipient)
    return enqueue(client, now, mail, settings)
  })
  try {
    return { recipient, messageId, code, ...(await tryOnce(post, id)) }
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
  const { id, messageId } = await transaction(database, (client) =>
    enqueuePost(client, now, webhook, test, settings),
  )
  return { recipient: recipientName(webhook.url), messageId, ...(await tryOnce(post, id)) }
}

async function tryOnce(post: Post, id: number): Promise<Pick<TestMail, 'sent' | 'detail'>> {
  const delivery = await deliverNext(post, { id })
  // Another process claimed it first: it has sent it or is about to.
  if (delivery === undefined) return { sent: true, detail: 'another process is sending it' }
  if (delivery.outcome === 'sent') return { sent: true, detail: delivery.where ?? post.transport.name }
  await post.database.pool.query(
    'update nightshift.outbox set gave_up_at = coalesce(gave_up_at, $2) where id = $1 and sent_at is null',
    [id, await post.clock()],
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
