import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askedVersion } from '../../../src/actions/ask-gate.ts'
import { acknowledgeTest } from '../../../src/alerts/delivery/alert-tests.ts'
import { listSlots } from '../../../src/ledger/nights/slots.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import { modelNamed } from '../../../src/project/named.ts'
import { check } from '../../../src/readiness/gate.ts'
import type { Item } from '../../../src/readiness/item.ts'
import { driftAlerts } from '../../../src/readiness/items/drift-alerts.ts'
import { rollback } from '../../../src/readiness/items/rollback.ts'
import { historyOf } from '../../../src/registry/history-records.ts'
import { type Children, openChildren } from '../../../src/workers/child/children.ts'
import { type Finished, nightshift, nightshiftJson } from '../../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject, SQL, smallModel, writeDay } from '../../projects/generated.ts'

const SCHEDULE = `schedule: nightly
cron: "30 2 * * *"
score: [value]
deadline: "06:00"
retry: { attempts: 3, backoff: 10s }
`
let project: TemporaryProject
let fresh: FreshDatabase
let at: { project: string; env: { DATABASE_URL: string } }
let published = ''
let children: Children

const scores = () => readdirSync(join(project.root, 'warehouse/scores/value')).sort()
const drill = (...args: string[]) => nightshiftJson(['drill', 'value', ...args], at)
/** What the gate says of one item, asked in this process. */
async function item(asks: Item) {
  const opened = openProject(project.root)
  const model = modelNamed(opened, 'value')
  const { database } = fresh
  const gate = await check(
    {
      ...(await askedVersion({ project: opened, database }, model, undefined)),
      database,
      project: opened,
      model,
      now: new Date(),
      warehouse: opened.warehouse,
      children,
    },
    [asks],
  )
  return gate.items[0]
}
const ended = ({ code, stderr }: Finished) => expect(code, stderr).toBe(0)

beforeAll(async () => {
  project = await generatedProject({ customers: 400, schedule: SCHEDULE })
  for (let day = 1; day <= 5; day++) await writeDay(project.root, `2026-03-0${day}`, 400)
  fresh = await freshDatabase()
  children = openChildren({ places: 1 })
  at = { project: project.root, env: { DATABASE_URL: fresh.url } }
  writeFileSync(join(project.root, 'second.onnx'), smallModel({ work: 1 }))
  ended(
    await nightshift(['register', 'value', join(project.root, 'model.onnx'), '--as-of', '2026-03-04'], at),
  )
  ended(await nightshift(['refresh', 'activity', '--as-of', '2026-03-04'], at))
})

afterAll(async () => {
  await children.close()
  await fresh.drop()
  await project.remove()
})

/** A drill leaves nothing beside its record. */
async function nothingLeft() {
  const folder = join(project.root, '.nightshift/simulations')
  expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([])
  const { rows } = await fresh.database.pool.query(
    `select nspname from pg_namespace where nspname like '%\\_sim\\_%'`,
  )
  expect(rows).toEqual([])
  expect(existsSync(join(project.root, 'warehouse/scores')) ? scores().join() : '').toBe(published)
}

test('a first version is withdrawn in a copy, and published again', async () => {
  expect(await item(rollback)).toMatchObject({ status: 'fail', evidence: 'no drill rollback is on record' })
  const { code, json, stderr } = await drill('rollback')
  expect(json, stderr).toMatchObject({ kind: 'rollback', version: 1, passed: true })
  expect(code).toBe(0)
  expect(json.note).toMatch(
    /^no version was there before: 2026-03-04 was withdrawn after .* leaves readers no scores/,
  )
  expect(await item(rollback)).toMatchObject({ status: 'pass' })
  await nothingLeft()
})

test('shifted nights in a copy alert somebody', async () => {
  const { code, json, stderr } = await drill('drift')
  expect(json, stderr).toMatchObject({ kind: 'drift', passed: true })
  expect(code).toBe(0)
  expect(json.note).toMatch(/2 shifted nights \(2026-03-03 to 2026-03-04\) of version 1 alerted \d/)
  expect(await item(driftAlerts)).toMatchObject({ status: 'pass' })
  await nothingLeft()
})

test('a compute process that is killed costs one attempt', async () => {
  const { code, json, stderr } = await drill('failure')
  expect(json, stderr).toMatchObject({ kind: 'failure', passed: true })
  expect(code).toBe(0)
  expect(json.note).toMatch(/attempt 2 published 400 rows/)
  // The backoff of 10 s, by the ledger's clock.
  expect(json.seconds).toBeGreaterThan(5)
  await nothingLeft()
})

// Takes 10 s and more: nights are lived through in copies.
test('a second version is rolled back to the champion, whose scores are there', async () => {
  ended(await nightshift(['promote', 'value', '--version', '1', '--override', 'a test', '--by', 'ann'], at))
  ended(await nightshift(['run', 'value', '--as-of', '2026-03-04'], at))
  published = scores().join()
  ended(
    await nightshift(['register', 'value', join(project.root, 'second.onnx'), '--as-of', '2026-03-04'], at),
  )
  // The drill of version 1 says nothing of version 2.
  expect(await item(rollback)).toMatchObject({
    status: 'fail',
    evidence: expect.stringContaining('was of version 1, not of version 2'),
  })
  const { code, json, stderr } = await drill('rollback')
  expect(json, stderr).toMatchObject({ version: 2, passed: true })
  expect(code).toBe(0)
  expect(json.note).toMatch(
    /saw version 1 again after .*its shadow scores were there.*version 2 after another/,
  )
  expect(await item(rollback)).toMatchObject({ status: 'pass' })
  await nothingLeft()
})

test('a drill is evidence for today’s view alone', async () => {
  await project.write('features/activity/features.sql', SQL.replace('count(*)', '(count(*) + 0)'))
  expect(await item(rollback)).toMatchObject({
    status: 'fail',
    evidence: expect.stringContaining('was edited since'),
  })
  await project.write('features/activity/features.sql', SQL)
})

test('a drill of an alert waits for everybody on call', async () => {
  const late = await drill('alert', '--wait', '1s')
  expect(late).toMatchObject({ code: 1, json: { passed: false, seconds: null } })
  expect(late.json.note).toMatch(/did not answer within 1 s/)
})

test('a drill of an alert passes once every code has come back', async () => {
  const { pool } = fresh.database
  await pool.query('delete from nightshift.alert_tests')
  const over = drill('alert', '--wait', '5m')
  const answered = async () => {
    const { rows } = await pool.query<{ code: string }>('select code from nightshift.alert_tests')
    const [test] = rows
    return test && acknowledgeTest(pool, test.code, { by: 'ann', os_user: 'ann', host: 'node' })
  }
  await expect.poll(answered, { timeout: 60_000 }).toMatchObject({ acked_by: 'ann' })
  expect(await over).toMatchObject({ code: 0, json: { passed: true, seconds: expect.any(Number) } })
})

test('another drill is refused', async () => {
  const { code, stderr } = await nightshift(['drill', 'value', 'rolback'], at)
  expect(code).toBe(2)
  expect(stderr).toMatch(/expected rollback, failure, alert, drift, got: rolback/)
})

test('the only version is withdrawn: readers find no scores, and the model has no champion', async () => {
  const { code, json, stderr } = await nightshiftJson(
    ['rollback', 'value', '--withdraw', '--reason', 'wrong scores', '--by', 'ann'],
    at,
  )
  expect(code, stderr).toBe(0)
  expect(json).toMatchObject({ from: 1, to: null, withdrawn: ['2026-03-04'] })
  expect(existsSync(join(project.root, 'warehouse/scores/value/as_of=2026-03-04/scores.parquet'))).toBe(false)
  const [night] = await listSlots(fresh.database.pool, { kind: 'scores', name: 'value' })
  expect(night).toMatchObject({ state: 'skipped', published_run: null })
  expect((await historyOf(fresh.database.pool, 'value')).at(-1)).toMatchObject({
    event: 'withdrawn',
    version: 1,
    reason: 'wrong scores',
  })
  const again = await nightshift(['rollback', 'value', '--withdraw'], at)
  expect(again.code).toBe(2)
  expect(again.stderr).toMatch(/no version is champion/)
})
