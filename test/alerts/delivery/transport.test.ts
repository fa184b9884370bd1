import { hostname } from 'node:os'
import { afterEach, expect, test } from 'vitest'
import { alertSettings } from '../../../src/alerts/delivery/alert-settings.ts'
import { openTransport } from '../../../src/alerts/delivery/open-transport.ts'
import { readSmtpUrl } from '../../../src/alerts/delivery/smtp-url.ts'
import { Undeliverable } from '../../../src/alerts/delivery/transport.ts'
import { type MailServer, openMailServer } from '../mail-server.ts'

const SILENT = { info() {}, warn() {}, error() {} }
let server: MailServer | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
})

test.each([
  ['smtp://mail.example.com', { host: 'mail.example.com', port: 587, secure: false }],
  ['smtps://mail.example.com', { host: 'mail.example.com', port: 465, secure: true }],
  ['smtp://[::1]:2525', { host: '::1', port: 2525, secure: false }],
  [
    'smtp://me%40x:p%3Aw%2F@mail.example.com:25?requireTLS=true',
    {
      host: 'mail.example.com',
      port: 25,
      secure: false,
      requireTLS: true,
      auth: { user: 'me@x', pass: 'p:w/' },
    },
  ],
])('%s is read', (url, options) => {
  expect(readSmtpUrl(url).options).toEqual(options)
})

test.each([
  ['mail.example.com:25', 'expected smtp://user:password@host:587'],
  ['http://me:secret@mail.example.com', 'got: http://mail.example.com'],
  ['smtp://me:100%secret@mail.example.com', 'percent-encoded'],
  [
    'smtp://me:secret@mail.example.com?verify=no',
    'expected options requireTLS, ignoreTLS, rejectUnauthorized',
  ],
])('%s is refused, and no password shown', (url, message) => {
  const open = () => openTransport(url, '/nowhere', SILENT)
  expect(open).toThrow(message)
  expect(open).not.toThrow('secret')
})

test('a refused sign-in is the server’s fault, and its password stays unsaid', async () => {
  server = await openMailServer(0, {
    authOptional: false,
    onAuth: (_auth, _session, callback) => callback(new Error('who are you')),
  })
  const transport = openTransport(`smtp://me:secret@127.0.0.1:${server.port}`, '/nowhere', SILENT)
  const mail = {
    id: 1,
    kind: 'mail' as const,
    thread: undefined,
    recipient: 'ann@example.com',
    subject: 's',
    messageId: '<a@b>',
    inReplyTo: undefined,
    references: [],
    text: 't',
    html: 'h',
    attachments: [],
    createdAt: new Date(),
    tries: 0,
  }
  const sending = transport.send({ mail, from: 'n@example.com', raw: Buffer.from('Subject: s\r\n\r\nt\r\n') })
  const error = await sending.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  await transport.close()
  expect(error).toBeInstanceOf(Undeliverable)
  expect(error).toMatchObject({ scope: 'server', message: expect.stringContaining('who are you') })
  expect(String(error)).not.toContain('secret')
  expect(transport.name).toBe(`smtp://127.0.0.1:${server.port}`)
})

test('a project without alerts mails from nightshift@localhost, in groups of 30 s, every 4 h', () => {
  const project = { root: '/srv/telco', name: 'telco', timezone: 'UTC', alerts: undefined, schedules: {} }
  expect(alertSettings(project)).toEqual({
    project: 'telco',
    timezone: 'UTC',
    from: 'nightshift@localhost',
    group: 30_000,
    repeat: 14_400_000,
    webhooks: [],
    baseUrl: undefined,
    isScheduled: false,
    command: 'npx nightshift',
    host: hostname(),
    folder: '/srv/telco',
  })
})
