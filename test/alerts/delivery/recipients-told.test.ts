import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sendDueMails } from '../../../src/alerts/delivery/send-due-mails.ts'
import { ack } from '../../../src/alerts/incidents/acknowledge.ts'
import { listIncidents } from '../../../src/alerts/incidents/list-incidents.ts'
import { activeMutes, mute, unmute } from '../../../src/alerts/incidents/mutes.ts'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { type Desk, openDesk } from '../desk.ts'
import { facts, outage, recovery } from '../sample.ts'

const HOUR = 3600
const CHURN = { subject: 'churn', kind: 'all', by: null } as const
let desk: Desk

beforeEach(async () => {
  desk = await openDesk()
})
afterEach(() => desk.close())

describe('who is told, and how often', () => {
  test('repeats come every four hours until someone acknowledges', async () => {
    await desk.fails(facts())
    desk.pass(30)
    await desk.mails()
    for (let hour = 0; hour < 8; hour += 1) {
      desk.pass(HOUR)
      await desk.mails()
    }
    expect((await desk.mailbox()).received).toHaveLength(3)
    const acked = await transaction(desk.database, (client) =>
      ack(client, desk.now(), [1, 99], 'ann@example.com'),
    )
    expect(acked).toEqual([1])
    desk.pass(24 * HOUR)
    expect(await desk.mails()).toHaveLength(3)
  })

  test('a further night is told although the incident is acknowledged', async () => {
    await desk.fails(facts())
    desk.pass(30)
    await desk.mails()
    await transaction(desk.database, (client) => ack(client, desk.now(), [1], 'ann@example.com'))
    desk.pass(24 * HOUR)
    await desk.fails(facts({ partition: '2026-11-23', run: 'second22' }))
    desk.pass(30)
    const all = await desk.mails()
    expect(all).toHaveLength(2)
    expect(all[1]?.mail.text).toContain('Acknowledged by ann@example.com')
  })

  test('an hourly model that fails every hour is mailed once in fifteen minutes at most, and less once acknowledged', async () => {
    for (let hour = 0; hour < 4; hour += 1) {
      await desk.fails(facts({ partition: `2026-11-22T0${hour}Z`, run: `hourly${hour}x` }))
      desk.pass(30)
      await desk.mails()
      desk.pass(HOUR - 30)
      if (hour === 1) {
        await transaction(desk.database, (client) => ack(client, desk.now(), [1], 'ann@example.com'))
      }
    }
    expect((await desk.mailbox()).received).toHaveLength(2)
  })

  test('a mute holds mails back until it is over', async () => {
    const until = new Date(desk.now().getTime() + 6 * HOUR * 1000)
    await transaction(desk.database, (client) =>
      mute(client, desk.now(), { ...CHURN, by: 'ann@example.com' }, until),
    )
    await desk.fails(facts())
    await desk.fails(outage(1))
    desk.pass(5 * HOUR)
    expect((await desk.mails()).map(({ mail }) => mail.subject)).toEqual([
      'model-01 2026-11-22 not published: a connection, a lock or a process was lost (#2)',
    ])
    desk.pass(HOUR)
    const subjects = (await desk.mails()).map(({ mail }) => mail.subject)
    expect(subjects).toContain('churn 2026-11-22 not published: calls are late (#1)')
  })

  test('what opens and closes under a mute is never mailed, and is in the ledger', async () => {
    const until = new Date(desk.now().getTime() + 6 * HOUR * 1000)
    await transaction(desk.database, (client) => mute(client, desk.now(), CHURN, until))
    await desk.fails(facts())
    desk.pass(HOUR)
    await desk.recovers(recovery())
    desk.pass(24 * HOUR)
    expect(await desk.mails()).toHaveLength(0)
    const [incident] = await listIncidents(desk.database.pool, desk.now(), { closedToo: true })
    expect(incident?.closedAt).toBeInstanceOf(Date)
  })

  test('a mute that is taken back holds nothing back any more', async () => {
    const until = new Date(desk.now().getTime() + 6 * HOUR * 1000)
    await transaction(desk.database, (client) => mute(client, desk.now(), CHURN, until))
    await desk.fails(facts())
    desk.pass(HOUR)
    expect(await desk.mails()).toHaveLength(0)
    expect(await transaction(desk.database, (client) => unmute(client, 'churn'))).toBe(true)
    expect(await transaction(desk.database, (client) => unmute(client, 'churn'))).toBe(false)
    expect((await desk.mails()).map(({ mail }) => mail.subject)).toEqual([
      'churn 2026-11-22 not published: calls are late (#1)',
    ])
  })

  test('a mute of one kind leaves the others loud', async () => {
    const until = new Date(desk.now().getTime() + 6 * HOUR * 1000)
    await transaction(desk.database, (client) => mute(client, desk.now(), { ...CHURN, kind: 'drift' }, until))
    await desk.fails(facts())
    desk.pass(HOUR)
    expect((await desk.mails()).map(({ mail }) => mail.subject)).toEqual([
      'churn 2026-11-22 not published: calls are late (#1)',
    ])
    await transaction(desk.database, (client) =>
      mute(client, desk.now(), { ...CHURN, kind: 'late-data' }, until),
    )
    desk.pass(24 * HOUR)
    expect(await activeMutes(desk.database.pool, new Date(until.getTime() - 1))).toMatchObject([
      { subject: 'churn', kind: 'drift' },
      { subject: 'churn', kind: 'late-data' },
    ])
  })

  test('a mute of the past is refused', async () => {
    await expect(
      transaction(desk.database, (client) => mute(client, desk.now(), CHURN, desk.now())),
    ).rejects.toThrow('expected --until to be in the future')
  })

  test('without an address on call the owner is told, and each address once', async () => {
    await desk.fails(facts({ onCall: ['nobody at all', 'a@x.example\r\nBcc: evil@x.example'] }))
    await desk.fails(outage(1, { onCall: ['B@example.com', 'b@example.com', 'c@example.com'] }))
    desk.pass(30)
    const to = (await desk.mails()).flatMap(({ envelope }) => envelope.to)
    expect(to.sort()).toEqual(['B@example.com', 'c@example.com', 'churn-team@example.com'])
  })

  test('a command that ends at once mails at once', async () => {
    const server = await desk.mailbox()
    await desk.fails(facts())
    expect((await sendDueMails(desk.post(server.url), { flush: true })).sent).toBe(1)
    expect((await sendDueMails(desk.post(server.url), { flush: true })).sent).toBe(0)
  })
})
