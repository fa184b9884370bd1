import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { transaction } from '../../src/ledger/connection/database.ts'
import { ensureSlot } from '../../src/ledger/nights/ensure-slot.ts'
import { sweepLeftovers } from '../../src/workers/sweep.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'

let database: FreshDatabase
let folder: string
beforeEach(async () => {
  database = await freshDatabase()
  folder = mkdtempSync(join(tmpdir(), 'nightshift-test-'))
})
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true })
  await database.drop()
})

const MINUTE = 60_000
const now = Date.now()

/** A folder with a file in it, both untouched for so many minutes. */
function leave(path: string, minutes: number): string {
  const at = join(folder, path)
  mkdirSync(join(at, 'tmp'), { recursive: true })
  writeFileSync(join(at, 'tmp/spill'), 'x')
  for (const each of ['tmp/spill', 'tmp', '.']) {
    utimesSync(join(at, each), 0, (now - minutes * MINUTE) / 1000)
  }
  return at
}

async function run(id: string, state: string, attempt: number): Promise<void> {
  await transaction(database.database, async (client) => {
    const label = '2026-03-02'
    const slot = await ensureSlot(client, 'scores', id, { instant: '2026-03-02T00:00:00Z', label })
    await client.query(
      `insert into nightshift.runs (id, slot, kind, name, as_of, partition, state, trigger, settings, attempt)
       values ($1, $2, 'scores', $1, '2026-03-02T00:00:00Z', $3, $4, 'manual', '{}', $5)`,
      [id, slot.id, label, state, attempt],
    )
    await client.query('update nightshift.slots set run = $1 where id = $2', [id, slot.id])
  })
}

test('what dead workers leave is gone within an hour, of whatever kind; what is at work or may be released stays', async () => {
  await run('held', 'held', 1)
  await run('again', 'running', 2)
  // Another run has followed it: it can no longer be released.
  await run('followed', 'held', 1)
  await database.database.pool.query(`update nightshift.slots set run = 'again' where name = 'followed'`)
  const gone = [
    '.attempts/ended-a1',
    '.attempts/again-a1',
    '.attempts/followed-a1',
    '.attempts/monitor-01',
    '.attempts/shadow-01',
    '.attempts/outcome-01',
    'datasets/value/.building-abc123',
    'tmp/nightshift-parity-abc123',
    'tmp/nightshift-trial-abc123',
  ].map((path) => leave(path, 50))
  const kept = [
    leave('.attempts/held-a1', 500),
    leave('.attempts/again-a2', 500),
    leave('.attempts/monitor-02', 5),
    leave('datasets/value/20260302', 500),
    leave('datasets/value/.building-def456', 5),
    leave('tmp/nightshift-parity-def456', 5),
    leave('tmp/somebody-elses', 500),
    leave('tmp/nightshift-test-abc123', 500),
  ]
  const project = () => {
    throw new Error('a folder needs no project')
  }
  const context = { database: database.database, warehouse: folder, log: pino({ level: 'silent' }), project }
  await sweepLeftovers(context, { now, temporary: join(folder, 'tmp') })
  expect(gone.filter(existsSync)).toEqual([])
  expect(kept.filter((path) => !existsSync(path))).toEqual([])
})
