import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nightshiftJson } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { makeFolder, query } from '../pipeline/feature-case.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, valueModel, writeDay } from '../projects/generated.ts'
import { openStorage, refuse, type Storage } from '../workers/objects/storage.ts'

const RESULTS = 'results/churn'
const FEATURES = `${RESULTS}/features/activity/as_of=2026-03-03/features.parquet`
const SCORES = `${RESULTS}/scores/value/as_of=2026-03-03/scores.parquet`

/** Two checkouts of a project that share a ledger and a bucket, and a third with a ledger and a folder of its own. */
type Machine = 'one' | 'two' | 'folder'
let storage: Storage
let ledgers: FreshDatabase[] = []
let project: TemporaryProject
const roots: Record<Machine, string> = { one: '', two: '', folder: '' }

beforeAll(async () => {
  storage = await openStorage()
  ledgers = [await freshDatabase(), await freshDatabase()]
  project = await generatedProject({ customers: 50 })
  for (const day of ['2026-03-02', '2026-03-03', '2026-03-04']) await writeDay(project.root, day, 50)
  const labels = 'SELECT customer_id, count(*) % 2 = 1 AS label FROM events GROUP BY customer_id\n'
  await project.write('models/value/labels.sql', labels)
  await project.write(
    'models/value/model.yaml',
    valueModel(`labels: { sql: labels.sql, horizon: 1d }
`),
  )
  const settings = (warehouse: string) =>
    project.write('nightshift.yaml', `project: generated\ntimezone: UTC\nwarehouse: ${warehouse}\n`)
  const { root } = project
  Object.assign(roots, { one: root, two: `${root}-two`, folder: `${root}-folder` })
  const copy = (to: string) => cpSync(root, to, { recursive: true, preserveTimestamps: true })
  await settings('warehouse')
  copy(roots.folder)
  await settings(`s3://nights/${RESULTS}`)
  copy(roots.two)
})
afterAll(async () => {
  for (const root of [roots.two, roots.folder]) rmSync(root, { recursive: true, force: true })
  await project?.remove()
  for (const ledger of ledgers) await ledger.drop()
  await storage?.close()
})

function on(machine: Machine, ...args: string[]) {
  const ledger = ledgers[machine === 'folder' ? 1 : 0]
  const env = { ...storage.env, DATABASE_URL: ledger?.url ?? '' }
  return nightshiftJson(args, { project: roots[machine], env })
}

/** A file of the bucket, read by DuckDB as anybody would read it who knows nothing of this program. */
async function rowsOf(key: string): Promise<unknown[]> {
  const path = join(makeFolder(), 'read.parquet')
  writeFileSync(path, (await storage.get(key)) ?? '')
  return await columnsOf(path)
}

/** Without a column of what the path says. */
function columnsOf(path: string) {
  return query(`SELECT * FROM read_parquet('${path}', hive_partitioning = false)`)
}

test('a night that one machine begins, another goes on with, and both read the same files', async () => {
  const set = ['dataset', 'value', '--from', '2026-03-02', '--to', '2026-03-03', '--every', '1d']
  const made = await on('one', ...set, '--holdout-from', '2026-03-03')
  expect(made.json).toMatchObject({
    known: false,
    train: `s3://nights/${RESULTS}/datasets/value/${made.json.id}/train.parquet`,
  })
  const found = await on('two', ...set, '--holdout-from', '2026-03-03')
  expect(found.json).toMatchObject({ id: made.json.id, known: true })

  const file = join(roots.two, 'model.onnx')
  const registered = await on('two', 'register', 'value', file, '--dataset', made.json.id)
  expect(registered.code, registered.stderr).toBe(0)
  const evaluated = await on('one', 'evaluate', 'value', '--version', '1', '--dataset', made.json.id)
  expect(evaluated.json).toMatchObject({ rows: 50, dataset: made.json.id })
  await on('one', 'promote', 'value', '--version', '1', '--override', 'the first', '--by', 'ann@example.com')

  await on('one', 'refresh', 'activity', '--as-of', '2026-03-03')
  await on('folder', 'refresh', 'activity', '--as-of', '2026-03-03')
  const features = await rowsOf(FEATURES)
  expect(features).toHaveLength(50)
  const inFolder = 'warehouse/features/activity/as_of=2026-03-03/features.parquet'
  const folder = await columnsOf(join(roots.folder, inFolder))
  expect(features).toEqual(folder)

  const scored = await on('two', 'run', 'value', '--as-of', '2026-03-03')
  expect(scored.json).toMatchObject({ state: 'published', rows: 50, path: `s3://nights/${SCORES}` })
  const scores = folder.map(({ customer_id, spend, orders }) => ({
    customer_id,
    score: expect.closeTo(1 / (1 + Math.exp(Number(orders) - Number(spend))), 6),
    version: 1,
  }))
  expect(await rowsOf(SCORES)).toEqual(scores)

  const parity = await on('two', 'parity', 'value', '--as-of', '2026-03-03')
  expect(parity.json).toMatchObject({ rows: 50, differing: 0 })
  const explained = await on('one', 'explain', 'value', '1', '--as-of', '2026-03-03')
  expect(explained.json).toMatchObject({ run: scored.json.run, version: 1 })
})

test('shards hand their features and parts over through the bucket', async () => {
  const before = await rowsOf(SCORES)
  await project.write(
    'models/value/model.yaml',
    `${readFileSync(join(roots.one, 'models/value/model.yaml'), 'utf8')}scoring: { shards: 2, min_rows: 10 }\n`,
  )
  const split = await on('one', 'run', 'value', '--as-of', '2026-03-03', '--force')
  expect(split.json.failure, split.stderr).toBeNull()
  expect(split.json).toMatchObject({ state: 'published', rows: 50 })
  expect(storage.requests.filter((line) => /^PUT .*\/parts\/0\d-t1\.parquet/.test(line))).toHaveLength(2)
  expect(await rowsOf(SCORES)).toEqual(before)
  expect(await storage.keys(`${RESULTS}/.attempts/`)).toEqual([])
})

test('what somebody has done to the bucket is put right by whoever comes next', async () => {
  const before = { features: await storage.get(FEATURES), scores: await storage.get(SCORES) }
  await storage.remove(FEATURES)
  await storage.put(SCORES, 'something else')
  const again = await on('one', 'run', 'value', '--as-of', '2026-03-03')
  expect(again.json).toMatchObject({ state: 'published', path: `s3://nights/${SCORES}` })
  expect(again.stderr).toContain(`s3://nights/${FEATURES} is missing: published again from .published/`)
  expect(again.stderr).toContain(`s3://nights/${SCORES} names no run`)
  expect({ features: await storage.get(FEATURES), scores: await storage.get(SCORES) }).toEqual(before)
  const foreign = (await storage.keys(`${RESULTS}/.foreign/scores/value/as_of=2026-03-03/`))[0] ?? ''
  expect(String(await storage.get(foreign))).toBe('something else')
})

test('what one machine holds, another releases, and a withdrawn night leaves its stable key', async () => {
  for (const machine of ['one', 'two'] as const)
    writeFileSync(
      join(roots[machine], 'features/activity/view.yaml'),
      `view: activity
entity: customer_id
owner: data@example.com
sources:
  events: { path: data/events/**/*.parquet, kind: events, event_time: happened_at }
columns:
  spend: { max: 5 }
`,
    )
  const held = await on('one', 'refresh', 'activity', '--as-of', '2026-03-04')
  expect(held.json).toMatchObject({ state: 'held', failure: { class: 'contract' } })
  const key = FEATURES.replace('03-03', '03-04')
  expect(await storage.get(key)).toBeUndefined()
  const { run } = held.json
  const released = await on('two', 'release', run, '--reason', 'a sale', '--by', 'ann@example.com')
  expect(released.code, released.stderr).toBe(0)
  expect(await rowsOf(key)).toHaveLength(50)
  await on('two', 'rollback', 'value', '--withdraw', '--reason', 'wrong', '--by', 'ann@example.com')
  expect(await storage.get(SCORES)).toBeUndefined()
  const kept = await storage.keys(`${RESULTS}/`)
  expect(kept.filter((each) => each.includes('.attempts'))).toEqual([])
  expect(kept.filter((each) => each.includes('superseded'))).toHaveLength(2)
})

test('a command that the bucket refuses names the object, the permission and the class', async () => {
  storage.fault = ({ method }, response) => method === 'PUT' && refuse(response, 403, 'AccessDenied')
  const refused = await on('one', 'refresh', 'activity', '--as-of', '2026-03-02')
  storage.fault = undefined
  expect(refused.code).toBe(1)
  expect(refused.json.state).toBe('held')
  expect(refused.json.failure.class).toBe('contract')
  expect(refused.json.failure.message).toMatch(
    /^s3:\/\/nights\/results\/churn\/\.attempts\/\w+-a1\/features\.parquet could not be written \(AccessDenied\): .*grant s3:PutObject/,
  )
})
