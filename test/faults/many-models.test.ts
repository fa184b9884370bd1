import { once } from 'node:events'
import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Temporal } from 'temporal-polyfill'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, type MailServer, openMailServer, type ReceivedMail } from '../alerts/mail-server.ts'
import { ended, nightshift, nightshiftJson, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { type TemporaryProject, temporaryProject } from '../projects/cdnow.ts'
import { writeDay } from '../projects/generated.ts'
import { record } from './record.ts'

const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
/** How long nobody answers on the SMTP port. */
const DOWN_MS = FULL ? 60_000 : 5_000
const TONIGHT = Temporal.Now.plainDateISO('UTC').toString()
const ALL = 'all@example.com'
const MODELS = FULL ? 40 : 8
/** Long enough for failures of one round to share a mail. */
const GROUP = FULL ? '30s' : '8s'
const numbers = Array.from({ length: MODELS }, (_, index) => String(index + 1).padStart(2, '0'))
/** Half of the models have no champion, half stand on views of their own with a broken file. */
const broken = numbers.slice(MODELS / 2)

let database: FreshDatabase
let project: TemporaryProject
let mails: MailServer | undefined
const beats: number[] = []
const heart = createServer((_request, response) => {
  beats.push(Date.now())
  response.end()
})

beforeAll(async () => {
  database = await freshDatabase()
  heart.listen(0, '127.0.0.1')
  await once(heart, 'listening')
  const { port } = heart.address() as AddressInfo
  const files: Record<string, string> = {
    'nightshift.yaml': `project: many
timezone: UTC
warehouse: warehouse
heartbeat: http://127.0.0.1:${port}/beat
alerts: { from: nightshift@example.com, base_url: "http://localhost:8080", group: ${GROUP} }
`,
    'schedules/nightly.yaml': `schedule: nightly
cron: "0 0 * * *"
score: [${numbers.map((number) => `model${number}`).join(', ')}]
start: "${TONIGHT}"
retry: { attempts: 2, backoff: 1s, wait_for_data: 0s }
`,
  }
  for (const name of ['activity', ...broken.map((number) => `view${number}`)]) {
    files[`features/${name}/view.yaml`] = `view: ${name}
entity: customer_id
owner: data@example.com
sources:
  events: { path: data/${name === 'activity' ? 'events/**' : name}/*.parquet, kind: events, event_time: happened_at }
`
    files[`features/${name}/features.sql`] =
      'SELECT customer_id, count(*)::FLOAT AS orders FROM events GROUP BY customer_id\n'
  }
  for (const number of numbers) {
    files[`models/model${number}/model.yaml`] = `model: model${number}
description: One of many
owner: crm@example.com
on_call: [${Number(number) % 2 === 0 ? 'even' : 'odd'}@example.com, ${ALL}]
view: ${broken.includes(number) ? `view${number}` : 'activity'}
score: { column: score }
`
    files[`models/model${number}/RUNBOOK.md`] = '# Runbook\n'
  }
  project = await temporaryProject(files)
  await writeDay(project.root, '2026-03-01')
  for (const number of broken) {
    mkdirSync(join(project.root, `data/view${number}`), { recursive: true })
    const file = join(project.root, `data/view${number}/events.parquet`)
    writeFileSync(file, 'this is no Parquet file, far from it')
    // A younger one could still be being written, which is another failure.
    const anHourAgo = new Date(Date.now() - 3_600_000)
    utimesSync(file, anHourAgo, anHourAgo)
  }
})
afterAll(async () => {
  await mails?.close()
  heart.close()
  await project.remove()
  await database.drop()
})

// Takes half a minute: mails wait for others, failures and all-clears one after the other, and SMTP is away meanwhile.
test(`${MODELS} models fail while SMTP is down: one mail an address, none lost, none twice, threads hold`, async () => {
  const port = await freePort()
  const env = { DATABASE_URL: database.url, SMTP_URL: `smtp://127.0.0.1:${port}` }
  const at = { project: project.root, env }
  const up = start(['up', '--port', '0', '--places', '2'], at)
  const over = ended(up)
  try {
    await until('all have failed', async () => (await open()) >= MODELS, 120)
    await sleep(DOWN_MS)
    const back = performance.now()
    mails = await openMailServer(port)
    await until(
      'all is mailed',
      async () => (await unsent()) === 0 && (mails?.received.length ?? 0) >= 3,
      120,
    )
    const first = perAddress(mails.received)
    expect(Object.keys(first).sort()).toEqual([ALL, 'even@example.com', 'odd@example.com'])
    expect(beats.length).toBeGreaterThan(0)
    record({
      fault: `SMTP is down while ${MODELS} models fail`,
      promise: 'one mail an address, none lost, none twice',
      happened: 'one mail an address when it was back',
      seconds: (performance.now() - back) / 1000,
    })

    // Half of them are mended, each by a command of its own.
    const seen = mails.received.length
    for (const number of broken) await mend(number)
    const { json: failed } = await nightshiftJson(['runs', '--state', 'held'], at)
    for (const { run, name } of failed) {
      if (broken.includes(String(name).slice(-2))) await nightshiftJson(['retry', run], at)
    }
    // Their scores fail in turn, for want of champions: told in groups again, beside what the commands said.
    await until('the next failures are told', async () => (mails?.received.length ?? 0) >= seen + 3, 120)
    // And given up: the all-clears close all of the threads.
    for (let next = 0; next < MODELS; next += 4) {
      await Promise.all(
        numbers
          .slice(next, next + 4)
          .map((number) =>
            nightshift(['skip', `model${number}:${TONIGHT}`, '--reason', 'enough for tonight'], at),
          ),
      )
    }
    await until('all is closed', async () => (await open()) === 0, 30)
    await until('the all-clears are told', async () => (await due()) === 0, 120)
    await until('all is sent', async () => (await unsent()) === 0, 60)
    expect(mails.received.length).toBeLessThan(seen + 16)
  } finally {
    up.kill('SIGTERM')
    await over
  }

  const received = mails?.received ?? []
  const { rows } = await database.database.pool.query<{ written: number; sent: number; tries: number }>(
    'select count(*)::int as written, count(sent_at)::int as sent, sum(tries)::int as tries from nightshift.outbox',
  )
  const ids = received.map(({ mail }) => mail.messageId)
  const threads = Object.values(perAddress(received))
  console.info(
    `${MODELS} models, SMTP down for ${DOWN_MS / 1000} s: ${rows[0]?.written} mails written, ${received.length} received in ${rows[0]?.tries} tries, ` +
      `${(rows[0]?.written ?? 0) - new Set(ids).size} lost, ${ids.length - new Set(ids).size} twice; mails of each address: ${threads.map((own) => own.length).join(', ')}`,
  )
  expect(rows[0]?.sent).toBe(rows[0]?.written)
  expect(new Set(ids).size).toBe(rows[0]?.written)
  expect(ids.length).toBe(new Set(ids).size)
  const replies = received.filter((each) => each.mail.inReplyTo !== undefined)
  expect(replies.length).toBeGreaterThanOrEqual(3)
  for (const { mail } of replies) {
    const root = received.find((each) => each.mail.messageId === mail.inReplyTo)
    expect(mail.subject).toBe(root?.mail.subject)
    expect([mail.references ?? []].flat()).toContain(root?.mail.messageId)
  }
})

function perAddress(received: ReceivedMail[]): Record<string, ReceivedMail[]> {
  const threads: Record<string, ReceivedMail[]> = {}
  for (const mail of received) {
    const to = mail.envelope.to.join()
    threads[to] = [...(threads[to] ?? []), mail]
  }
  return threads
}

async function mend(number: string): Promise<void> {
  const from = join(project.root, `data/view${number}`)
  await writeDay(from, '2026-03-01')
  renameSync(join(from, 'data/events/date=2026-03-01/events.parquet'), join(from, 'events.parquet'))
}

async function open(): Promise<number> {
  const { rows } = await database.database.pool.query(
    'select count(*)::int as n from nightshift.incidents where closed_at is null',
  )
  return rows[0].n
}

async function due(): Promise<number> {
  const { rows } = await database.database.pool.query(
    'select count(*)::int as n from nightshift.incident_readers where due_at is not null',
  )
  return rows[0].n
}

async function unsent(): Promise<number> {
  const { rows } = await database.database.pool.query(
    'select count(*)::int as n from nightshift.outbox where sent_at is null',
  )
  return rows[0].n
}

async function until(what: string, look: () => Promise<boolean>, seconds: number): Promise<void> {
  for (let tries = 0; tries < seconds * 4; tries++) {
    if (await look()) return
    await sleep(250)
  }
  throw new Error(`it was waited in vain: ${what}`)
}
