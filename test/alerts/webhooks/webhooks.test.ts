import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { drain } from '../../../src/alerts/delivery/outbox.ts'
import { sendDueMails } from '../../../src/alerts/delivery/send-due-mails.ts'
import { sendTestPost } from '../../../src/alerts/delivery/test-mail.ts'
import { mute } from '../../../src/alerts/incidents/mutes.ts'
import { transaction } from '../../../src/ledger/connection/database.ts'
import type { Webhook } from '../../../src/project/project.ts'
import { outboxState } from '../delivery/outbox-state.ts'
import { type Desk, openDesk } from '../desk.ts'
import { freePort, openMailServer } from '../mail-server.ts'
import { facts, outage, recovery, SETTINGS } from '../sample.ts'
import { openWebhookServer, type Posted, type WebhookServer } from '../webhook-server.ts'

const SECRET = 'whsec-9f2c'
const closing: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of closing.splice(0).reverse()) await each.close()
})

async function server(...how: Parameters<typeof openWebhookServer>): Promise<WebhookServer> {
  const opened = await openWebhookServer(...how)
  closing.push(opened)
  return opened
}

async function deskFor(
  urls: string | string[],
  {
    format = 'json',
    secrets = { HOOK_SECRET: SECRET },
  }: Partial<Pick<Webhook, 'format'>> & {
    secrets?: Record<string, string>
  } = {},
): Promise<Desk> {
  const webhooks = [urls].flat().map((url) => ({ url, secret_env: 'HOOK_SECRET', format }))
  const desk = await openDesk({ ...SETTINGS, webhooks }, secrets)
  closing.push(desk)
  return desk
}

async function due(desk: Desk, seconds = 31) {
  desk.pass(seconds)
  return sendDueMails(desk.post())
}

const bodyOf = (posted: Posted | undefined) => JSON.parse(posted?.body ?? '')
const eventsOf = (all: Posted[]) => all.map((posted) => bodyOf(posted).event)
const seen = (desk: Desk) => outboxState(desk.database.pool)

describe('what is posted', () => {
  test('an incident and its all-clear, in one thread, with what a program needs', async () => {
    const { url, received } = await server()
    const desk = await deskFor(url)
    await desk.fails(facts())
    await due(desk)
    await desk.recovers(recovery())
    await due(desk)
    const [opened, cleared] = received.map(bodyOf)
    expect(received).toHaveLength(2)
    expect(opened).toMatchObject({
      version: 1,
      event: 'opened',
      project: 'telco',
      at: '2026-11-22T03:00:36.000Z',
      subject: 'churn 2026-11-22 not published: calls are late (#1)',
      thread: opened.id,
      incidents: [
        {
          id: 1,
          subject: 'churn',
          kind: 'late-data',
          state: 'open',
          nights: ['2026-11-22'],
          url: 'https://nightshift.example.com/incidents/1',
        },
      ],
    })
    expect(opened.text).toContain('No scores of churn for 2026-11-22 (late-data).')
    expect(opened.commands.at(-1).command).toMatch(/^npx nightshift /)
    expect(opened.commands.at(-1).url).toBe('https://nightshift.example.com/nights/churn/2026-11-22#act')
    // Nobody in particular reads it, so no command carries the address of somebody.
    expect(opened.text).not.toContain('--by http')
    expect(cleared).toMatchObject({ event: 'cleared', thread: opened.id, incidents: [{ state: 'closed' }] })
    expect(cleared.id).not.toBe(opened.id)
  })

  test('its signature is what a receiver computes from timestamp and body', async () => {
    const { url, received } = await server()
    const desk = await deskFor(url)
    await desk.fails(facts({ subject: 'Kündigung' }))
    await due(desk)
    const { headers = {}, body = '' } = received[0] ?? {}
    const hmac = createHmac('sha256', SECRET)
    hmac.update(`${headers['nightshift-timestamp']}.`)
    hmac.update(Buffer.from(body, 'utf8'))
    expect(headers['nightshift-signature']).toBe(`sha256=${hmac.digest('hex')}`)
    expect(headers['nightshift-timestamp']).toMatch(/^\d{10}$/)
    expect(headers['nightshift-id']).toBe(JSON.parse(body).id)
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
  })

  test('forty incidents of one outage are one post, of bounded size', async () => {
    const { url, received } = await server()
    const desk = await deskFor(url)
    for (let index = 0; index < 80; index += 1) await desk.fails(outage(index))
    await due(desk)
    expect(received).toHaveLength(1)
    expect(bodyOf(received[0])).toMatchObject({ more_incidents: 30 })
    expect(bodyOf(received[0]).incidents).toHaveLength(50)
    expect(received[0]?.body.length).toBeLessThan(100_000)
  })

  test('nothing about what is muted', async () => {
    const { url, received } = await server()
    const desk = await deskFor(url)
    const until = new Date(desk.now().getTime() + 3_600_000)
    await transaction(desk.database, (client) =>
      mute(client, desk.now(), { subject: 'churn', kind: 'all', by: null }, until),
    )
    await desk.fails(facts())
    await due(desk)
    expect(received).toHaveLength(0)
    await due(desk, 3600)
    expect(eventsOf(received)).toEqual(['opened'])
  })

  test('in the shape of Slack if asked: short enough blocks, and no markup from outside', async () => {
    const { url, received } = await server()
    const desk = await deskFor(url, { format: 'slack' })
    const message = `<!channel> & <https://evil.example|press> ${'x&'.repeat(5000)}`
    await desk.fails(facts({ failure: { ...facts().failure, class: 'bug', message } }))
    for (let index = 0; index < 80; index += 1) await desk.fails(outage(index))
    await due(desk)
    const body = bodyOf(received[0])
    expect(Object.keys(body)).toEqual(['text', 'blocks'])
    expect(body.text).toContain('telco: 81 models 2026-11-22 not published: 2 causes (#1 to #81)')
    expect(body.blocks.length).toBeLessThanOrEqual(50)
    expect(body.blocks[0].type).toBe('header')
    for (const block of body.blocks.slice(1)) {
      const text: string = block.text?.text ?? block.elements[0].text
      expect(text.length).toBeGreaterThan(0)
      expect(text.length).toBeLessThanOrEqual(3000)
    }
    expect(received[0]?.body).toContain('<https://nightshift.example.com/incidents/1|Incident 1>')
    await desk.fails(facts({ subject: 'ltv' }))
    await due(desk)
    expect(received[1]?.body).toContain(
      '<https://nightshift.example.com/runs/kf7x2m9q#act|Run it again on its page>',
    )
    expect(received[0]?.body).toContain('&lt;!channel&gt;')
    expect(received[0]?.body).not.toMatch(/<!channel>|<https:\/\/evil/)
  })

  test('a test too, which is tried once', async () => {
    const { url, received } = await server((response, _posted, number) =>
      response.writeHead(number === 1 ? 200 : 500).end(),
    )
    const desk = await deskFor(url)
    const webhook: Webhook = { url, secret_env: 'HOOK_SECRET', format: 'json' }
    expect(await sendTestPost(desk.post(), webhook)).toMatchObject({ sent: true })
    expect(await sendTestPost(desk.post(), webhook)).toMatchObject({
      sent: false,
      detail: `${new URL(url).origin}/...: answered 500`,
    })
    await due(desk, 60)
    expect(eventsOf(received)).toEqual(['test', 'test'])
  })
})

describe('delivery', () => {
  test('a server that answers 500 gets the same post again, until it takes it', async () => {
    const { url, received } = await server((response, _posted, number) =>
      response.writeHead(number === 1 ? 500 : 200).end('not now'),
    )
    const desk = await deskFor(url)
    await desk.fails(facts())
    expect(await due(desk)).toEqual({ sent: 1, failed: 1, gaveUp: 0 })
    expect((await seen(desk)).lastError).toBe(`${new URL(url).origin}/...: answered 500: not now`)
    expect(await due(desk, 14)).toEqual({ sent: 0, failed: 0, gaveUp: 0 })
    expect(await due(desk, 1)).toEqual({ sent: 1, failed: 0, gaveUp: 0 })
    await due(desk, 600)
    expect(received).toHaveLength(2)
    expect(received[1]?.body).toBe(received[0]?.body)
    expect(received[1]?.headers['nightshift-id']).toBe(received[0]?.headers['nightshift-id'])
  })

  test('a server that is away is asked once for all that waits, and gets all of it, each thread in order, when it is back', async () => {
    const port = await freePort()
    const desk = await deskFor(`http://127.0.0.1:${port}/hook`)
    await desk.fails(facts())
    await due(desk)
    await desk.recovers(recovery())
    await due(desk)
    for (const index of [1, 2]) {
      await desk.fails(outage(index))
      desk.pass(31)
      await drainNothing(desk)
    }
    desk.pass(130)
    // Four mails are written to files; of four posts one is tried.
    expect(await drain(desk.post())).toMatchObject({ failed: 1 })
    const { received } = await server(undefined, port)
    await due(desk, 130)
    const posts = received.map(bodyOf).map(({ event, incidents }) => `${event} ${incidents[0].subject}`)
    expect(posts.toSorted()).toEqual(['cleared churn', 'opened churn', 'opened model-01', 'opened model-02'])
    expect(posts.indexOf('opened churn')).toBeLessThan(posts.indexOf('cleared churn'))
  })

  test('one webhook that is away holds back neither mails nor another webhook', async () => {
    const { url, received } = await server()
    const desk = await deskFor([`http://127.0.0.1:${await freePort()}/hook`, url])
    await desk.fails(facts())
    expect(await due(desk)).toEqual({ sent: 2, failed: 1, gaveUp: 0 })
    expect(received).toHaveLength(1)
  })

  test('a mail server that is away holds back no post', async () => {
    const { url, received } = await server()
    const desk = await deskFor(url)
    await desk.fails(facts())
    desk.pass(31)
    await sendDueMails(desk.post(`smtp://127.0.0.1:${await freePort()}`))
    expect(received).toHaveLength(1)
  })

  test('a webhook that does not answer delays no mail, and is asked again', async () => {
    const mails = await openMailServer()
    closing.push(mails)
    let answer = () => {}
    const { url, received } = await server((response) => {
      answer = () => void response.writeHead(503).end()
    })
    const desk = await deskFor(url)
    await desk.fails(facts())
    desk.pass(31)
    const sending = sendDueMails(desk.post(mails.url))
    await expect.poll(() => [mails.received.length, received.length], { timeout: 8000 }).toEqual([1, 1])
    answer()
    expect(await sending).toEqual({ sent: 1, failed: 1, gaveUp: 0 })
  })

  test('a redirect is not followed, and the post is kept', async () => {
    const target = await server()
    const { url } = await server((response) => response.writeHead(307, { location: target.url }).end())
    const desk = await deskFor(url)
    await desk.fails(facts())
    expect(await due(desk)).toMatchObject({ failed: 1 })
    expect(target.received).toHaveLength(0)
    const { waiting, lastError } = await seen(desk)
    expect(waiting).toBe(1)
    expect(lastError).toContain('answered 307, a redirect, which is not followed')
  })

  test('without its secret nothing is posted: it waits, and goes out once the variable is set', async () => {
    const { url, received } = await server()
    const secrets: Record<string, string> = {}
    const desk = await deskFor(url, { secrets })
    await desk.fails(facts())
    await due(desk)
    expect(received).toHaveLength(0)
    expect((await seen(desk)).lastError).toContain('HOOK_SECRET is not set here')
    secrets.HOOK_SECRET = SECRET
    await due(desk, 16)
    expect(received).toHaveLength(1)
  })

  test('what no server took for 24 hours is given up, loudly, and without the path of the address', async () => {
    const desk = await deskFor(`http://127.0.0.1:${await freePort()}/services/T0/B0/hidden`)
    await desk.fails(facts())
    await due(desk)
    desk.pass(24 * 3600)
    expect((await drain(desk.post())).gaveUp).toBe(1)
    expect(desk.log.find(({ level }) => level === 'error')?.message).toContain('POST LOST')
    expect(JSON.stringify(desk.log)).not.toContain('hidden')
  })

  test('eight drains at once post each of thirty incidents once', async () => {
    const { url, received } = await server()
    const desk = await deskFor(url)
    for (let index = 0; index < 30; index += 1) {
      await desk.fails(outage(index))
      desk.pass(31)
      await drainNothing(desk)
    }
    expect((await seen(desk)).waiting).toBe(60)
    await Promise.all(Array.from({ length: 8 }, () => drain(desk.post())))
    const subjects = received.map((posted) => bodyOf(posted).incidents[0].subject)
    expect(subjects).toHaveLength(30)
    expect(new Set(subjects).size).toBe(30)
    expect((await seen(desk)).waiting).toBe(0)
  })

  test('a webhook that was removed from the settings hears no more', async () => {
    const { url, received } = await server()
    const desk = await deskFor(url)
    await desk.fails(facts())
    await due(desk)
    desk.pass(5 * 3600)
    const post = desk.post()
    await sendDueMails({ ...post, settings: { ...post.settings, webhooks: [] } })
    await due(desk, 5 * 3600)
    expect(eventsOf(received)).toEqual(['opened'])
  })
})

/** Writes what is due into the outbox and sends nothing: its signal has aborted. */
async function drainNothing(desk: Desk) {
  await sendDueMails(desk.post(), { signal: AbortSignal.abort() })
}
