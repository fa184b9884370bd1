import type { ParsedMail } from 'mailparser'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sendDueMails } from '../../../src/alerts/delivery/send-due-mails.ts'
import { type Desk, openDesk } from '../desk.ts'
import { type MailServer, openMailServer } from '../mail-server.ts'
import { facts, recovery } from '../sample.ts'

/** What clients group by. */
interface Head {
  subject: string
  id: string
  references: string[]
}

let desk: Desk
let server: MailServer
beforeEach(async () => {
  desk = await openDesk()
  server = await openMailServer()
})
afterEach(async () => {
  await server.close()
  await desk.close()
})

async function mailed(seconds: number) {
  desk.pass(seconds)
  await sendDueMails(desk.post(server.url))
}

/** A night fails, is told again, another night fails, both recover; then the first fails once more for the same reason. */
async function twoThreads(): Promise<Head[]> {
  await desk.fails(facts())
  await mailed(30)
  await mailed(4 * 3600)
  await desk.fails(facts({ partition: '2026-11-23', run: 'second22' }))
  await mailed(1800)
  await desk.recovers(recovery())
  await desk.recovers(recovery({ partition: '2026-11-23' }))
  await mailed(30)
  await desk.fails(facts({ run: 'third333' }))
  await mailed(30)
  await desk.recovers(recovery())
  await mailed(30)
  return server.received.map(({ mail }) => headOf(mail))
}

function headOf({ subject = '', messageId = '', references = [] }: ParsedMail): Head {
  return { subject, id: messageId, references: [references].flat() }
}

/** JWZ's algorithm, which most clients follow: whoever names an id of a thread belongs to it. */
const byReferences = (head: Head, thread: Head[]) =>
  head.references.some((each) =>
    thread.some(({ id, references }) => id === each || references.includes(each)),
  )

/** A subject without the prefixes that clients strip: up to three letters and a colon. */
const topic = ({ subject }: Head) => subject.replace(/^(?:[^\d\s:]{1,3}: )+/, '')
const byTopic = (head: Head, [first]: Head[]) => first !== undefined && topic(first) === topic(head)

const CLIENTS: Record<string, (head: Head, thread: Head[]) => boolean> = {
  'by References alone': byReferences,
  // https://workspaceupdates.googleblog.com/2019/03/threading-changes-in-gmail-conversation-view.html
  'as Gmail describes it: the same subject, and References, if there are any, to the thread': (
    head,
    thread,
  ) => byTopic(head, thread) && (head.references.length === 0 || byReferences(head, thread)),
  // MS-OXCMAIL, 2.2.3.2.7: the conversation topic is the subject without its prefix.
  'as Outlook does without an index of its own: by the topic': byTopic,
}

/** The numbers of the mails in each thread. */
function threadsOf(heads: Head[], belongs: (head: Head, thread: Head[]) => boolean): number[][] {
  const threads: { heads: Head[]; numbers: number[] }[] = []
  for (const [index, head] of heads.entries()) {
    const found = threads.find((thread) => belongs(head, thread.heads))
    if (found === undefined) threads.push({ heads: [head], numbers: [index + 1] })
    else {
      found.heads.push(head)
      found.numbers.push(index + 1)
    }
  }
  return threads.map(({ numbers }) => numbers)
}

const HELD = [
  [1, 2, 3, 4],
  [5, 6],
]

describe('the mails of an incident are one thread, and those of the next another, in a client that groups', () => {
  test.each(Object.entries(CLIENTS))('%s', async (_, belongs) => {
    const heads = await twoThreads()
    expect(heads).toHaveLength(6)
    expect(threadsOf(heads, belongs)).toEqual(HELD)
  })

  test('but not if the all-clear changed the subject, or if subjects had no ids', async () => {
    const heads = await twoThreads()
    const grouped = (change: (head: Head, index: number) => string) =>
      Object.values(CLIENTS).map((belongs) =>
        threadsOf(
          heads.map((head, index) => ({ ...head, subject: change(head, index) })),
          belongs,
        ),
      )
    const announced = grouped(({ subject }, index) => (index === 3 ? `Resolved: ${subject}` : subject))
    expect(announced).toEqual([HELD, [[1, 2, 3], [4], [5, 6]], [[1, 2, 3], [4], [5, 6]]])
    const [references, gmail, outlook] = grouped(({ subject }) => subject.replace(/ \(#\d+\)$/, ''))
    expect(references).toEqual(HELD)
    expect(gmail).toEqual([[1, 2, 3, 4, 5, 6]])
    expect(outlook).toEqual([[1, 2, 3, 4, 5, 6]])
  })
})

test('each mail after the first answers the first, and its subject is the same to the letter', async () => {
  await twoThreads()
  const [root, ...rest] = server.received.slice(0, 4).map(({ mail }) => mail)
  expect(root?.inReplyTo).toBeUndefined()
  expect(root?.references).toBeUndefined()
  for (const mail of rest) {
    expect(mail.subject).toBe('churn 2026-11-22 not published: calls are late (#1)')
    expect(mail.inReplyTo).toBe(root?.messageId)
    expect([mail.references].flat()).toEqual([root?.messageId])
  }
  expect(rest.at(-1)?.text).toMatch(/^Resolved: /)
})
