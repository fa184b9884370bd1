import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, expect, test } from 'vitest'
import { logisticModel } from '../../../src/pipeline/onnx/logistic-model.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import { nightshift } from '../nightshift.ts'

const folder = mkdtempSync(join(tmpdir(), 'nightshift-first-'))
const shop = join(folder, 'shop')
const databases: FreshDatabase[] = []
async function freshEnvironment(): Promise<{ DATABASE_URL: string }> {
  const database = await freshDatabase()
  databases.push(database)
  return { DATABASE_URL: database.url }
}
afterAll(async () => {
  for (const database of databases) await database.drop()
  rmSync(folder, { recursive: true, force: true })
})

test.each([
  ['exec', '  npx nightshift run lapse --as-of latest --version 1\n'],
  ['', '  nightshift run lapse --as-of latest --version 1\n'],
])('what comes next is typed as init was: npm_command=%s', async (npm_command, line) => {
  const dir = join(folder, `typed-${npm_command}`)
  const { stdout } = await nightshift(['init', dir], { project: folder, env: { npm_command } })
  expect(stdout).toContain(line)
})

test('init, register, run: the first scores, published only once a version is promoted', async () => {
  const env = await freshEnvironment()
  const call = (...args: string[]) => nightshift(args, { project: shop, env })
  const made = await nightshift(['init', shop], { project: folder, env })
  expect(made.stdout).toContain('nightshift register lapse models/lapse/lapse.onnx')

  const missing = await call('run', 'lapse', '--as-of', 'latest')
  expect(missing).toMatchObject({ code: 2 })
  expect(missing.stderr).toContain('model lapse has no version yet: nightshift register lapse FILE.onnx')

  const registered = await call('register', 'lapse', join(shop, 'models/lapse/lapse.onnx'))
  expect(registered.stdout).toContain('registered version 1 of lapse, tested on')
  const unpromoted = await call('run', 'lapse', '--as-of', 'latest')
  expect(unpromoted).toMatchObject({ code: 2 })
  expect(unpromoted.stderr).toContain('--version 1')

  const tried = await call('run', 'lapse', '--as-of', 'latest', '--version', '1', '--json')
  expect(tried.code, tried.stderr).toBe(0)
  const { path, rows, as_of, state } = JSON.parse(tried.stdout)
  expect({ path, state }).toEqual({
    path: `warehouse/trials/lapse/version=1/as_of=${as_of}/scores.parquet`,
    state: 'tried',
  })
  const connection = await (await DuckDBInstance.create()).connect()
  const [found] = (
    await connection.runAndReadAll(
      `SELECT count(DISTINCT customer_id)::INTEGER, min(lapse_probability) < 0.1, max(lapse_probability) > 0.9 FROM '${join(shop, path)}'`,
    )
  ).getRows()
  connection.closeSync()
  expect(found).toEqual([rows, true, true])
  expect(existsSync(join(shop, 'warehouse/scores'))).toBe(false)

  const promoted = await call(
    'promote',
    'lapse',
    '--version',
    '1',
    '--override',
    'a first try',
    '--by',
    'ann',
  )
  expect(promoted.code, promoted.stderr).toBe(0)
  const published = await call('run', 'lapse', '--as-of', 'latest')
  expect(published.stdout).toContain(`warehouse/scores/lapse/as_of=${as_of}/scores.parquet`)
})

test('init --data proposes a project that registers a model of its columns, and scores with it', async () => {
  const env = await freshEnvironment()
  const model = join(folder, 'loyal.onnx')
  const inputs = ['days_since_last_orders', 'ORDERS_90D']
  const fitted = { mean: [20, 3], scale: [0.1, 0.5], weight: [1, -1], intercept: 0 }
  writeFileSync(model, logisticModel(fitted, inputs, 'test'))
  const project = join(folder, 'own')
  const made = await nightshift(['init', project, '--data', join(shop, 'data'), '--model', model, '--json'], {
    project: folder,
    env,
  })
  expect(made.code, made.stderr).toBe(0)
  const { as_of, model: name, problems, unmatched_inputs } = JSON.parse(made.stdout)
  expect({ name, problems, unmatched_inputs }).toEqual({ name: 'lapsed', problems: [], unmatched_inputs: [] })
  const valid = await nightshift(['validate'], { project, env })
  expect(valid.code, valid.stderr).toBe(0)
  const registered = await nightshift(['register', name, model], { project, env })
  expect(registered.stdout, registered.stderr).toContain('inputs  days_since_last_orders, ORDERS_90D')
  const tried = await nightshift(['run', name, '--as-of', as_of, '--version', '1', '--json'], {
    project,
    env,
  })
  expect(JSON.parse(tried.stdout)).toMatchObject({ state: 'tried', rows: 350 })
})

test('init says which options belong together, and writes nothing where the data cannot be read', async () => {
  const project = join(folder, 'none')
  const alone = await nightshift(['init', project, '--model', 'x.onnx'], { project: folder })
  expect([alone.code, alone.stderr]).toEqual([
    2,
    expect.stringContaining('--model together with --data PATH'),
  ])
  const gone = await nightshift(['init', project, '--data', join(folder, 'gone')], { project: folder })
  expect([gone.code, gone.stderr]).toEqual([
    2,
    expect.stringContaining('it does not exist); nothing was written'),
  ])
  expect(existsSync(project)).toBe(false)
})
