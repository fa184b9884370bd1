import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import { nightshift } from '../nightshift.ts'

const folder = mkdtempSync(join(tmpdir(), 'nightshift-first-'))
const shop = join(folder, 'shop')
let database: FreshDatabase | undefined
afterAll(async () => {
  await database?.drop()
  rmSync(folder, { recursive: true, force: true })
})

test('init, register, run: the first scores, published only once a version is promoted', async () => {
  database = await freshDatabase()
  const env = { DATABASE_URL: database.url }
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
