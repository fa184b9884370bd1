import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject } from '../../projects/generated.ts'
import { keepMail } from '../kept-mails.ts'
import { ACTIVITY } from './failing-project.ts'
import { type Ground, openGround } from './ground.ts'

const NIGHT = '2026-03-02'
const BASE = 'http://localhost:8080'

let project: TemporaryProject
let ground: Ground
beforeAll(async () => {
  project = await generatedProject({ customers: 20 })
  ground = await openGround(project)
  await ground.life.hire()
})
afterAll(async () => {
  await ground?.close()
  await project?.remove()
})

test('the links of a mail open pages with the buttons that they promise, and one of them ends the incident', async () => {
  renameSync(join(project.root, 'data/events'), join(project.root, 'data/elsewhere'))
  await ground.ask(ACTIVITY, NIGHT)
  const { incident } = await ground.mail(ACTIVITY)
  const [received] = ground.life.mails.received
  expect(received?.mail.subject).toBe(`value ${NIGHT} not published: events are late (#${incident.id})`)

  const links = new Map<string, string>()
  for (const [, href = '', words = ''] of String(received?.mail.html).matchAll(
    /<a [^>]*?href="([^"]+)"[^>]*>([^<]+)</g,
  ))
    links.set(words, href.replace(BASE, ''))
  const run = incident.facts.run ?? ''
  expect([...links]).toEqual([
    [`Act on incident ${incident.id}`, `/incidents/${incident.id}#act`],
    ['Open the run', `/runs/${run}`],
    ['Run it again on its page', `/runs/${run}#act`],
    ['Skip it on its page', `/nights/activity/${NIGHT}?kind=features#act`],
    [`${run}, failed`, `/runs/${run}`],
    ['value, late-data', '/models/value/runbook#late-data'],
  ])
  const buttons: Record<string, string[]> = {}
  for (const [words, address] of links) {
    const [path = '', place] = address.split('#')
    const page = await ground.read(path)
    expect(page, address).not.toMatch(/<title>(?:No such|Not found)/)
    if (place === 'act') {
      expect(page, address).toContain('id="act"')
      buttons[words] = await ground.buttons(path)
    }
  }
  const [again, skip] = [`/runs/${run}/retry`, `/slots/features/activity/${NIGHT}/skip`]
  expect(buttons[`Act on incident ${incident.id}`]).toEqual(
    expect.arrayContaining([`/incidents/${incident.id}/ack`, again, skip]),
  )
  expect(buttons['Run it again on its page']).toContain(again)
  expect(buttons['Skip it on its page']).toContain(skip)

  renameSync(join(project.root, 'data/elsewhere'), join(project.root, 'data/events'))
  expect((await ground.press(`/incidents/${incident.id}`, again)).status).toBe(303)
  await ground.pass(1)
  await ground.pass(1)
  expect(await ground.open(ACTIVITY)).toEqual([])
  const clear = ground.life.mails.received.at(-1)?.mail
  expect(clear).toMatchObject({
    subject: received?.mail.subject,
    inReplyTo: received?.mail.messageId,
    text: expect.stringMatching(/^Resolved: features of activity for 2026-03-02 are published\.\n/),
  })
  if (clear !== undefined) keepMail('all clear', clear, project.root)
})
