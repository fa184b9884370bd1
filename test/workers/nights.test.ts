import { afterEach, describe, expect, test } from 'vitest'
import { listSlots } from '../../src/ledger/nights/slots.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { type Life, openLife } from './life.ts'

let project: TemporaryProject
let life: Life
afterEach(async () => {
  await life.close()
  await project.remove()
})

const MODEL = `model: value
description: Whether a customer is worth a call
owner: crm@example.com
on_call: [oncall@example.com]
consumers: [call centre]
view: activity
score: { column: score, min: 0, max: 1 }
`

const schedule = (start: string, more = '') => `schedule: nightly
cron: "30 2 * * *"
refresh: [activity]
start: "${start}"
${more}`

describe('nights about the one in which the clocks change', () => {
  test.each([
    // Spring: 02:30 does not exist; on Lord Howe, where clocks move by half an hour, it is the first instant after the gap.
    ['Europe/Berlin', '2026-03-28', '2026-03-30', '2026-03-29', '2026-03-29T01:00:00.000Z'],
    ['America/New_York', '2026-03-07', '2026-03-09', '2026-03-08', '2026-03-08T07:00:00.000Z'],
    ['Australia/Lord_Howe', '2026-10-03', '2026-10-05', '2026-10-04', '2026-10-03T15:30:00.000Z'],
    // Autumn: 02:30 exists twice in Berlin; in New York it is 01:00 to 02:00 that does, on Lord Howe 01:30 to 02:00.
    ['Europe/Berlin', '2026-10-24', '2026-10-26', '2026-10-25', '2026-10-25T00:30:00.000Z'],
    ['America/New_York', '2026-10-31', '2026-11-02', '2026-11-01', '2026-11-01T07:30:00.000Z'],
    ['Australia/Lord_Howe', '2026-04-04', '2026-04-06', '2026-04-05', '2026-04-04T16:00:00.000Z'],
  ])('publishes each local date of %s once, %s to %s', async (timezone, from, to, changed, due) => {
    project = await generatedProject({ customers: 5, timezone, schedule: schedule(from) })
    await project.write('models/value/model.yaml', MODEL)
    life = await openLife(project.root, { from: `${from}T12:00:00Z` })
    await life.until(`${to}T00:00:00Z`, 60)
    const slots = await listSlots(life.database.pool, { kind: 'features' })
    const published = slots.filter((slot) => slot.state === 'published').map((slot) => slot.partition)
    const dates: string[] = []
    for (let date = from; date < to; date = nextDay(date)) dates.push(date)
    // Where the zone is ahead of UTC the last night of the stretch has come as well.
    expect(published.filter((date) => date < to).sort()).toEqual(dates)
    expect(slots.find((slot) => slot.partition === changed)?.due).toBe(due)
    const { rows } = await life.database.pool.query(
      'select count(*)::int as runs, count(distinct slot)::int as slots from nightshift.runs',
    )
    expect(rows[0]).toEqual({ runs: published.length, slots: published.length })
  })
})

test('where no worker is alive, somebody is told at the deadline, and again when it is published after all', async () => {
  project = await generatedProject({ customers: 5, schedule: schedule('2026-03-03', 'deadline: "06:00"\n') })
  await project.write('models/value/model.yaml', MODEL)
  life = await openLife(project.root, { from: '2026-03-03T01:00:00Z', worker: false })
  await life.until('2026-03-03T05:55:00Z')
  expect(life.mails.received).toEqual([])
  await life.until('2026-03-03T06:05:00Z')
  const [told] = life.mails.received
  expect(life.mails.received).toHaveLength(1)
  expect(told?.mail.text).toContain('No features of activity for 2026-03-03 by the deadline')
  expect(told?.mail.text).toContain('it is queued')
  expect(told?.mail.text).toContain('nightshift doctor')
  expect(await life.slot('features', 'activity', '2026-03-03')).toMatchObject({ state: 'queued', late: true })

  await life.hire()
  await life.until('2026-03-03T06:15:00Z')
  expect(await life.slot('features', 'activity', '2026-03-03')).toMatchObject({ state: 'published' })
  expect(life.mails.received).toHaveLength(2)
  const clear = life.mails.received[1]?.mail
  expect(clear?.inReplyTo).toBe(told?.mail.messageId)
  expect(clear?.subject).toBe(told?.mail.subject)
  expect(clear?.text).toMatch(/published/)
})

test('a mail that nobody answers comes again every four hours; an acknowledged one does not', async () => {
  project = await generatedProject({ customers: 5, schedule: schedule('2026-03-03', 'deadline: "06:00"\n') })
  await project.write('models/value/model.yaml', MODEL)
  life = await openLife(project.root, { from: '2026-03-03T02:00:00Z', worker: false })
  await life.until('2026-03-03T15:00:00Z', 10)
  expect(life.mails.received).toHaveLength(3)
  const { rows } = await life.database.pool.query('select id from nightshift.incidents')
  await life.ack(Number(rows[0].id))
  await life.until('2026-03-03T23:30:00Z', 10)
  expect(life.mails.received).toHaveLength(3)
})

function nextDay(date: string): string {
  return new Date(Date.parse(date) + 86_400_000).toISOString().slice(0, 10)
}
