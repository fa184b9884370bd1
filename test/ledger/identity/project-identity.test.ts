import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  adopt,
  expectProject,
  readLedger,
  settleIdentity,
} from '../../../src/ledger/identity/project-identity.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'

let fresh: FreshDatabase
let folder: string
beforeAll(async () => {
  fresh = await freshDatabase()
})
afterAll(() => fresh.drop())
beforeEach(async () => {
  await fresh.database.pool.query('truncate nightshift.project')
  folder = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-identity-')))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

interface Place {
  root: string
  warehouse: string
  name: string
}

async function checkout(
  name: string,
  { warehouse, project = 'telco' }: { warehouse?: string; project?: string } = {},
) {
  const root = join(folder, name)
  await mkdir(root, { recursive: true })
  return { root, warehouse: warehouse ?? join(root, 'warehouse'), name: project }
}

const settle = (place: Place) => settleIdentity(fresh.database, place)
const REFUSED =
  /schema nightshift of the project telco, made \d{4}-\d\d-\d\d at .*`schema: nightshift_\w+` in nightshift\.yaml, or a database of its own.*nightshift adopt/s

test('the first command makes the ledger its project’s, and further ones find it so', async () => {
  const place = await checkout('a')
  const first = await settle(place)
  expect(await settle(place)).toEqual(first)
  expect(first).toMatchObject({ name: 'telco', made_at: expect.stringContaining(place.root) })
  const kept = JSON.parse(readFileSync(join(place.root, '.nightshift/project.json'), 'utf8'))
  expect(kept).toEqual({ id: first.id, root: place.root })
})

test('a second project is refused with what to do, whatever it is called, and changes nothing', async () => {
  const first = await settle(await checkout('a'))
  for (const other of [await checkout('b'), await checkout('c', { project: 'fraud' })]) {
    await expect(settle(other)).rejects.toThrow(REFUSED)
    await expect(settle(other)).rejects.toThrow(REFUSED)
    expect(existsSync(join(other.root, '.nightshift'))).toBe(false)
    expect(existsSync(other.warehouse)).toBe(false)
  }
  expect(await readLedger(fresh.database)).toEqual(first)
})

test('of two projects whose first commands come at once one has the ledger and the other is refused', async () => {
  for (let round = 0; round < 10; round++) {
    await fresh.database.pool.query('truncate nightshift.project')
    const ended = await Promise.allSettled([
      settle(await checkout(`a${round}`)),
      settle(await checkout(`b${round}`)),
    ])
    expect(ended.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  }
})

test('first commands of one project that come at once agree', async () => {
  for (let round = 0; round < 10; round++) {
    await fresh.database.pool.query('truncate nightshift.project')
    const place = await checkout(`a${round}`)
    const all = await Promise.all(Array.from({ length: 4 }, () => settle(place)))
    expect(new Set(all.map(({ id }) => id)).size).toBe(1)
  }
})

test('checkouts on other machines are known by the warehouse that they share', async () => {
  const warehouse = join(folder, 'warehouse')
  const first = await settle(await checkout('a', { warehouse }))
  const worker = await checkout('b', { warehouse })
  expect((await settle(worker)).id).toBe(first.id)
  // From then on it knows by itself.
  await rm(warehouse, { recursive: true })
  expect((await settle(worker)).id).toBe(first.id)
})

test('a project that has lost .nightshift goes on; one that has lost the warehouse too does on a person’s word', async () => {
  const place = await checkout('a')
  const first = await settle(place)
  await rm(join(place.root, '.nightshift'), { recursive: true })
  expect((await settle(place)).id).toBe(first.id)
  await rm(join(place.root, '.nightshift'), { recursive: true })
  await rm(place.warehouse, { recursive: true })
  await expect(settle(place)).rejects.toThrow(REFUSED)
  await adopt(fresh.database, place)
  expect((await settle(place)).id).toBe(first.id)
})

test('a folder that was moved is the same project, a copy of one that is still there is another', async () => {
  const place = await checkout('a')
  const first = await settle(place)
  const moved = { ...place, root: join(folder, 'moved'), warehouse: join(folder, 'moved', 'warehouse') }
  await rename(place.root, moved.root)
  expect((await settle(moved)).id).toBe(first.id)
  const copy = { ...place, root: join(folder, 'copy'), warehouse: join(folder, 'copy', 'warehouse') }
  await cp(moved.root, copy.root, { recursive: true })
  await expect(settle(copy)).rejects.toThrow(REFUSED)
  expect((await settle(moved)).id).toBe(first.id)
})

test('a project may be renamed, and keeps its ledger', async () => {
  const place = await checkout('a')
  const first = await settle(place)
  expect((await settle({ ...place, name: 'telecom' })).id).toBe(first.id)
  expect(await readLedger(fresh.database)).toMatchObject({ id: first.id, name: 'telecom' })
})

test('a project takes its identity into a new ledger, whose queues are others', async () => {
  const place = await checkout('a')
  const first = await settle(place)
  await fresh.database.pool.query('truncate nightshift.project')
  const second = await settle(place)
  expect(second.id).toBe(first.id)
  expect(second.queues).not.toBe(first.queues)
})

test('who only looks is believed by the name where the folder has no identity yet', async () => {
  await settle(await checkout('a'))
  await expect(expectProject(fresh.database, await checkout('ci'))).resolves.toBeUndefined()
  await expect(expectProject(fresh.database, await checkout('d', { project: 'fraud' }))).rejects.toThrow(
    REFUSED,
  )
})

test('a file that is no identity is named', async () => {
  const place = await checkout('a')
  await settle(place)
  await writeFile(join(place.root, '.nightshift/project.json'), '{"id": "../x"}')
  await expect(settle(place)).rejects.toThrow(/project\.json: expected the identity of the project/)
})
