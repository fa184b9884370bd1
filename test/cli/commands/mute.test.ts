import { afterAll, beforeAll, expect, test } from 'vitest'
import { announceEndedMutes } from '../../../src/actions/incidents/end-mutes.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject } from '../../projects/generated.ts'
import { openSite } from '../../web/site.ts'
import { nightshift, nightshiftJson } from '../nightshift.ts'

let database: FreshDatabase
let project: TemporaryProject
let at: { project: string; env: Record<string, string> }
beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject()
  at = { project: project.root, env: { DATABASE_URL: database.url } }
})
afterAll(async () => {
  await project.remove()
  await database.drop()
})

test('a mute of one kind is told by every command that lists what is wrong', async () => {
  const muted = await nightshift(
    ['mute', 'value', '--kind', 'drift', '--until', '3d', '--by', 'ann@example.com'],
    at,
  )
  expect(muted.stdout).toMatch(/^no mails about value \(drift\) until /)
  const words = /no mails about value \(drift\) until .*/
  for (const command of [['status'], ['incidents'], ['doctor']])
    expect((await nightshift(command, at)).stdout, command[0]).toMatch(words)
  const wrong = await nightshift(['mute', 'value', '--kind', 'drfit', '--until', '3d'], at)
  expect(wrong).toMatchObject({ code: 2 })
  expect(wrong.stderr).toContain('got: drfit; did you mean drift?')
})

test('one that is over ends aloud: its readers are mailed once, with what is open', async () => {
  const { pool } = database.database
  await pool.query(
    `insert into nightshift.incidents (subject_kind, subject, kind, opened_at, detail)
     values ('model', 'value', 'drift', now(), '{"facts": {}, "nights": []}'), ('model', 'value', 'deadline', now(), '{"facts": {}, "nights": []}')`,
  )
  await pool.query(`update nightshift.mutes set until = now() - interval '1 minute'`)
  const ledger = { database: database.database, project: openProject(project.root) }
  await announceEndedMutes(ledger)
  await announceEndedMutes(ledger)
  const { rows } = await pool.query<{ recipient: string; subject: string; body_text: string }>(
    'select recipient, subject, body_text from nightshift.outbox',
  )
  expect(rows).toHaveLength(1)
  expect(rows[0]).toMatchObject({
    recipient: 'oncall@example.com',
    subject: expect.stringContaining('value (drift): mails are sent again'),
  })
  expect(rows[0]?.body_text).toMatch(/set by ann@example\.com, ended at .*: mails are sent again/)
  expect(rows[0]?.body_text).toContain('1 incident is open')
  expect(rows[0]?.body_text).toMatch(/#\d+ drift, since /)
  expect((await nightshift(['doctor'], at)).stdout).toContain('mails about everything are sent')
})

test('muting and acknowledging are told as JSON too', async () => {
  const muted = await nightshiftJson(['mute', 'value', '--until', '3d'], at)
  expect(muted.json).toEqual({
    subject: 'value',
    kind: 'all',
    by: null,
    until: expect.stringMatching(/^\d{4}-.*Z$/),
  })
  const off = await nightshiftJson(['mute', 'value', '--off'], at)
  expect(off.json).toEqual({ subject: 'value', kind: 'all', until: null, was_muted: true })
  const { rows } = await database.database.pool.query(
    'select id from nightshift.incidents order by id limit 1',
  )
  const acked = await nightshiftJson(['ack', String(rows[0].id), '--by', 'ann@example.com'], at)
  expect(acked.json).toEqual({ by: 'ann@example.com', incidents: [rows[0].id], tests: [] })
})

test('every page says what is muted', async () => {
  const site = await openSite()
  try {
    await site.database.pool.query(
      `insert into nightshift.mutes (subject, kind, until, by) values ('value', 'drift', now() + interval '3 days', 'ann')`,
    )
    for (const path of ['/', '/runs', '/incidents', '/mails', '/registry'])
      expect(await (await site.ask(path)).text(), path).toMatch(
        /No mails about value \(drift\) until [^<]*, muted by ann\./,
      )
  } finally {
    await site.close()
  }
})
