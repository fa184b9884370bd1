import { copyFileSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { publishedList, withListFile } from '../../src/actions/rows/published-list.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { freshDatabase } from '../database/fresh.ts'
import { makeFolder, query } from '../pipeline/feature-case.ts'
import {
  comparable,
  daysAgo,
  inTwoWarehouses,
  type Printed,
  type TwoWarehouses,
  WORLDS,
  type World,
} from '../projects/in-two-warehouses.ts'
import { inEnvironment } from '../storage/in-environment.ts'

/*
 * The life of a project with its warehouse in a bucket, where most commands are given on a machine that has no copies of what
 * the other published. In the full form it is lived in a folder, too, and both must come to the same.
 */
const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
let worlds: TwoWarehouses
const last: Record<World, Record<string, Printed>> = { folder: {}, bucket: {} }

beforeAll(async () => {
  worlds = await inTwoWarehouses(
    'schedule: nightly\ncron: "30 2 * * *"\nscore: [value]\nstart: "2099-01-01"\ndeadline: "06:00"\n',
  )
})
afterAll(() => worlds?.close())

type Given = (said: Record<string, Printed>) => string[]

/** Gives a command in all worlds, where it has to end and print the same. Returns what it printed in the bucket. */
async function inEach(machine: 'one' | 'two', given: string[] | Given): Promise<Printed> {
  const printed: string[] = []
  for (const world of WORLDS) {
    const args = typeof given === 'function' ? given(last[world]) : given
    const done = await worlds.run(world, machine, ...args)
    last[world][args[0] ?? ''] = done
    printed.push(await comparable(worlds, world, done))
  }
  expect(new Set(printed).size, printed.join('\n')).toBe(1)
  const [name = ''] = typeof given === 'function' ? given(last.bucket) : given
  const done = last.bucket[name]
  if (done === undefined) throw new Error('a command has a name')
  return done
}

/** Of a published partition. */
async function rowsOf(world: World, path: string): Promise<unknown[]> {
  let file = join(worlds.root(world), 'warehouse', path)
  if (world === 'bucket') {
    file = join(makeFolder(), 'read.parquet')
    writeFileSync(file, (await worlds.storage.get(`life/${path}`)) ?? '')
  }
  return query(`SELECT * FROM read_parquet('${file}', hive_partitioning = false)`)
}

async function samePublished(path: string): Promise<void> {
  const rows = await rowsOf('bucket', path)
  expect(rows.length).toBeGreaterThan(0)
  for (const world of WORLDS) expect(rows).toEqual(await rowsOf(world, path))
}

const BY = ['--by', 'ann@example.com']
const OVERRIDE = ['--override', 'the test asks for it', ...BY]
const SET = ['--from', daysAgo(9), '--to', daysAgo(8), '--every', '1d', '--holdout-from', daysAgo(8)]
const scores = (days: number) => `scores/value/as_of=${daysAgo(days)}/scores.parquet`
const features = (days: number) => `features/activity/as_of=${daysAgo(days)}/features.parquet`

test('a training set, a version and its nights', async () => {
  const set = await inEach('one', ['dataset', 'value', ...SET])
  expect(set.json.known).toBe(false)
  expect((await inEach('two', ['dataset', 'value', ...SET])).json).toMatchObject({
    id: set.json.id,
    known: true,
  })
  await inEach('two', ['register', 'value', 'ROOT/model.onnx', '--dataset', set.json.id])
  const evaluated = await inEach('two', ['evaluate', 'value', '--version', '1', '--dataset', set.json.id])
  expect(evaluated.json.rows).toBe(60)
  await inEach('two', ['promote', 'value', '--version', '1', ...OVERRIDE])
  expect((await inEach('one', ['run', 'value', '--as-of', daysAgo(8)])).json.state).toBe('published')
  expect((await inEach('two', ['run', 'value', '--as-of', daysAgo(8)])).json.state).toBe('published')
  expect((await inEach('two', ['run', 'value', '--as-of', daysAgo(7)])).json.state).toBe('published')
  const filled = await inEach('two', ['backfill', 'value', '--from', daysAgo(6), '--to', daysAgo(5), '--yes'])
  expect(filled.json).toMatchObject({ nights: 2, published: 2 })
  for (const days of [8, 7, 6, 5]) {
    await samePublished(scores(days))
    await samePublished(features(days))
  }
})

test('what a published night is asked for', async () => {
  const night = ['--as-of', daysAgo(7)]
  await inEach('one', ['run', 'value', ...night])
  const run = (said: Record<string, Printed>) => said.run?.json.run
  await inEach('two', (said) => ['show', run(said)])
  expect((await inEach('two', (said) => ['replay', run(said)])).json).toMatchObject({ same: true, rows: 60 })
  expect((await inEach('two', ['explain', 'value', '1', ...night])).json.reasons).not.toBeNull()
  expect((await inEach('two', ['parity', 'value', ...night])).json).toMatchObject({ rows: 60, differing: 0 })
  const stored = (said: Record<string, Printed>) => said.dataset?.json.id
  const parity = await inEach('two', (said) => [
    'parity',
    'value',
    '--as-of',
    daysAgo(8),
    '--dataset',
    stored(said),
  ])
  expect(parity.json).toMatchObject({ rows: 60, differing: 0 })
  expect((await inEach('two', ['drift', 'value', ...night])).json.length).toBeGreaterThan(0)
  await inEach('two', ['outcomes', 'value'])
  await inEach('two', ['report', 'value', ...night])
  await inEach('two', ['status', 'value'])
})

test('the list of a night and its file', async () => {
  const leave = inEnvironment(worlds.storage.env)
  try {
    const lists = []
    for (const world of WORLDS) {
      const root = worlds.root(world, 'two')
      rmSync(join(root, '.nightshift/objects'), { recursive: true, force: true })
      const project = openProject(root)
      const ledger = { project, database: worlds.database(world).database }
      const { value: model } = project.models
      if (model === undefined) throw new Error('expected the model value')
      const asOf = parseAsOf(daysAgo(7), 'UTC')
      const list = await publishedList(ledger, model, asOf, 5)
      const csv = await withListFile(ledger, model, asOf, false, async (path) => readFileSync(path, 'utf8'))
      const facts = JSON.stringify(list?.facts).replaceAll(list?.run.id ?? '', 'RUN')
      lists.push({ before: list?.before, facts, csv })
    }
    const [list] = lists
    for (const other of lists) expect(other).toEqual(list)
    expect(list?.csv?.split('\n')).toHaveLength(62)
    expect(list?.before?.partition).toBe(daysAgo(8))
  } finally {
    leave()
  }
})

test('another version is tried, promoted and rolled back', async () => {
  await inEach('one', ['register', 'value', 'ROOT/reversed.onnx'])
  expect((await inEach('two', ['run', 'value', '--as-of', daysAgo(5), '--version', '2'])).json.state).toBe(
    'tried',
  )
  await samePublished(`trials/value/version=2/as_of=${daysAgo(5)}/scores.parquet`)
  await inEach('two', (said) => ['evaluate', 'value', '--version', '2', '--dataset', said.dataset?.json.id])
  await inEach('two', ['shadow', 'value', '--version', '2', ...BY])
  await inEach('two', ['promote', 'value', '--version', '2', ...OVERRIDE])
  await inEach('two', ['run', 'value', '--as-of', daysAgo(5)])
  await samePublished(scores(5))
  await inEach('one', ['rollback', 'value', '--reason', 'worse', ...BY])
  await inEach('two', ['run', 'value', '--as-of', daysAgo(5)])
  await samePublished(scores(5))
  // What was replaced can be replayed, too.
  const { json } = await worlds.run('bucket', 'two', 'runs', 'value')
  const replaced = json.find(
    (run: { as_of: string; version: number }) => run.as_of === daysAgo(5) && run.version === 2,
  )
  const replayed = await worlds.run('bucket', 'two', 'replay', replaced.id)
  expect(replayed.json, replayed.text).toMatchObject({ same: true, rows: 60 })
})

test('a stale night, a held one that is tried again, and one that is skipped', async () => {
  await worlds.writeEvents(daysAgo(6), 61)
  const status = await inEach('two', ['status', 'value'])
  expect(status.json.filter(({ stale }: { stale: string | null }) => stale !== null)).toHaveLength(2)
  const filled = await inEach('two', [
    'backfill',
    'value',
    '--from',
    daysAgo(6),
    '--to',
    daysAgo(5),
    '--stale',
    '--yes',
  ])
  expect(filled.json).toMatchObject({ nights: 1, published: 1 })
  await samePublished(scores(5))
  const before = readFileSync(join(worlds.root('folder'), 'features/activity/view.yaml'), 'utf8')
  worlds.write('features/activity/view.yaml', `${before}columns: { spend: { max: 1 } }\n`)
  for (const days of [3, 4])
    expect((await inEach('one', ['refresh', 'activity', '--as-of', daysAgo(days)])).json.state).toBe('held')
  await inEach('two', ['skip', `activity:${daysAgo(3)}`, '--reason', 'not needed', ...BY])
  worlds.write('features/activity/view.yaml', before)
  const retried = await inEach('two', (said) => ['retry', said.refresh?.json.run, ...BY])
  expect(retried.json, retried.text).toMatchObject({ state: 'published' })
  await samePublished(features(4))
  expect(await worlds.storage.keys('life/.attempts/')).toHaveLength(1)
})

test('a model is trained again', async () => {
  const trained = await inEach('two', ['retrain', 'value', ...BY])
  expect(trained.json, trained.text).toMatchObject({ state: 'done', version: 3 })
  expect(await worlds.storage.get(`life/${trained.json.log}`)).toBeDefined()
  await inEach('two', ['versions', 'value'])
})

test.runIf(FULL)('a training is tried, and a night is simulated', async () => {
  const tried = await inEach('two', ['retrain', 'value', '--dry-run', ...BY])
  expect(tried.json, tried.text).toMatchObject({
    state: 'done',
    outcome: expect.stringContaining('a valid model'),
  })
  const lived = await inEach('two', ['simulate', 'value', '--from', daysAgo(8), '--to', daysAgo(8)])
  expect(lived.json.nights).toMatchObject([{ state: 'published', version: 1 }])
})

test('a copy of the ledger finds the warehouse as it was', async () => {
  await inEach('one', ['ledger', 'dump', 'ROOT/ledger.gz'])
  for (const world of WORLDS) {
    copyFileSync(join(worlds.root(world), 'ledger.gz'), join(worlds.root(world, 'two'), 'restored.gz'))
    worlds.restore(world, await freshDatabase())
  }
  await inEach('two', ['ledger', 'restore', 'ROOT/restored.gz'])
  await inEach('two', (said) => ['replay', said.run?.json.run])
  const again = await inEach('two', ['run', 'value', '--as-of', daysAgo(4)])
  expect(again.json).toMatchObject({ state: 'published', rows: 61 })
  await samePublished(scores(4))
})

test('doctor tries the bucket, and finds nothing to do', async () => {
  const { json } = await worlds.run('bucket', 'two', 'doctor')
  expect(json.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([])
  expect(json.map(({ part }: { part: string }) => part)).toContain('warehouse')
})

test('copies stay within `objects` on a machine that has no worker', async () => {
  const root = worlds.root('bucket', 'one')
  const copies = join(root, '.nightshift/objects/warehouse/nights/life')
  const parquet = () =>
    readdirSync(copies, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.parquet'))
  const before = parquet()
  expect(before.length).toBeGreaterThan(8)
  for (const name of before) utimesSync(join(copies, name), 1000, statSync(join(copies, name)).mtime)
  const settings = readFileSync(join(root, 'nightshift.yaml'), 'utf8')
  writeFileSync(join(root, 'nightshift.yaml'), `${settings}objects: 20kB\n`)
  await worlds.run('bucket', 'one', 'explain', 'value', '1', '--as-of', daysAgo(7))
  const bytes = parquet().reduce((sum, name) => sum + statSync(join(copies, name)).size, 0)
  expect(bytes).toBeLessThan(20_000)
  expect(parquet()).toContain(scores(7))
})
