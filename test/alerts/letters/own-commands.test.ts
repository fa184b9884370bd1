import { afterEach, beforeEach, expect, test } from 'vitest'
import { sendDueMails } from '../../../src/alerts/delivery/send-due-mails.ts'
import { type Desk, openDesk } from '../desk.ts'
import { type MailServer, openMailServer } from '../mail-server.ts'
import { facts, outage, SETTINGS } from '../sample.ts'

const OWN = 'docker compose exec web nightshift'
let desk: Desk
let server: MailServer

beforeEach(async () => {
  desk = await openDesk({ ...SETTINGS, command: OWN })
  server = await openMailServer()
})
afterEach(async () => {
  await server.close()
  await desk.close()
})

async function received() {
  desk.pass(60)
  await sendDueMails(desk.post(server.url))
  return server.received.map(({ mail }) => ({ text: mail.text ?? '', html: String(mail.html) }))
}

test('every command of a mail begins with alerts.command, those in sentences too', async () => {
  await desk.fails(facts())
  const [mail] = await received()
  expect(mail?.text).toContain(`${OWN} show kf7x2m9q`)
  expect(mail?.text).toContain(`stop the repeats: ${OWN} ack 1 --by oncall@example.com`)
  expect(`${mail?.text} ${mail?.html}`).not.toContain('npx nightshift')
})

test('a mail about many incidents has them too', async () => {
  for (let index = 0; index < 3; index += 1) await desk.fails(outage(index))
  const [mail] = await received()
  expect(mail?.text).toContain(`${OWN} doctor`)
  expect(mail?.text).toContain(`${OWN} show kd002qx7`)
  expect(`${mail?.text} ${mail?.html}`).not.toContain('npx nightshift')
})

test('what a program said is quoted as it was, even if it names a command', async () => {
  const message = `run npx nightshift doctor, said the driver${' of a long name'.repeat(20)}, and run npx nightshift status`
  await desk.fails(facts({ failure: { ...facts().failure, message } }))
  const [mail] = await received()
  expect(mail?.text).toContain('\nCause: run npx nightshift doctor, said the driver')
  expect(mail?.text).toMatch(/\n> \.\.\. .*, and run npx nightshift status\n/)
})

test('the foot names the host and the project folder, once', async () => {
  await desk.fails(facts())
  const [mail] = await received()
  expect(mail?.text.trimEnd().split('\n').at(-1)).toBe(
    'Written on host scores-1 for the project in /srv/telco.',
  )
  expect(mail?.text.split('/srv/telco')).toHaveLength(2)
  expect(mail?.html.split('/srv/telco')).toHaveLength(2)
})
