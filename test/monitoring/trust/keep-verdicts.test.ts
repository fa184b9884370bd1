import { afterAll, beforeAll, expect, test } from 'vitest'
import { openVerdictKeeper } from '../../../src/monitoring/trust/keep-verdicts.ts'
import { verdictsOf } from '../../../src/monitoring/trust/verdict-records.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import type { Project } from '../../../src/project/project.ts'
import { nightshift, nightshiftJson } from '../../cli/nightshift.ts'
import { promoting } from '../../promoting.ts'
import { LABELS_SQL, LAST, labelOf, MODEL_YAML, writeHistory } from '../../web/history.ts'
import { openSite, type Site, usersOf } from '../../web/site.ts'

const QUIET = labelOf(57)
const NEW_BEFORE = labelOf(10)

let site: Site
let project: Project
let cookie: string
beforeAll(async () => {
  site = await openSite({
    users: usersOf({ ann: 'operator' }),
    files: { 'models/value/model.yaml': MODEL_YAML, 'models/value/labels.sql': LABELS_SQL },
  })
  await writeHistory(site.database)
  project = openProject(site.project.root)
  cookie = await site.signIn('ann')
})
afterAll(() => site?.close())

const keep = () => openVerdictKeeper(site.database).keep(project)
const slotOf = async (partition: string) => {
  const { rows } = await site.database.pool.query<{ id: number }>(
    `select id from nightshift.slots where kind = 'scores' and partition = $1`,
    [partition],
  )
  return rows[0]?.id ?? 0
}
const verdicts = async (partition: string) => verdictsOf(site.database.pool, await slotOf(partition))
const answers = async (partition: string) => (await verdicts(partition)).map(({ answer }) => answer)
const all = async () => {
  const { rows } = await site.database.pool.query('select id, until from nightshift.verdicts order by id')
  return rows
}
const append = (event: string, version: number, from: number) =>
  site.database.pool.query(
    `with h as (insert into nightshift.history (model, event, version, from_version, evidence) values ('value', $1, $2, $3, '{}'))
     update nightshift.champions set version = $2 where model = 'value'`,
    [event, version, from],
  )
const page = async (path: string) => (await site.ask(path, { cookie })).text()

test('each published list gets its verdict with its reasons, once; nothing new changes nothing', async () => {
  await keep()
  const found = await all()
  expect(found).toHaveLength(74)
  expect(await answers(QUIET)).toEqual(['yes'])
  const [last] = await verdicts(LAST)
  expect(last).toMatchObject({
    answer: 'no',
    until: null,
    why: expect.stringMatching(/^Its input has drifted: /),
  })
  expect(last?.reasons).toContainEqual({ face: 'failed', text: last?.why })
  await Promise.all([keep(), keep(), keep()])
  expect(await all()).toEqual(found)
})

test('a version that is taken back changes the verdict on its lists, and no other, and the pages say since when', async () => {
  const before = await page(`/nights/value/${QUIET}`)
  expect(before).not.toContain('Was yes at')
  await append('rolled back', 1, 2)
  await keep()
  expect(await answers(NEW_BEFORE)).toEqual(['yes'])
  const [was, is] = await verdicts(QUIET)
  expect(was).toMatchObject({ answer: 'yes', why: '' })
  expect(is).toMatchObject({
    answer: 'check',
    why: 'Version 2, which computed it, was replaced by the earlier version 1.',
    until: null,
  })
  expect(was?.until).toBe(is?.since)
  const text = /Was yes at \S+ \S+ UTC, check since \S+ \S+ UTC: Version 2, which computed it, was replaced/
  expect(await page(`/nights/value/${QUIET}`)).toMatch(text)
  await append('promoted', 2, 1)
  await keep()
  expect(await answers(QUIET)).toEqual(['yes', 'check', 'yes'])
  expect(await page(`/nights/value/${QUIET}`)).toContain('no longer: Version 2, which computed it')
})

test('parity that differs, an incident, and a recomputation that fails are told with their time', async () => {
  const { pool } = site.database
  const { rows } = await pool.query<{ id: number }>(
    `insert into nightshift.incidents (subject_kind, subject, kind, detail) values ('model', 'value', 'quality', $1) returning id`,
    [JSON.stringify({ facts: {}, nights: [{ partition: QUIET, recovered: null }] })],
  )
  const incident = rows[0]?.id
  const event = (name: string) =>
    pool.query(`insert into nightshift.incident_events (incident, event) values ($1, $2)`, [incident, name])
  await event('opened')
  await keep()
  expect((await verdicts(QUIET)).at(-1)).toMatchObject({
    answer: 'no',
    why: 'Measured against realized outcomes, the scores are worse than required.',
  })
  expect(await answers(NEW_BEFORE)).toEqual(['yes'])
  await pool.query('update nightshift.incidents set closed_at = now() where id = $1', [incident])
  await event('closed')
  await keep()
  expect((await verdicts(QUIET)).at(-1)?.answer).toBe('yes')
  await pool.query(`update nightshift.slots set state = 'failed', reason = 'out of memory' where id = $1`, [
    await slotOf(QUIET),
  ])
  await keep()
  expect((await verdicts(QUIET)).at(-1)).toMatchObject({
    answer: 'check',
    why: expect.stringContaining('out of memory'),
  })
  await pool.query(`update nightshift.slots set state = 'published', reason = null where id = $1`, [
    await slotOf(QUIET),
  ])
  await keep()
})

test('a profile that was pruned changes no verdict, neither in the ledger nor on the page', async () => {
  const before = await verdicts(LAST)
  await site.database.pool.query('delete from nightshift.profiles where partition = $1', [LAST])
  await append('promoted', 2, 2)
  await keep()
  expect(await verdicts(LAST)).toEqual(before)
  expect((await page(`/nights/value/${LAST}`)).replace(/<[^>]*>/g, '')).toMatch(
    /May this list be used\?\s+No/,
  )
})

test('`show` prints how the verdict changed, and gives it as JSON', async () => {
  const at = { project: site.project.root, env: { DATABASE_URL: site.database.url } }
  const { json } = await nightshiftJson(['show', 'night057'], at)
  expect(json.verdicts.map(({ answer }: { answer: string }) => answer)).toEqual(await answers(QUIET))
  expect(json.verdicts[1]).toEqual((await verdicts(QUIET))[1])
})

test('`status` prints the answer about the newest list of each model, and gives that of each night as JSON', async () => {
  const at = { project: site.project.root, env: { DATABASE_URL: site.database.url } }
  const { stdout } = await nightshift(['status'], at)
  expect(stdout).toMatch(/\nnewest list +as of +use it\? +since\n/)
  expect(stdout).toMatch(
    new RegExp(`\\nvalue +${LAST} +no +\\S+ \\S+ UTC +why: nightshift show night\\d+\\n`),
  )
  const { json } = await nightshiftJson(['status'], at)
  const verdictOf = (partition: string) =>
    json.find(({ kind, as_of }: { kind: string; as_of: string }) => kind === 'scores' && as_of === partition)
      .verdict
  const { run, answer, why, since } = (await verdicts(QUIET)).at(-1) ?? {}
  expect(verdictOf(QUIET)).toEqual({ run, answer, why, since })
  expect(verdictOf(LAST)).toMatchObject({ answer: 'no' })
})

test('`promote` records the verdicts that it changes, where no other process is alive', async () => {
  const at = { project: site.project.root, env: { DATABASE_URL: site.database.url } }
  expect((await verdicts(QUIET)).at(-1)?.answer).toBe('yes')
  const { code, stderr } = await nightshift(promoting('value', 1), at)
  expect(code, stderr).toBe(0)
  expect((await verdicts(QUIET)).at(-1)).toMatchObject({
    answer: 'check',
    why: 'Version 2, which computed it, was replaced by the earlier version 1.',
  })
})
