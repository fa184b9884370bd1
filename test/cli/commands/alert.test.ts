import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWebhookServer, type WebhookServer } from '../../alerts/webhook-server.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject } from '../../projects/generated.ts'
import { nightshift } from '../nightshift.ts'

let project: TemporaryProject
let fresh: FreshDatabase
let server: WebhookServer
beforeAll(async () => {
  server = await openWebhookServer()
  fresh = await freshDatabase()
  project = await generatedProject()
  await project.write(
    'nightshift.yaml',
    `project: generated\ntimezone: UTC\nalerts:\n  from: nightshift@example.com\n  base_url: https://nightshift.example.com\n  webhook: [{ url: "${server.url}", secret_env: HOOK_SECRET }]\n`,
  )
})
afterAll(async () => {
  await server.close()
  await fresh.drop()
  await project.remove()
})

const run = (args: string[], env: Record<string, string> = {}) =>
  nightshift(args, { project: project.root, env: { DATABASE_URL: fresh.url, ...env } })
const shown = () => `${new URL(server.url).origin}/...`

test('`alert test` posts a test to each webhook, beside the mails', async () => {
  const { code, stdout } = await run(['alert', 'test'], { HOOK_SECRET: 'key' })
  expect(stdout).toContain(`${shown()}: sent: ${shown()}: 200`)
  expect(stdout).toContain('@example.com: sent: ')
  expect(code).toBe(0)
  expect(server.received.map(({ body }) => JSON.parse(body).event)).toEqual(['test'])
})

test('with an address it is one mail and no post', async () => {
  const before = server.received.length
  const { stdout } = await run(['alert', 'test', '--to', 'ann@example.com'], { HOOK_SECRET: 'key' })
  expect(stdout).toMatch(/^ann@example.com: sent: .*\n$/)
  expect(server.received).toHaveLength(before)
})

test('without the secret `alert test` fails, and posts nothing', async () => {
  const before = server.received.length
  const { code, stdout } = await run(['alert', 'test'])
  expect(stdout).toContain(
    `${shown()}: not sent: ${shown()}: the environment variable HOOK_SECRET is not set here`,
  )
  expect(code).toBe(1)
  expect(server.received).toHaveLength(before)
})

test('`doctor` says whether the secret is set', async () => {
  expect((await run(['doctor'])).stdout).toMatch(
    /WRONG +webhooks +HOOK_SECRET is not set: nothing can be posted to/,
  )
  expect((await run(['doctor'], { HOOK_SECRET: 'key' })).stdout).toMatch(
    /ok +webhooks .*\(json, HOOK_SECRET is set\)/,
  )
})
