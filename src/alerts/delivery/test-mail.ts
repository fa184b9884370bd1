import { clockTime } from '../../format/clock-time.ts'
import { transaction } from '../../ledger/connection/database.ts'
import type { Letter } from '../letters/letter.ts'
import { enqueue } from './enqueue-mail.ts'
import { deliverNext, type Post } from './outbox.ts'

export interface TestMail {
  recipient: string
  messageId: string
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
  const mail = { recipient, subject: `[${settings.project}] test mail`, letter: testLetter(post, now, by) }
  const { id, messageId } = await transaction(database, (client) => enqueue(client, now, mail, settings))
  try {
    const delivery = await deliverNext(post, id)
    if (delivery?.outcome === 'sent') {
      return { recipient, messageId, sent: true, detail: delivery.where ?? post.transport.name }
    }
    // Another process claimed the mail first: it has sent it or is about to.
    if (delivery === undefined)
      return { recipient, messageId, sent: true, detail: 'another process is sending it' }
    await database.pool.query(
      'update nightshift.outbox set gave_up_at = coalesce(gave_up_at, $2) where id = $1 and sent_at is null',
      [id, await clock()],
    )
    if (delivery === undefined)
      return { recipient, messageId, sent: true, detail: 'another process is sending it' }
    return { recipient, messageId, sent: false, detail: delivery.error?.message ?? 'not delivered' }
  } finally {
    post.transport.rest()
  }
}

function testLetter({ settings, transport }: Post, now: Date, by: string | undefined): Letter {
  return {
    tone: 'notice',
    lead: [
      `Mails from ${settings.project} reach you.`,
      'This is a test: nothing failed, and no action is needed.',
      `Sent ${clockTime(now, settings.timezone)} through ${transport.name}${by === undefined ? '' : ` by ${by}`}.`,
    ],
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
        ],
      },
      {
        title: 'Next',
        items: [{ kind: 'command', command: 'npx nightshift incidents', why: 'List open incidents' }],
      },
    ],
    foot: [],
  }
}
