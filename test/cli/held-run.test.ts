import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type MailServer, openMailServer } from '../alerts/mail-server.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, writeParquet } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { nightshift, nightshiftJson } from './nightshift.ts'

let database: FreshDatabase
let project: TemporaryProject
let mails: MailServer
let at: { project: string; env: Record<string, string> }
const attempts = () => readdirSync(join(project.root, 'warehouse/.attempts'))
const FEATURES = (asOf: string) =>
  join(project.root, `warehouse/features/activity/as_of=${asOf}/features.parquet`)

/** Events of a day whose amounts are out of bounds for three customers. */
function wrongDay(date: string): Promise<void> {
  return writeParquet(
    join(project.root, `data/events/date=${date}/events.parquet`),
    `SELECT i AS customer_id, TIMESTAMP '${date} 12:00:00' AS happened_at, CASE WHEN i < 3 THEN 900 ELSE 1 END::DOUBLE AS amount FROM range(100) t(i)`,
  )
}

beforeAll(async () => {
  database = await freshDatabase()
  mails = await openMailServer()
  project = await generatedProject({
    view: 'columns: { spend: { max: 100 } }\nexpect: { rows: { min: 50 } }\n',
  })
  at = { project: project.root, env: { DATABASE_URL: database.url, SMTP_URL: mails.url } }
  await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
  await nightshift(promoting('value', 1), at)
  const first = await nightshiftJson(['run', 'value', '--as-of', '2026-03-02'], at)
  expect(first.json.state, first.stderr).toBe('published')
  await wrongDay('2026-03-02')
})
afterAll(async () => {
  await mails.close()
  await project.remove()
  await database.drop()
})

async function heldAt(asOf: string): Promise<string> {
  const { code, json } = await nightshiftJson(['run', 'value', '--as-of', asOf], at)
  expect({ code, state: json.state, class: json.failure?.class }).toEqual({
    code: 1,
    state: 'held',
    class: 'contract',
  })
  return json.run
}

test('show names the expectation that failed with its value, its bound and rows', async () => {
  const run = await heldAt('2026-03-03')
  const { json } = await nightshiftJson(['show', run], at)
  const failed = json.checks.filter((check: { passed: boolean }) => !check.passed)
  expect(failed).toMatchObject([{ id: 'columns.spend.max', observed: 902, bound: 100, column: 'spend' }])
  expect(failed[0].samples).toHaveLength(3)
  const { stdout } = await nightshift(['show', run], at)
  expect(stdout).toMatch(/expectations: \d+ met, 1 failed/)
  expect(stdout).toMatch(/spend.*100.*902/)
  expect(stdout).toContain('customer_id')
  expect(stdout).toContain(`nightshift release ${run} --reason`)
  expect(existsSync(FEATURES('2026-03-03'))).toBe(false)
})

test('a held run is published on a person’s word, which is on record and clears the incident', async () => {
  const [held] = (await nightshiftJson(['runs', '--state', 'held'], at)).json
  const refused = await nightshift(['release', held.run, '--reason', 'x'], at)
  expect(refused.code).toBe(2)
  const { code, json } = await nightshiftJson(
    ['release', held.run, '--reason', 'three big orders, confirmed', '--by', 'ann@example.com'],
    at,
  )
  expect({ code, state: json.state }).toEqual({ code: 0, state: 'published' })
  expect(existsSync(FEATURES('2026-03-03'))).toBe(true)
  expect(attempts()).toEqual([])
  const { stdout } = await nightshift(['show', held.run], at)
  expect(stdout).toContain('three big orders, confirmed')
  expect(stdout).toContain('ann@example.com')
  const open = (await nightshiftJson(['incidents'], at)).json
  expect(open.filter((incident: { state: string }) => incident.state === 'open')).toEqual([])
  const closed = await nightshift(['incidents', '--all'], at)
  expect(closed.stdout).toMatch(/^\d+ +activity +contract +2026-03-03 .* closed /m)
  expect((await nightshiftJson(['incidents', '--all'], at)).json).toMatchObject([
    { state: 'closed', nights: ['2026-03-03'] },
  ])
  expect(mails.received.at(-1)?.mail.text).toMatch(/^Resolved/)
  // And it can be released once alone.
  const again = await nightshift(['release', held.run, '--reason', 'y', '--by', 'ann@example.com'], at)
  expect(again.code).toBe(2)
  expect(again.stderr).toContain('expected a run that is held')
})

test('a held run whose data is mended is run again', async () => {
  const run = await heldAt('2026-03-04')
  const still = await nightshift(['retry', run], at)
  expect(still.code).toBe(1)
  await writeParquet(
    join(project.root, 'data/events/date=2026-03-02/events.parquet'),
    `SELECT i AS customer_id, TIMESTAMP '2026-03-02 12:00:00' AS happened_at, 1::DOUBLE AS amount FROM range(100) t(i)`,
  )
  const [held] = (await nightshiftJson(['runs', 'activity', '--state', 'held'], at)).json
  const mended = await nightshiftJson(['retry', held.run], at)
  expect({ code: mended.code, state: mended.json.state }).toEqual({ code: 0, state: 'published' })
})

test('a night that is given up is skipped with its reason', async () => {
  await wrongDay('2026-03-04')
  await heldAt('2026-03-05')
  const { code, stderr } = await nightshift(['skip', 'activity:2026-03-05', '--reason', 'a test order'], at)
  expect(code, stderr).toBe(0)
  const { json } = await nightshiftJson(['status'], at)
  expect(
    json.filter(
      (slot: { as_of: string; kind: string }) => slot.as_of === '2026-03-05' && slot.kind === 'features',
    ),
  ).toMatchObject([{ state: 'skipped', reason: expect.stringContaining('a test order') }])
})

test('a backfill whose nights are all held is one incident and one mail', async () => {
  await wrongDay('2026-03-05')
  const seen = mails.received.length
  const { code, json } = await nightshiftJson(
    ['backfill', 'value', '--from', '2026-03-06', '--to', '2026-03-15', '--yes'],
    at,
  )
  expect({ code, published: json.published, left: json.left }).toEqual({ code: 1, published: 0, left: 0 })
  const open = (await nightshiftJson(['incidents'], at)).json
  expect(open.filter((each: { closed_at: string | null }) => each.closed_at === null)).toHaveLength(1)
  expect(mails.received.slice(seen)).toHaveLength(1)
  expect(mails.received.at(-1)?.mail.text).toContain('2026-03-15')
})

test.each([
  [
    'without an entity',
    'CASE WHEN customer_id = 3 THEN NULL ELSE customer_id END AS customer_id',
    'expected no null, got: 1',
  ],
  [
    'of one entity twice',
    'CASE WHEN customer_id = 3 THEN 4 ELSE customer_id END AS customer_id',
    'expected one row each',
  ],
])('rows %s cannot be released, whoever asks', async (_what, key, why) => {
  const broken = await generatedProject({
    sql: `SELECT ${key}, sum(amount)::FLOAT AS spend, count(*)::FLOAT AS orders FROM events GROUP BY events.customer_id`,
  })
  const own = await freshDatabase()
  try {
    const there = { project: broken.root, env: { DATABASE_URL: own.url } }
    const { json } = await nightshiftJson(['refresh', 'activity', '--as-of', '2026-03-02'], there)
    expect(json).toMatchObject({ state: 'held', failure: { class: 'contract' } })
    const { code, stderr } = await nightshift(
      ['release', json.run, '--reason', 'it is fine', '--by', 'ann@example.com'],
      there,
    )
    expect(code).toBe(2)
    expect(stderr).toContain(`run ${json.run} cannot be released: entity customer_id: ${why}`)
    const shown = await nightshift(['show', json.run], there)
    expect(shown.stdout).not.toContain(`nightshift release ${json.run}`)
    expect((await nightshiftJson(['show', json.run], there)).json).toMatchObject({ state: 'held' })
  } finally {
    await broken.remove()
    await own.drop()
  }
})
