import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { transaction } from '../../src/ledger/connection/database.ts'
import { ensureSlot } from '../../src/ledger/nights/ensure-slot.ts'
import { findSlot } from '../../src/ledger/nights/slots.ts'
import { keptPath, partitionPath } from '../../src/pipeline/partition/partition-files.ts'
import { hashFile } from '../../src/pipeline/partition/sync.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { finishPublication } from '../../src/workers/attempt/publication.ts'
import { openGuard } from '../../src/workers/guard-published.ts'
import { type Repairer, repairPublished } from '../../src/workers/repair-published.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { nightly, projectOf } from '../jobs/nights.ts'
import { writeParquet } from '../projects/generated.ts'

let fresh: FreshDatabase
let place: Repairer
const warnings: string[] = []
beforeAll(async () => {
  fresh = await freshDatabase()
  const warehouse = await mkdtemp(join(tmpdir(), 'nightshift-repair-'))
  const project = projectOf([nightly()])
  place = {
    database: fresh.database,
    warehouse,
    project: () => project,
    log: { warn: (_facts: unknown, text?: string) => void warnings.push(String(text)) },
  }
})
afterAll(async () => {
  rmSync(place.warehouse, { recursive: true, force: true })
  await fresh.drop()
})

/** A file as an attempt leaves it, committed and moved into place. */
async function publish(date: string, run = `r${date.slice(-2)}`): Promise<{ file: string; id: number }> {
  const from = join(place.warehouse, '.attempts', `${run}-a1`, 'features.parquet')
  await writeParquet(from, `SELECT i AS id, '${run}' AS of FROM range(50) t(i)`)
  const { sha256 } = await hashFile(from)
  const slot = await transaction(fresh.database, async (client) => {
    const made = await ensureSlot(client, 'features', 'activity', parseAsOf(date, 'Europe/Berlin'))
    await client.query(
      `insert into nightshift.runs (id, slot, kind, name, as_of, partition, state, trigger, settings, attempt, sha256)
       values ($1, $2, 'features', 'activity', $3, $4, 'publishing', 'schedule', '{}', 1, $5)`,
      [run, made.id, made.as_of, date, sha256],
    )
    await client.query(`update nightshift.slots set state = 'publishing', run = $2 where id = $1`, [
      made.id,
      run,
    ])
    return made
  })
  await finishPublication({ ...place, onPublished: async () => {} }, run)
  return { file: partitionPath(place.warehouse, 'features', 'activity', date).file, id: slot.id }
}

const slotAt = (date: string) => findSlot(fresh.database.pool, 'features', 'activity', date)

test('a file that is removed is there again, from its second name, and the slot says so', async () => {
  const { file, id } = await publish('2026-03-01')
  const before = readFileSync(file)
  rmSync(join(file, '..'), { recursive: true })
  expect((await repairPublished(place, id)).state).toBe('restored')
  expect(readFileSync(file)).toEqual(before)
  expect(await slotAt('2026-03-01')).toMatchObject({
    state: 'published',
    reason: expect.stringContaining('is missing: published again from .published/r01.parquet'),
  })
  expect(await repairPublished(place, id)).toEqual({ state: 'right' })
})

test('a file of another run gives way to the right one, and is put aside', async () => {
  const { file, id } = await publish('2026-03-02')
  const other = await publish('2026-03-03')
  const right = readFileSync(file)
  rmSync(file)
  copyFileSync(other.file, file)
  const repaired = await repairPublished(place, id)
  expect(repaired.state).toBe('restored')
  expect(readFileSync(file)).toEqual(right)
  const aside =
    /the foreign file is now (\S+)$/.exec(repaired.state === 'right' ? '' : repaired.action)?.[1] ?? ''
  expect(readFileSync(join(place.warehouse, aside))).toEqual(readFileSync(other.file))
})

test('a file that is changed where it lies has no other copy: its slot is asked for again, and readers see nothing', async () => {
  const { file, id } = await publish('2026-03-04')
  appendFileSync(file, 'more')
  expect((await repairPublished(place, id)).state).toBe('reopened')
  expect([existsSync(file), existsSync(keptPath(place.warehouse, 'r04'))]).toEqual([false, false])
  expect(await slotAt('2026-03-04')).toMatchObject({
    state: 'expected',
    published_run: null,
    request: { trigger: 'repair', forced: true },
    reason: expect.stringContaining('computed again'),
  })
})

test('a change that leaves size and time as they were is found by whoever reads the file whole', async () => {
  const { file, id } = await publish('2026-03-05')
  const { atime, mtime, size } = statSync(file)
  // Once more with a time of whole milliseconds, which utimes can give back.
  utimesSync(file, atime, mtime)
  expect(await repairPublished(place, id)).toEqual({ state: 'right' })
  const bytes = readFileSync(file)
  bytes[10] = (bytes[10] ?? 0) ^ 255
  writeFileSync(file, bytes)
  utimesSync(file, atime, mtime)
  expect(statSync(file).size).toBe(size)
  expect((await repairPublished(place, id)).state).toBe('right')
  expect((await repairPublished(place, id, { fully: true })).state).not.toBe('right')
})

test('a folder in the place of a file is put aside', async () => {
  const { file, id } = await publish('2026-03-06')
  rmSync(file)
  mkdirSync(file)
  expect((await repairPublished(place, id)).state).toBe('restored')
  expect(statSync(file).isFile()).toBe(true)
})

test('a file that was touched alone is right, and is not read again', async () => {
  const { file, id } = await publish('2026-03-07')
  utimesSync(file, new Date(0), new Date(0))
  expect(await repairPublished(place, id)).toEqual({ state: 'right' })
  expect((await slotAt('2026-03-07'))?.reason).toBeNull()
})

test('the guard finds in its rounds what is wrong anywhere, and computes two nights again at a time', async () => {
  const dates = ['2026-03-11', '2026-03-12', '2026-03-13', '2026-03-14']
  const made = []
  for (const date of dates) made.push(await publish(date))
  await fresh.database.pool.query(
    `update nightshift.slots set request = null, state = 'skipped' where request is not null`,
  )
  for (const { file } of made) appendFileSync(file, 'more')
  await openGuard(place)()
  const states = await Promise.all(dates.map(async (date) => (await slotAt(date))?.state))
  expect(states.toSorted()).toEqual(['expected', 'expected', 'published', 'published'])
  // No reader sees a foreign file, whether its night is asked for again or has to wait.
  expect(made.map(({ file }) => existsSync(file))).toEqual([false, false, false, false])
})

test('a warehouse that is not there reopens nothing', async () => {
  const { id } = await publish('2026-03-20')
  await expect(repairPublished({ ...place, warehouse: join(place.warehouse, 'gone') }, id)).rejects.toThrow(
    /gone is empty or missing: is it mounted/,
  )
  expect(await slotAt('2026-03-20')).toMatchObject({ state: 'published', published_run: 'r20' })
})
