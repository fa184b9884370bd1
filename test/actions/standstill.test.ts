import { resolve } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { NO_WORKER, standstill } from '../../src/actions/standstill.ts'
import { workerAlive } from '../../src/ledger/nights/alive.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import type { Project } from '../../src/project/project.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'

const example = openProject(resolve(import.meta.dirname, '../..'))
const alerts = (base_url: string): Project['alerts'] => ({ ...example.alerts, base_url }) as Project['alerts']
const project = { ...example, alerts: alerts('https://scores.example.com') }

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
})
afterAll(() => fresh.drop())
beforeEach(() => run('truncate nightshift.processes, nightshift.outbox'))

const run = (sql: string, values: unknown[] = []) => fresh.database.pool.query(sql, values)
const process = (role: string, places: number, seen: string, planned: string | null) =>
  run(
    `insert into nightshift.processes (id, role, host, pid, places, seen_at, reconciled_at)
     values ($1, $1, 'h', 1, $2, clock_timestamp() - $3::interval, clock_timestamp() - $4::interval)`,
    [role, places, seen, planned],
  )
const mail = (values: { kind?: 'post'; error?: string; sent?: string; gaveUp?: string }) =>
  run(
    `insert into nightshift.outbox (kind, recipient, subject, message_id, body_text, body_html, last_error, transport, sent_at, gave_up_at)
     values ($4, 'a@example.com', 's', gen_random_uuid(), '', '', $1, $2::text, case when $2::text is not null then now() end,
             now() - $3::interval)`,
    [values.error ?? null, values.sent ?? null, values.gaveUp ?? null, values.kind ?? 'mail'],
  )

test('a worker and a scheduler that were seen just now, and mails that went out: nothing to say', async () => {
  await process('worker', 2, '1s', '2s')
  await mail({ sent: 'mail.example.com: 250 OK' })
  expect(await standstill(fresh.database, project)).toEqual([])
})

test.each([
  ['no process', async () => {}, [/^No worker is running/, /^No scheduler is running/]],
  ['a worker that plans nothing', () => process('worker', 2, '1s', null), [/^No scheduler is running/]],
  ['a scheduler that takes no jobs', () => process('scheduler', 0, '1s', '2s'), [/^No worker is running/]],
  ['a scheduler whose rounds fail', () => process('scheduler', 2, '1s', '10 minutes'), []],
  ['processes that are gone', () => process('worker', 2, '20s', '70s'), [/^No worker/, /^No scheduler/]],
])('%s', async (_, begin, expected) => {
  await begin()
  expect(await standstill(fresh.database, project)).toEqual(
    expected.map((each) => expect.stringMatching(each)),
  )
})

test('what no living worker takes is named, whole kinds and single models', async () => {
  const takes = (role: string, value: object) =>
    run(`update nightshift.processes set takes = $2 where role = $1`, [role, JSON.stringify(value)])
  await process('worker', 2, '1s', '2s')
  await takes('worker', { only: ['features', 'scoring'], models: null, views: null })
  expect(await standstill(fresh.database, project)).toEqual([
    'No worker takes monitoring, retraining, operations: that waits until one does. Start one: nightshift up',
  ])
  await process('command', 1, '1s', null)
  await takes('command', { only: ['monitoring', 'retraining', 'operations'], models: null, views: null })
  expect(await standstill(fresh.database, project)).toEqual([])
  await takes('worker', { only: ['features', 'scoring'], models: ['a'], views: ['v'] })
  await run(
    `insert into nightshift.slots (kind, name, as_of, partition)
     values ('scores', 'a', now(), 'd'), ('scores', 'b', now(), 'd'), ('features', 'v', now(), 'd'), ('features', 'w', now(), 'd')`,
  )
  expect(await standstill(fresh.database, project)).toEqual([
    'No worker takes features of w, scoring of b: that waits until one does. Start one: nightshift up',
  ])
  expect(await workerAlive(fresh.database)).toBe(false)
  await run('truncate nightshift.slots cascade')
})

test('without a schedule that is not paused, nobody waits for a scheduler', async () => {
  expect(await standstill(fresh.database, { ...project, schedules: {} })).toEqual([NO_WORKER])
  const paused = Object.fromEntries(
    Object.entries(project.schedules).map(([name, schedule]) => [name, { ...schedule, paused: true }]),
  )
  expect(await standstill(fresh.database, { ...project, schedules: paused })).toEqual([NO_WORKER])
})

test('mails that are not delivered are counted with the newest reason, those given up for a day', async () => {
  await process('worker', 2, '1s', '2s')
  await mail({ error: 'mail.example.com does not answer' })
  await mail({ error: 'old', gaveUp: '2 days' })
  expect(await standstill(fresh.database, project)).toEqual([
    '1 mail was not delivered: mail.example.com does not answer. Delivery is tried again; nightshift doctor checks the mail server.',
  ])
  await run('truncate nightshift.outbox')
  await mail({ error: 'no such user\nat all', gaveUp: '2 hours' })
  await mail({ error: 'no such user\nat all', gaveUp: '1 hour' })
  expect(await standstill(fresh.database, project)).toEqual([
    '2 mails were not delivered: no such user at all. Delivery was given up.',
  ])
})

test('posts to webhooks that are not delivered are named as such', async () => {
  await process('worker', 2, '1s', '2s')
  const error = 'https://hooks.example.com/...: answered 503'
  await mail({ kind: 'post', error })
  expect(await standstill(fresh.database, project)).toEqual([
    `1 post was not delivered: ${error}. Delivery is tried again; nightshift doctor checks the webhooks.`,
  ])
  await mail({ error: 'no answer' })
  await mail({ error: 'no answer' })
  expect(await standstill(fresh.database, project)).toEqual([
    '2 mails and 1 post were not delivered: no answer. Delivery is tried again; nightshift doctor checks the mail server.',
  ])
})

test('a post that a server took is no sign of a mail server', async () => {
  await process('worker', 2, '1s', '2s')
  await mail({ kind: 'post', sent: 'https://hooks.example.com/...: 200' })
  const local = { ...project, alerts: alerts('http://localhost:8080') }
  expect(await standstill(fresh.database, local)).toEqual([])
})

test.each(['http://localhost:8080', 'http://127.0.0.2/x', 'http://[::1]:8080'])(
  'links of mails that a server took and that lead to %s open nowhere else',
  async (base_url) => {
    await process('worker', 2, '1s', '2s')
    const local = { ...project, alerts: alerts(base_url) }
    await mail({ sent: '.nightshift/outbox/1.eml' })
    expect(await standstill(fresh.database, local)).toEqual([])
    await mail({ sent: 'mail.example.com: 250 OK' })
    expect(await standstill(fresh.database, local)).toEqual([
      `Links in mails begin with ${base_url}, which only this machine can open: set alerts.base_url in nightshift.yaml to an address that the readers of mails reach.`,
    ])
  },
)
