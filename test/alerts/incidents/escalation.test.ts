import { afterEach, beforeEach, expect, test } from 'vitest'
import { sendDueMails } from '../../../src/alerts/delivery/send-due-mails.ts'
import { ack } from '../../../src/alerts/incidents/acknowledge.ts'
import { eventsOf } from '../../../src/alerts/incidents/events.ts'
import { mute, unmute } from '../../../src/alerts/incidents/mutes.ts'
import { writeMails } from '../../../src/alerts/letters/write-mails.ts'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { type Desk, openDesk } from '../desk.ts'
import { type MailServer, openMailServer } from '../mail-server.ts'
import { drifting, facts, recovery, SETTINGS } from '../sample.ts'

const MINUTE = 60
const LEAD = 'lead@example.com'
const ONCALL = 'oncall@example.com'
let desk: Desk
let server: MailServer

beforeEach(async () => {
  desk = await openDesk({ ...SETTINGS, escalate: { to: [LEAD], after: MINUTE * 60_000 } })
  server = await openMailServer()
})
afterEach(async () => {
  await server.close()
  await desk.close()
})

/** Who is mailed now. */
async function mailed(): Promise<string[]> {
  const before = server.received.length
  await sendDueMails(desk.post(server.url))
  return server.received.slice(before).map(({ mail }) => [mail.to].flat()[0]?.text ?? '')
}

const acked = () => transaction(desk.database, (client) => ack(client, desk.now(), [1], 'ann@example.com'))

test('nobody acknowledges: another address is mailed an hour after the first mail, and told why', async () => {
  await desk.fails(facts())
  desk.pass(30)
  expect(await mailed()).toEqual([ONCALL])
  desk.pass(59 * MINUTE)
  expect(await mailed()).toEqual([])
  desk.pass(MINUTE)
  expect(await mailed()).toEqual([LEAD])
  const text = server.received.at(-1)?.mail.text ?? ''
  expect(text).toContain(
    'You get this because nobody acknowledged it within 1 h. Mailed before: oncall@example.com.',
  )
  const events = await eventsOf(desk.database.pool, 1)
  expect(events.find(({ event }) => event === 'escalated')?.detail).toEqual({ recipient: LEAD })

  await desk.recovers(recovery())
  desk.pass(30)
  expect((await mailed()).sort()).toEqual([LEAD, ONCALL])
})

test('what is acknowledged in time is not escalated, whatever else happens to it', async () => {
  await desk.fails(facts())
  desk.pass(30)
  await mailed()
  await acked()
  desk.pass(61 * MINUTE)
  expect(await mailed()).toEqual([])
  await desk.fails(facts({ partition: '2026-11-23', run: 'second22' }))
  desk.pass(5 * 60 * MINUTE)
  expect(await mailed()).toEqual([ONCALL])
})

test('a further night escalates nothing earlier', async () => {
  await desk.fails(facts())
  desk.pass(30)
  await mailed()
  desk.pass(20 * MINUTE)
  await desk.fails(facts({ partition: '2026-11-23', run: 'second22' }))
  desk.pass(30)
  expect(await mailed()).toEqual([ONCALL])
})

test('what closes in time is not escalated: no alert and no all-clear', async () => {
  await desk.fails(facts())
  desk.pass(30)
  await mailed()
  await desk.recovers(recovery())
  desk.pass(61 * MINUTE)
  expect(await mailed()).toEqual([ONCALL])
})

test('who is on call is mailed once', async () => {
  await desk.fails(facts({ onCall: [LEAD] }))
  desk.pass(30)
  expect(await mailed()).toEqual([LEAD])
  desk.pass(61 * MINUTE)
  expect(await mailed()).toEqual([])
})

test('what is muted waits for the end of the mute', async () => {
  await desk.fails(facts())
  desk.pass(30)
  await mailed()
  const about = { subject: 'churn', kind: 'all', by: null } as const
  const until = new Date(desk.now().getTime() + 5 * 3_600_000)
  await transaction(desk.database, (client) => mute(client, desk.now(), about, until))
  desk.pass(61 * MINUTE)
  expect(await mailed()).toEqual([])
  await transaction(desk.database, (client) => unmute(client, about.subject))
  expect(await mailed()).toContain(LEAD)
})

test('drift can wait until the day', async () => {
  await desk.fails(drifting('churn', { monthly_price: 0.4 }))
  desk.pass(30)
  await mailed()
  desk.pass(120 * MINUTE)
  expect(await mailed()).toEqual([])
})

test('a command that ends at once escalates nothing', async () => {
  await desk.fails(facts())
  const { settings, log } = desk.post()
  expect(await writeMails(desk.database, desk.now(), settings, log, { flush: true })).toBe(1)
})
