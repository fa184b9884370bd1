import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type * as Connection from '../../src/ledger/connection/database.ts'
import type * as Attempts from '../../src/ledger/nights/attempt-records.ts'
import type * as Slots from '../../src/ledger/nights/ensure-slot.ts'
import type * as Runs from '../../src/ledger/nights/run-records.ts'
import type * as Transitions from '../../src/ledger/nights/run-transitions.ts'
import type * as Partitions from '../../src/pipeline/partition/partition-files.ts'
import type * as Sync from '../../src/pipeline/partition/sync.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import type * as Publication from '../../src/workers/attempt/publication.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { built } from './built.ts'
import { record } from './record.ts'

const ROUNDS =
  process.env.NIGHTSHIFT_FAULTS === 'full' ? Number(process.env.NIGHTSHIFT_FAULTS_TRIES ?? 500) : 5
const ATTEMPTS = 8
const ROWS = 1_000
const AS_OF = parseAsOf('2026-03-02', 'UTC')

let database: FreshDatabase
let warehouse: string
let instance: DuckDBInstance

beforeAll(async () => {
  database = await freshDatabase()
  warehouse = mkdtempSync(join(tmpdir(), 'nightshift-test-'))
  instance = await DuckDBInstance.create(':memory:', { threads: '1' })
})
afterAll(async () => {
  instance?.closeSync()
  rmSync(warehouse, { recursive: true, force: true })
  await database?.drop()
})

interface Read {
  whole: number
  torn: number
}

test('of eight attempts that publish one partition at once, one does, and a reader sees whole partitions alone', async () => {
  const { publish, partitionOf } = await built<typeof Publication>('workers/attempt/publication.ts')
  const { transaction } = await built<typeof Connection>('ledger/connection/database.ts')
  const { claimAttempt } = await built<typeof Attempts>('ledger/nights/attempt-records.ts')
  const { findRun, attemptId } = await built<typeof Runs>('ledger/nights/run-records.ts')
  const { createRun } = await built<typeof Transitions>('ledger/nights/run-transitions.ts')
  const { ensureSlot } = await built<typeof Slots>('ledger/nights/ensure-slot.ts')
  const { attemptFolder } = await built<typeof Partitions>('pipeline/partition/partition-files.ts')
  const { hashFile } = await built<typeof Sync>('pipeline/partition/sync.ts')
  const connection = await instance.connect()
  const { pool } = database.database
  const place = { database: database.database, warehouse, onPublished: async () => {} }
  const slot = { kind: 'features' as const, name: 'activity', partition: AS_OF.label }
  const { file: path } = partitionOf(warehouse, slot)

  const write = async (run: string, number: number) => {
    const folder = attemptFolder(warehouse, attemptId(run, number))
    mkdirSync(folder, { recursive: true })
    const file = join(folder, 'features.parquet')
    await connection.run(
      `COPY (SELECT i AS customer_id, '${run}-${number}' AS writer FROM range(${ROWS}) t(i))
         TO '${file}' (FORMAT parquet, KV_METADATA { run: '${run}' })`,
    )
    return { path: file, rows: ROWS, columns: [], metadata: { run }, ...(await hashFile(file)) }
  }
  const reading = { on: true }
  const read = readAlways(path, reading)

  for (let round = 0; round < ROUNDS; round++) {
    const begun = performance.now()
    const run = await transaction(database.database, async (client) =>
      createRun(client, await ensureSlot(client, slot.kind, slot.name, AS_OF, { anew: true }), {
        trigger: 'manual',
        settings: { attempts: 20, backoff_ms: 0, timeout_ms: 60_000, wait_until: null },
      }),
    )
    const attempts: { number: number; fence: number }[] = []
    for (let number = 1; number <= ATTEMPTS; number++) {
      // Each is taken for lost, and goes on all the same.
      await pool.query(
        `with r as (update nightshift.runs set state = 'queued' where id = $1 returning slot)
         update nightshift.slots set state = 'queued' where id = (select slot from r)`,
        [run],
      )
      const claim = await transaction(database.database, (client) =>
        claimAttempt(client, run, number, { worker: `w${number}` }),
      )
      if (claim.kind !== 'started') throw new Error(`attempt ${number} did not start: ${claim.kind}`)
      attempts.push({ number, fence: claim.fence })
    }
    const claimed = await findRun(pool, run)
    if (claimed === undefined) throw new Error('the run is gone')
    const files = await Promise.all(attempts.map(({ number }) => write(run, number)))
    const ends = await Promise.allSettled(
      attempts.map(({ number, fence }, index) =>
        publish(place, claimed, { number, fence, steps: [] }, resultOf(files[index])),
      ),
    )
    expect(ends.flatMap(({ status }, index) => (status === 'fulfilled' ? [index + 1] : []))).toEqual([
      ATTEMPTS,
    ])
    const { rows } = await pool.query(
      'select count(*)::int as standings from nightshift.standings where run = $1',
      [run],
    )
    expect(rows).toEqual([{ standings: 1 }])
    expect(await writersOf(path)).toEqual([`${run}-${ATTEMPTS}`])
    record({
      fault: 'eight attempts publish one partition at once, beside a reader that never stops',
      promise: 'one of them does, the last that was claimed; readers see whole partitions alone',
      happened: 'one did, none was torn',
      seconds: (performance.now() - begun) / 1000,
    })
  }
  reading.on = false
  const { whole, torn } = await read
  expect(torn).toBe(0)
  expect(whole).toBeGreaterThan(ROUNDS)
  connection.closeSync()
}, 1_200_000)

function resultOf(file: Publication.Result['file'] | undefined): Publication.Result {
  if (file === undefined) throw new Error('no file was written')
  return {
    file,
    viewHash: null,
    content: null,
    identity: undefined,
    sources: {},
    checks: [],
    inputs: [],
    warnings: [],
    summary: null,
    unknown: [],
  }
}

async function readAlways(path: string, reading: { on: boolean }): Promise<Read> {
  const seen: Read = { whole: 0, torn: 0 }
  while (reading.on) {
    await turn()
    const writers = await writersOf(path).catch((error: unknown) =>
      error instanceof Error && 'code' in error && error.code === 'ENOENT' ? undefined : ['torn', 'torn'],
    )
    if (writers === undefined) continue
    if (writers.length === 1) seen.whole++
    else seen.torn++
  }
  return seen
}

/** Who wrote the rows of a partition; more or fewer than all rows are nobody's. */
async function writersOf(path: string): Promise<string[]> {
  const bytes = readFileSync(path)
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  const rows = await parquetReadObjects({ file, columns: ['writer'] })
  const writers = new Set(rows.map(({ writer }) => String(writer)))
  return rows.length === ROWS ? [...writers] : []
}
