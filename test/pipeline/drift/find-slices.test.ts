import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findSlices } from '../../../src/pipeline/drift/find-slices.ts'
import { connectDuckdb } from '../../duckdb.ts'

let folder: string
const path = (name: string) => join(folder, `${name}.parquet`)

/** Four plans of equal size; `moved` rows of plan pro cost more. */
const night = (price: string, seed: number) =>
  `SELECT i AS id, ['basic', 'plus', 'pro', NULL][1 + (i % 4)] AS plan, 'r' || (hash(i) % 3) AS region, i % 7 AS number,
          hash(i + ${seed}) % 1000 / 10 + ${price} AS price FROM range(8000) t(i)`

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'nightshift-slices-')))
  const connection = await connectDuckdb()
  const write = (name: string, sql: string) =>
    connection.run(`COPY (${sql}) TO '${path(name)}' (FORMAT parquet)`)
  await write('first', night('0', 1))
  await write('second', night('0', 2))
  await write('tonight', night('CASE WHEN i % 4 = 2 THEN 40 ELSE 0 END', 3))
  await write(
    'tonight-scores',
    `SELECT i AS id, CASE WHEN hash(i) % 3 = 1 THEN 0.9 ELSE (hash(i + 9) % 100) / 100 END AS p FROM range(8000) t(i)`,
  )
  await write('first-scores', `SELECT i AS id, (hash(i + 8) % 100) / 100 AS p FROM range(8000) t(i)`)
  connection.closeSync()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const request = { entity: ['id'], by: ['plan', 'region', 'number', 'price'], threads: 1 }

test('the plan whose prices rose carries the shift, and the others hardly moved', async () => {
  const found = await findSlices({
    ...request,
    reference: [{ features: path('first') }, { features: path('second') }],
    tonight: { features: path('tonight') },
    column: 'price',
    temp: folder,
    top: 10,
  })
  const [first, ...others] = found.slices
  expect(first).toMatchObject({ by: 'plan', value: 'pro', rows: 2000, reference_rows: 4000 })
  expect(first?.carried).toBeGreaterThan(0.9)
  expect(first?.psi).toBeGreaterThan(found.psi)
  expect(others.map(({ by, value }) => `${by} ${value}`).sort()).toEqual([
    'plan basic',
    'plan null',
    'plan plus',
    'region r0',
    'region r1',
    'region r2',
  ])
  for (const slice of others) expect(slice.carried).toBeLessThan(0.5)
  for (const slice of others.filter(({ by }) => by === 'plan')) expect(slice.psi).toBeLessThan(0.05)
})

test('a score’s shift is found by joining the scores', async () => {
  const found = await findSlices({
    ...request,
    reference: [{ features: path('first'), scores: path('first-scores') }],
    tonight: { features: path('tonight'), scores: path('tonight-scores') },
    column: 'p',
    temp: folder,
  })
  expect(found.slices[0]).toMatchObject({ by: 'region', value: 'r1' })
  expect(found.slices[0]?.carried).toBeGreaterThan(0.9)
})

test('a column that is not there is refused by name', async () => {
  const files = { features: path('first') }
  await expect(
    findSlices({ ...request, reference: [files], tonight: files, column: 'prize', temp: folder }),
  ).rejects.toThrow(
    'expected a column that is compared (of id, plan, region, number, price), got: prize (not there)',
  )
})

test('nothing moved: no slice carries anything', async () => {
  const files = { features: path('first') }
  const found = await findSlices({
    ...request,
    reference: [files],
    tonight: files,
    column: 'region',
    temp: folder,
  })
  expect(found.psi).toBe(0)
  expect(found.slices.every(({ carried }) => carried === 0)).toBe(true)
})
