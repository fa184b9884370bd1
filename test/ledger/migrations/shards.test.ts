import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { migrate } from '../../../src/ledger/migrations/migrate.ts'
import { claimShard } from '../../../src/ledger/shards/claim-shard.ts'
import { findSplit, shardsOf } from '../../../src/ledger/shards/split-records.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'

const FOLDER = join(import.meta.dirname, '../../../src/ledger/migrations')
const ALL = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.sql'))
  .sort()
  .map((name) => {
    const sql = readFileSync(join(FOLDER, name), 'utf8')
    return { name, sql, sha256: createHash('sha256').update(sql).digest('hex') }
  })

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
  await fresh.database.pool.query('drop schema nightshift cascade')
})
afterAll(() => fresh.drop())

const until = (name: string) =>
  migrate(
    fresh.database,
    ALL.filter((each) => each.name < name),
  )

test('workers, attempts and shards of earlier schemas go on: through 032, 033 and 041', async () => {
  const { pool } = fresh.database
  await until('032_workers.sql')
  await pool.query(
    `insert into nightshift.processes (id, host, pid, role, places) values ('w', 'h', 1, 'worker', 2)`,
  )
  await pool.query(
    `insert into nightshift.slots (kind, name, partition, as_of) values ('scores', 'churn', '2026-03-01', '2026-03-01')`,
  )
  await pool.query(
    `insert into nightshift.runs (id, slot, kind, name, partition, as_of, trigger, state, attempt, settings)
     select 'R', id, kind, name, partition, as_of, 'manual', 'running', 1, '{"timeout_ms": 60000}' from nightshift.slots`,
  )
  await pool.query(`insert into nightshift.attempts (run, number, fence, worker) values ('R', 1, 1, 'w')`)

  await until('033_shards.sql')
  const { rows: processes } = await pool.query('select id, version, memory, takes from nightshift.processes')
  expect(processes).toEqual([{ id: 'w', version: null, memory: null, takes: null }])

  await until('041_feature_shards.sql')
  // An attempt that a worker of that time has split, with one shard in hand.
  await pool.query(
    `insert into nightshift.splits (run, attempt, shards, rows, features, features_sha, request) values ('R', 1, 2, 10, 'F', 'abc', '{"model": "m"}')`,
  )
  await pool.query(
    `insert into nightshift.shards (run, attempt, shard, first_row, rows, state, tries) values ('R', 1, 1, 0, 6, 'waiting', 0), ('R', 1, 2, 6, 4, 'done', 1)`,
  )

  await migrate(fresh.database, ALL)
  expect(await findSplit(pool, 'R', 1)).toMatchObject({ kind: 'scores', rows: 10, features: 'F', shards: 2 })
  expect(
    (await shardsOf(pool, 'R')).map(({ first_row, rows, buckets, state }) => ({
      first_row,
      rows,
      buckets,
      state,
    })),
  ).toEqual([
    { first_row: 0, rows: 6, buckets: null, state: 'waiting' },
    { first_row: 6, rows: 4, buckets: null, state: 'done' },
  ])
  const claim = await transaction(fresh.database, (client) =>
    claimShard(client, { run: 'R', attempt: 1, shard: 1 }, 'w2'),
  )
  expect(claim).toMatchObject({ kind: 'started', split: { kind: 'scores' }, shard: { tries: 1 } })
  await expect(pool.query(`update nightshift.splits set kind = 'lists'`)).rejects.toThrow(/splits_kind_check/)
  // 037: an attempt that is pruned takes its shards along.
  await pool.query(`delete from nightshift.attempts where run = 'R'`)
  expect(await shardsOf(pool, 'R')).toEqual([])
})
