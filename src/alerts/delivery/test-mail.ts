import { clockTime } from '../../format/clock-time.ts'
import { transaction } from '../../ledger/connection/database.ts'
import type { Letter } from '../letters/letter.ts'
import { enqueue } from './enqueue-mail.ts'
import { deliverNext, type Post } from './outbox.ts'

export interface TestMail {
  recipient: string
  messageId: string
  sent: boolean
  /** Where it went, or why it did not. */
  detail: string
}

/**
 * Sends one mail for real, by the way that incidents take: outbox, claim, transport. It is tried once; one that
 * fails is given up, so that it does not arrive tomorrow. Throws a ConfigurationError where the recipient is not
 * one address.
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
    // Another process was quicker and has the claim: it has sent it or is about to.
    if (delivery === undefined)
      return { recipient, messageId, sent: true, detail: 'another process sends it' }
    await database.pool.query(
      'update nightshift.outbox set gave_up_at = coalesce(gave_up_at, $2) where id = $1 and sent_at is null',
      [id, await clock()],
    )
    // Where another process was quicker, it has sent it or is about to.
    if (delivery === undefined)
      return { recipient, messageId, sent: true, detail: 'another process sends it' }
    return { recipient, messageId, sent: false, detail: delivery.error?.message ?? 'not delivered' }
  } finally {
    post.transport.rest()
  }
}

function testLetter({ settings, transport }: Post, now: Date, by: string | undefined): Letter {
  return {
    tone: 'notice',
    lead: [
      `Mails of ${settings.project} reach you.`,
      'This is a test: nothing failed, and there is nothing to do.',
      `Sent ${clockTime(now, settings.timezone)} through ${transport.name}${by === undefined ? '' : ` by ${by}`}.`,
    ],
    sections: [
      {
        title: 'What to look at',
        items: [
          { kind: 'point', text: 'It is in the inbox, not among spam, and your phone announced it.' },
          { kind: 'point', text: `Its sender is ${settings.from}: let that address through at night.` },
        ],
      },
      {
        title: 'Next',
        items: [{ kind: 'command', command: 'npx nightshift incidents', why: 'See what is open' }],
      },
    ],
    foot: [],
  }
}
