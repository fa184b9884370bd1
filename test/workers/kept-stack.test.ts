import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { attemptsOf } from '../../src/ledger/nights/run-records.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import { startWeb, type WebServer } from '../../src/web/start-web.ts'
import { nightshift, nightshiftJson } from '../cli/nightshift.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, writeDay } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { PASSWORD, usersOf } from '../web/site.ts'
import { type Life, openLife } from './life.ts'

const SCHEDULE = 'schedule: nightly\ncron: "0 2 * * *"\nscore: [value]\nstart: "2026-03-03"\n'
const TRACE = /^TypeError: .*\n {4}at .*src\/pipeline\//

let project: TemporaryProject
let life: Life
let web: WebServer
let run: string
let at: { project: string; env: Record<string, string> }
beforeAll(async () => {
  project = await generatedProject({ schedule: SCHEDULE })
  await writeDay(project.root, '2026-03-02')
  life = await openLife(project.root, { from: '2026-03-03T01:55:00Z' })
  at = { project: project.root, env: { DATABASE_URL: life.database.url } }
  for (const args of [['register', 'value', join(project.root, 'model.onnx')], promoting('value', 1)])
    expect((await nightshift(args, at)).code).toBe(0)
  // What registration never writes: the compute child trips over it.
  const damage = `update nightshift.versions set mapping = jsonb_set(mapping, '{inputs}', $1)`
  const { rows } = await life.database.pool.query(
    `select mapping->'inputs' as inputs from nightshift.versions`,
  )
  await life.database.pool.query(damage, ['[{}]'])
  await life.until('2026-03-03T02:10:00Z', 1)
  await life.database.pool.query(damage, [JSON.stringify(rows[0].inputs)])
  run = (await life.slot('scores', 'value', '2026-03-03'))?.run ?? ''
  const read = openProject(project.root)
  web = await startWeb(
    { database: life.database, queues: life.queues, project: () => read, clock: life.now },
    { port: 0, users: usersOf({ ann: 'operator', vic: 'viewer' }) },
  )
})
afterAll(async () => {
  await web?.close()
  await life?.close()
  await project?.remove()
})

const pageFor = async (name: string, path: string) => {
  const body = new URLSearchParams({ name, password: PASSWORD })
  const signedIn = await fetch(`${web.url}/signin`, { method: 'POST', redirect: 'manual', body })
  const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const answer = await fetch(web.url + path, { headers: { cookie } })
  expect(answer.status).toBe(200)
  return await answer.text()
}

test('each attempt that ended by a bug keeps where it happened, and the run does not', async () => {
  const attempts = await attemptsOf(life.database.pool, run)
  expect(attempts.map(({ outcome, failure }) => [outcome, failure?.class])).toEqual([
    ['failed', 'bug'],
    ['failed', 'bug'],
  ])
  for (const { failure } of attempts) expect(failure?.stack).toMatch(TRACE)
  const { rows } = await life.database.pool.query('select failure from nightshift.runs where id = $1', [run])
  expect(rows[0].failure).toMatchObject({ class: 'bug' })
  expect(rows[0].failure).not.toHaveProperty('stack')
})

test('show prints it, and has it as data', async () => {
  const { stdout } = await nightshift(['show', run], at)
  expect(stdout).toMatch(/attempt 2, .*, failed: bug: .*\n(.*\n)*? {4}TypeError: .*\n {8}at /)
  const { json } = await nightshiftJson(['show', run], at)
  expect(json.tries[1].failure.stack).toMatch(TRACE)
})

test('the page of the night shows it to operators, and never to viewers', async () => {
  for (const path of [`/runs/${run}`, '/nights/value/2026-03-03']) {
    const operator = await pageFor('ann', path)
    expect(operator).toContain('<summary>Stack trace of attempt 2</summary><pre>TypeError: ')
    const viewer = await pageFor('vic', path)
    expect(viewer).toContain('<strong>bug</strong>')
    expect(viewer).not.toMatch(/Stack trace|\n {4}at /)
  }
})

test('no report, no mail and no incident has it', async () => {
  const out = join(project.root, 'night.html')
  expect((await nightshift(['report', 'value', '--as-of', '2026-03-03', '--out', out], at)).code).toBe(0)
  expect(readFileSync(out, 'utf8')).toMatch(/Attempt 2/)
  expect(readFileSync(out, 'utf8')).not.toMatch(/Stack trace|\n {4}at /)
  expect(life.mails.received.map(({ mail }) => mail.subject)).toContain(
    'value 2026-03-03 not published: an error that no class covers (#1)',
  )
  const mails = life.mails.received.map(({ mail }) => `${mail.text}\n${mail.html}`).join('\n')
  expect(mails).toContain('(bug).')
  expect(mails).not.toMatch(/\n\s*at |node:internal/)
  const { rows } = await life.database.pool.query('select detail::text from nightshift.incidents')
  expect(rows).toHaveLength(1)
  expect(rows[0].detail).not.toMatch(/ at async | {4}at /)
})
