import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { askForScores } from '../../src/jobs/request-run.ts'
import { transaction } from '../../src/ledger/connection/database.ts'
import { ensureSlot } from '../../src/ledger/nights/ensure-slot.ts'
import { listSlots } from '../../src/ledger/nights/slots.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { ended, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'

let fresh: FreshDatabase
let project: TemporaryProject
beforeAll(async () => {
  fresh = await freshDatabase()
  project = await generatedProject()
})
afterAll(async () => {
  await project?.remove()
  await fresh?.drop()
})

/** Features that somebody asks for, or a backfill does. */
async function ask(label: string, backfill: number | null): Promise<void> {
  const settings = { attempts: 1, backoff_ms: 1000, timeout_ms: 60_000, wait_until: null }
  const trigger = backfill === null ? 'manual' : 'backfill'
  await transaction(fresh.database, async (client) => {
    const slot = await ensureSlot(client, 'features', 'activity', parseAsOf(label, 'UTC'), { anew: true })
    await askForScores(client, slot, { trigger, backfill, settings })
  })
}

const stateOf = async (label: string) =>
  (await listSlots(fresh.database.pool)).find(({ partition }) => partition === label)?.state

test('the pages plan no backfills while a scheduler lives, and do when none does', async () => {
  const { pool } = fresh.database
  const { rows } = await pool.query<{ id: number }>(
    `insert into nightshift.backfills (model, max_active, settings, forced) values ('value', 2, '{}', false) returning id`,
  )
  await ask('2026-01-01', rows[0]?.id ?? null)
  await ask('2026-01-02', null)
  // It lives for as long as the test may take.
  await pool.query(
    `insert into nightshift.processes (id, role, host, pid, seen_at) values ('s', 'scheduler', 'there', 1, now() + interval '1 hour')`,
  )
  const web = start(['web', '--port', '0'], { project: project.root, env: { DATABASE_URL: fresh.url } })
  const gone = ended(web)
  try {
    await vi.waitFor(async () => expect(await stateOf('2026-01-02')).toBe('queued'), { timeout: 60_000 })
    expect(await stateOf('2026-01-01')).toBe('expected')
    await pool.query("update nightshift.processes set seen_at = now() - interval '1 minute' where id = 's'")
    await vi.waitFor(async () => expect(await stateOf('2026-01-01')).toBe('queued'), { timeout: 60_000 })
  } finally {
    web.kill('SIGTERM')
  }
  const { code, stderr } = await gone
  expect(code, stderr).toBe(0)
})
