import { afterEach, expect, test } from 'vitest'
import type * as Transport from '../../src/alerts/delivery/open-transport.ts'
import type * as SendDueMails from '../../src/alerts/delivery/send-due-mails.ts'
import { type Desk, openDesk } from '../alerts/desk.ts'
import { freePort, type MailServer, openMailServer } from '../alerts/mail-server.ts'
import { facts } from '../alerts/sample.ts'
import { built } from './built.ts'
import { record } from './record.ts'

const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
/** How long no mail server answers, in minutes of a clock that the test moves; one incident in each. */
const AWAY = FULL ? 60 : 12

let desk: Desk
let mails: MailServer | undefined
afterEach(async () => {
  await mails?.close()
  await desk?.close()
})

test(`the mail server is away for ${AWAY} minutes: each mail arrives once when it is back, in the order of its thread`, async () => {
  const { sendDueMails } = await built<typeof SendDueMails>('alerts/delivery/send-due-mails.ts')
  desk = await openDesk()
  const port = await freePort()
  const url = `smtp://127.0.0.1:${port}`
  const { openTransport } = await built<typeof Transport>('alerts/delivery/open-transport.ts')
  const sender = ({ root, post }: Desk) => {
    const { log, ...rest } = post(url)
    return { ...rest, log, transport: openTransport(url, root, log) }
  }
  const post = sender(desk)
  for (let minute = 0; minute < AWAY; minute++) {
    await desk.fails(
      facts({
        subject: `model${minute}`,
        slot: `model${minute}:2026-11-22`,
        onCall: [`oncall${minute % 3}@example.com`],
      }),
    )
    await sendDueMails(post, { flush: true })
    desk.pass(60)
  }
  const { rows: waiting } = await desk.database.pool.query<{ message_id: string }>(
    'select message_id from nightshift.outbox where sent_at is null and gave_up_at is null',
  )
  expect(waiting.length).toBeGreaterThanOrEqual(AWAY)

  mails = await openMailServer(port)
  const back = desk.now().getTime()
  // Two who drain at once, as in a fleet.
  const other = sender(desk)
  let minutes = 0
  for (; minutes < 60 && mails.received.length < waiting.length; minutes++) {
    await Promise.all([sendDueMails(post, { flush: true }), sendDueMails(other, { flush: true })])
    desk.pass(60)
  }
  const ids = mails.received.map(({ mail }) => mail.messageId)
  expect(new Set(ids).size).toBe(ids.length)
  expect(new Set(ids)).toEqual(new Set(waiting.map(({ message_id }) => message_id)))
  record({
    fault: `the mail server is away for ${AWAY} minutes (of a clock that is moved)`,
    promise: 'no mail is lost, none arrives twice; they arrive by themselves',
    happened: 'all arrived, none twice',
    seconds: (desk.now().getTime() - back) / 1000,
  })
}, 600_000)
