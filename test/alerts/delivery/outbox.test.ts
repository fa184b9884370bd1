import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { simpleParser } from 'mailparser'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { enqueue } from '../../../src/alerts/delivery/enqueue-mail.ts'
import { CLAIM, deliverNext, drain } from '../../../src/alerts/delivery/outbox.ts'
import { sendTest } from '../../../src/alerts/delivery/test-mail.ts'
import type { Letter } from '../../../src/alerts/letters/letter.ts'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { type Desk, openDesk } from '../desk.ts'
import { freePort, type MailServer, openMailServer } from '../mail-server.ts'
import { SETTINGS } from '../sample.ts'
import { outboxState } from './outbox-state.ts'

const LETTER: Letter = { tone: 'notice', lead: ['Something was overridden.'], sections: [], foot: [] }
let desk: Desk
let server: MailServer | undefined
let socket: Server | undefined

beforeEach(async () => {
  desk = await openDesk()
})
afterEach(async () => {
  await server?.close()
  server = undefined
  await new Promise((resolve) => (socket === undefined ? resolve(undefined) : socket.close(resolve)))
  socket = undefined
  await desk.close()
})

async function write(recipient: string, subject = 'a mail', letter = LETTER) {
  return transaction(desk.database, (client) =>
    enqueue(client, desk.now(), { recipient, subject, letter }, SETTINGS),
  )
}

describe('draining', () => {
  test('eight drains at once send each of 60 mails once', async () => {
    server = await openMailServer()
    const { url } = server
    for (let index = 0; index < 60; index += 1) await write(`a${index}@example.com`)
    const drained = await Promise.all(Array.from({ length: 8 }, () => drain(desk.post(url))))
    expect(drained.reduce((sum, { sent }) => sum + sent, 0)).toBe(60)
    const to = server.received.map(({ envelope }) => envelope.to.join())
    expect(new Set(to).size).toBe(60)
    expect(to).toHaveLength(60)
  })

  test('a mail that one recipient refuses is tried again, and keeps back nobody', async () => {
    server = await openMailServer(0, {
      onRcptTo: ({ address }, _session, callback) =>
        callback(address === 'full@example.com' ? new Error('mailbox is full') : undefined),
    })
    await write('full@example.com')
    await write('fine@example.com')
    expect(await drain(desk.post(server.url))).toEqual({ sent: 1, failed: 1, gaveUp: 0 })
    const { waiting, lastError } = await outboxState(desk.database.pool)
    expect(waiting).toBe(1)
    expect(lastError).toContain('mailbox is full')
    expect(await drain(desk.post(server.url))).toEqual({ sent: 0, failed: 0, gaveUp: 0 })
    desk.pass(15)
    expect(await drain(desk.post(server.url))).toEqual({ sent: 0, failed: 1, gaveUp: 0 })
  })

  test('a server that is down is asked once for all that waits, and all goes out when it is back', async () => {
    const port = await freePort()
    const post = desk.post(`smtp://127.0.0.1:${port}`)
    for (let index = 0; index < 5; index += 1) await write(`a${index}@example.com`)
    expect(await drain(post)).toEqual({ sent: 0, failed: 1, gaveUp: 0 })
    expect(await drain(post)).toEqual({ sent: 0, failed: 0, gaveUp: 0 })
    server = await openMailServer(port)
    desk.pass(15)
    expect(await drain(post)).toEqual({ sent: 5, failed: 0, gaveUp: 0 })
  })

  test('what could not be delivered for 24 hours is given up, loudly', async () => {
    const post = desk.post(`smtp://127.0.0.1:${await freePort()}`)
    await write('ann@example.com')
    desk.pass(24 * 3600 - 60)
    expect(await drain(post)).toEqual({ sent: 0, failed: 1, gaveUp: 0 })
    desk.pass(60)
    expect(await drain(post)).toEqual({ sent: 0, failed: 0, gaveUp: 1 })
    expect(desk.log.at(-1)).toMatchObject({ level: 'error', message: expect.stringContaining('MAIL LOST') })
    expect(await outboxState(desk.database.pool)).toMatchObject({ waiting: 0, gaveUp: 1 })
    desk.pass(3600)
    expect(await drain(post)).toEqual({ sent: 0, failed: 0, gaveUp: 0 })
  })

  test('a mail that a dead process had claimed is sent by another once the claim is over', async () => {
    server = await openMailServer()
    await write('ann@example.com')
    const until = new Date(desk.now().getTime() + CLAIM)
    await desk.database.pool.query(
      'update nightshift.outbox set claim = gen_random_uuid(), claimed_until = $1',
      [until],
    )
    expect((await drain(desk.post(server.url))).sent).toBe(0)
    desk.pass(CLAIM / 1000)
    expect((await drain(desk.post(server.url))).sent).toBe(1)
  })

  test('a connection that breaks after the mail was handed over is one try, and the next one has the same id', async () => {
    const bodies: string[] = []
    socket = createServer((connection) => {
      connection.on('error', () => {})
      connection.write('220 mail\r\n')
      let data = false
      connection.on('data', (chunk) => {
        const text = chunk.toString()
        if (data) {
          bodies[bodies.length - 1] += text
          if (bodies.at(-1)?.endsWith('\r\n.\r\n')) connection.end()
        } else if (/^DATA/i.test(text)) {
          data = true
          bodies.push('')
          connection.write('354 go on\r\n')
        } else connection.write('250 ok\r\n')
      })
    })
    socket.listen(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address() as AddressInfo
    await write('ann@example.com')
    expect((await drain(desk.post(`smtp://127.0.0.1:${port}`))).failed).toBe(1)
    expect(bodies).toHaveLength(1)
    server = await openMailServer()
    desk.pass(15)
    expect((await drain(desk.post(server.url))).sent).toBe(1)
    const first = await simpleParser(bodies[0] ?? '')
    expect(server.received[0]?.mail.messageId).toBe(first.messageId)
    expect(server.received[0]?.mail.date).toEqual(first.date)
  })

  test('a mail of a thread waits for the one before it, ten minutes at most', async () => {
    const { rows } = await desk.database.pool.query<{ id: string }>(
      `insert into nightshift.threads (recipient, subject, root, created_at) values ('a@example.com', 's', 'r', now()) returning id`,
    )
    const thread = { id: Number(rows[0]?.id), root: undefined }
    const mail = { recipient: 'a@example.com', letter: LETTER, thread }
    const { id } = await transaction(desk.database, async (client) => {
      const first = await enqueue(client, desk.now(), { ...mail, subject: 'first' }, SETTINGS)
      await enqueue(client, desk.now(), { ...mail, subject: 'second' }, SETTINGS)
      return first
    })
    await desk.database.pool.query(
      `update nightshift.outbox set due_at = due_at + interval '1 hour' where id = $1`,
      [id],
    )
    expect(await deliverNext(desk.post())).toBeUndefined()
    desk.pass(601)
    expect((await deliverNext(desk.post()))?.outcome).toBe('sent')
    expect(desk.log.at(-1)?.facts).toMatchObject({ subject: 'second' })
  })

  test('a mail that cannot be put together keeps back nobody', async () => {
    await write('ann@example.com')
    await desk.database.pool.query(`update nightshift.outbox set attachments = '[{"filename": "x"}]'`)
    await write('bob@example.com')
    expect(await drain(desk.post())).toEqual({ sent: 1, failed: 1, gaveUp: 0 })
  })
})

/** Drains as a process of its own would, from the bundled modules. */
function drainer(databaseUrl: string, smtpUrl: string, now: Date): ChildProcess {
  const dist = new URL('../../../dist/.modules/', import.meta.url).href
  const program = `
    import pg from 'pg'
    const { drain } = await import('${dist}alerts/delivery/outbox.js')
    const { openTransport } = await import('${dist}alerts/delivery/open-transport.js')
    const log = { info() {}, warn() {}, error() {} }
    const [databaseUrl, smtpUrl, settings, now] = process.argv.slice(1)
    const database = { pool: new pg.Pool({ connectionString: databaseUrl }) }
    const transport = openTransport(smtpUrl, '/nowhere', log)
    await drain({ database, transport, settings: JSON.parse(settings), log, clock: () => new Date(now) })
    await database.pool.end()`
  const values = [databaseUrl, smtpUrl, JSON.stringify(SETTINGS), now.toISOString()]
  return spawn(process.execPath, ['--input-type=module', '-e', program, ...values], { stdio: 'inherit' })
}

test('a process that is killed while it sends loses no mail, and sends at most one twice', async () => {
  server = await openMailServer()
  for (let index = 0; index < 120; index += 1) await write(`a${index}@example.com`)
  const child = drainer(desk.database.url, server.url, desk.now())
  const ended = once(child, 'exit')
  while (server.received.length < 40 && child.exitCode === null) await sleep(1)
  child.kill('SIGKILL')
  expect(await ended).toEqual([null, 'SIGKILL'])
  const before = server.received.length
  expect(before).toBeLessThan(120)
  await drain(desk.post(server.url))
  desk.pass(CLAIM / 1000)
  await drain(desk.post(server.url))
  const ids = server.received.map(({ mail }) => mail.messageId)
  console.info(
    `killed after ${before} of 120 mails: ${ids.length - 120} came twice, with the same Message-ID`,
  )
  expect(new Set(ids).size).toBe(120)
  expect(ids.length).toBeLessThanOrEqual(121)
})

describe('without SMTP_URL', () => {
  test('mails are files that a mail program opens, named by time and recipient, and the log says so', async () => {
    await transaction(desk.database, (client) =>
      enqueue(
        client,
        desk.now(),
        {
          recipient: 'ann@example.com',
          subject: 'Übersicht der Nacht 🌙',
          letter: { ...LETTER, lead: ['Grüße 🌙 – 夜'] },
          attachments: [
            { filename: 'chart.png', type: 'image/png', base64: Buffer.from('png').toString('base64') },
          ],
        },
        SETTINGS,
      ),
    )
    expect(await drain(desk.post())).toEqual({ sent: 1, failed: 0, gaveUp: 0 })
    const folder = join(desk.root, '.nightshift', 'outbox')
    const files = await readdir(folder)
    expect(files).toEqual(['20261122T030005Z-000001-ann@example.com.eml'])
    const mail = await simpleParser(await readFile(join(folder, files[0] ?? '')))
    expect(mail.subject).toBe('Übersicht der Nacht 🌙')
    expect(mail.text).toContain('Grüße 🌙 – 夜')
    expect(mail.html).toContain('Grüße 🌙 – 夜')
    expect(mail.date).toEqual(desk.now())
    expect(mail.attachments.map(({ filename, content }) => [filename, content.toString()])).toEqual([
      ['chart.png', 'png'],
    ])
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated')
    expect(desk.log.at(-1)).toMatchObject({
      level: 'info',
      facts: { mail: `.nightshift/outbox/${files[0]}` },
      message: expect.stringContaining('SMTP_URL is not set'),
    })
  })
})

describe('nothing that is written becomes a header or a recipient', () => {
  test('line breaks in a subject, in a project name and in the words', async () => {
    server = await openMailServer()
    const evil = 'x\r\nBcc: evil@example.com\r\n\r\n.\r\nMAIL FROM:<evil@example.com>'
    const settings = { ...SETTINGS, project: evil }
    await transaction(desk.database, (client) =>
      enqueue(
        client,
        desk.now(),
        {
          recipient: 'ann@example.com',
          subject: `[telco] ${evil}`,
          letter: { ...LETTER, lead: [evil, '.', '..'] },
        },
        settings,
      ),
    )
    const post = { ...desk.post(server.url), settings }
    expect((await drain(post)).sent).toBe(1)
    expect(server.received).toHaveLength(1)
    const [received] = server.received
    expect(received?.envelope.to).toEqual(['ann@example.com'])
    expect(received?.mail.bcc).toBeUndefined()
    expect(received?.mail.headers.has('bcc')).toBe(false)
    expect(received?.mail.subject).toContain('Bcc: evil@example.com')
    const foot = 'Written on host scores-1 for the project in /srv/telco.'
    expect(received?.mail.text?.split('\n').slice(-5)).toEqual(['.', '..', '', foot, ''])
  })
})

describe('a test mail', () => {
  test('goes the way of the others and says where it went', async () => {
    server = await openMailServer()
    const sent = await sendTest(desk.post(server.url), 'ann@example.com', 'bob@example.com')
    expect(sent).toMatchObject({ recipient: 'ann@example.com', sent: true })
    expect(sent.detail).toContain(`smtp://127.0.0.1:${server.port}: 250`)
    expect(server.received[0]?.mail.messageId).toBe(sent.messageId)
    expect(server.received[0]?.mail.text).toContain('nothing failed')
    expect(server.received[0]?.mail.text).toContain('Open the pages:\n  https://nightshift.example.com/\n')
  })

  test('is sent by the process that writes it, beside any number that drain', async () => {
    server = await openMailServer()
    const { url } = server
    const done = new AbortController()
    const draining = Array.from({ length: 4 }, async () => {
      while (!done.signal.aborted) await drain(desk.post(url))
    })
    for (let index = 0; index < 20; index += 1) {
      const sent = await sendTest(desk.post(url), `a${index}@example.com`, undefined)
      expect(sent).toMatchObject({ sent: true, detail: expect.stringContaining(': 250') })
      expect(server.received).toHaveLength(index + 1)
    }
    done.abort()
    await Promise.all(draining)
    expect(server.received).toHaveLength(20)
  })

  test('that fails says why, and does not arrive later', async () => {
    const port = await freePort()
    const failed = await sendTest(desk.post(`smtp://127.0.0.1:${port}`), 'ann@example.com', undefined)
    expect(failed).toMatchObject({ sent: false, detail: expect.stringContaining('ECONNREFUSED') })
    server = await openMailServer(port)
    desk.pass(3600)
    expect((await drain(desk.post(server.url))).sent).toBe(0)
  })
})
