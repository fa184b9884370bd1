import type { PoolClient } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { transaction } from '../../src/ledger/connection/database.ts'
import type { Column, SourceTypes } from '../../src/pipeline/engine/facts.ts'
import { keepPromise, recordUse } from '../../src/registry/view-promises.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'

const COLUMNS: Column[] = [{ name: 'spend', type: 'DOUBLE' }]
const SOURCES: SourceTypes = { events: [{ name: 'month', type: 'BIGINT', isKey: true, from: 'data/events' }] }

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
})
afterAll(() => fresh.drop())

/** What `publish` says about a night's definition, in its transaction. */
async function promise(client: PoolClient, partition: string, columns = COLUMNS, sources = SOURCES) {
  // A statement that has to wait for another transaction fails.
  await client.query(`set local lock_timeout = '1s'`)
  await recordUse(client, { view: 'activity', viewHash: 'v1', sources })
  const run = { id: `run of ${partition}`, name: 'activity', partition }
  await keepPromise(client, { run, viewHash: 'v1', columns, sources })
}

const night = (partition: string, columns?: Column[], sources?: SourceTypes) =>
  transaction(fresh.database, (client) => promise(client, partition, columns, sources))

test('a night whose transaction stays open holds up no other night of its view', async () => {
  await night('2026-03-01')
  const [first, second] = [await fresh.database.pool.connect(), await fresh.database.pool.connect()]
  try {
    for (const client of [first, second]) await client.query('begin')
    await promise(first, '2026-03-02')
    await promise(second, '2026-03-03')
    await night('2026-03-04')
  } finally {
    for (const client of [first, second]) {
      await client.query('rollback')
      client.release()
    }
  }
  const { rows } = await fresh.database.pool.query(
    'select columns, keys, partition from nightshift.view_promises',
  )
  expect(rows).toEqual([{ columns: COLUMNS, keys: { events: { month: 'BIGINT' } }, partition: '2026-03-01' }])
})

test('a promise that is read without a lock is kept as strictly', async () => {
  await expect(night('2026-03-05', [{ name: 'spend', type: 'FLOAT' }])).rejects.toThrow(
    'column spend is FLOAT, and was DOUBLE',
  )
  const texts: SourceTypes = {
    events: [{ name: 'month', type: 'VARCHAR', isKey: true, from: 'data/events' }],
  }
  await expect(night('2026-03-05', COLUMNS, texts)).rejects.toThrow(
    'the key month of source events was read as BIGINT by another run',
  )
})

test('of two first nights that promise different columns, the one that ends later is refused', async () => {
  await fresh.database.pool.query('delete from nightshift.view_promises')
  const first = await fresh.database.pool.connect()
  try {
    await first.query('begin')
    await promise(first, '2026-03-01')
    // No promise is there yet: this one is made after that of the first.
    await expect(night('2026-03-02', [{ name: 'spend', type: 'FLOAT' }])).rejects.toThrow('lock timeout')
    await first.query('commit')
  } finally {
    first.release()
  }
  await expect(night('2026-03-02', [{ name: 'spend', type: 'FLOAT' }])).rejects.toThrow(
    'column spend is FLOAT, and was DOUBLE',
  )
})
