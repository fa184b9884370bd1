import { afterEach, expect, test } from 'vitest'
import type { OutboxMail } from '../../../src/alerts/letters/message.ts'
import { sendPost } from '../../../src/alerts/webhooks/send-post.ts'
import { openWebhookServer, type WebhookServer } from '../webhook-server.ts'

let server: WebhookServer | undefined
afterEach(() => server?.close())

function send(timeoutMs?: number): Promise<string> {
  const url = server?.url ?? ''
  const post: OutboxMail = {
    id: 1,
    kind: 'post',
    thread: undefined,
    recipient: url,
    subject: 's',
    messageId: '<a@example.com>',
    inReplyTo: undefined,
    references: [],
    text: '{}',
    html: '',
    attachments: [],
    createdAt: new Date(),
    tries: 0,
  }
  const webhooks = [{ url, secret_env: 'KEY', format: 'json' as const }]
  return sendPost(post, { webhooks, secret: () => 'key', ...(timeoutMs === undefined ? {} : { timeoutMs }) })
}

test.each([
  ['answers', () => {}],
  ['ends its answer', (response: { write(text: string): void }) => response.write('and')],
])('a server that never %s is given up on after the timeout', async (_what, answer) => {
  server = await openWebhookServer((response) => {
    answer(response)
  })
  await expect(send(300)).rejects.toMatchObject({
    scope: 'server',
    message: expect.stringContaining('within 0.3 s'),
  })
})

test('an answer without an end is read for its first words only', async () => {
  server = await openWebhookServer((response) => {
    response.writeHead(400)
    const more = () => {
      while (response.write('no such channel '.repeat(100)));
    }
    response.on('drain', more)
    more()
  })
  await expect(send()).rejects.toMatchObject({
    scope: 'mail',
    message: expect.stringContaining('answered 400: no such channel'),
  })
})

test.each([
  [404, 'mail'],
  [413, 'mail'],
  [408, 'server'],
  [429, 'server'],
  [503, 'server'],
  [302, 'server'],
])('answer %i concerns the %s', async (status, scope) => {
  server = await openWebhookServer((response) => response.writeHead(status).end())
  await expect(send()).rejects.toMatchObject({ scope })
})
