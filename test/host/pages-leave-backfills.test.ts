import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { listSlots } from '../../src/ledger/nights/slots.ts'
import { ended, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { askForFeatures, runningBackfill } from './asked-features.ts'

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

const stateOf = async (label: string) =>
  (await listSlots(fresh.database.pool)).find(({ partition }) => partition === label)?.state

test('the pages plan no backfills while a scheduler lives, and do when none does', async () => {
  const { pool } = fresh.database
  await askForFeatures(fresh.database, '2026-01-01', await runningBackfill(fresh.database))
  await askForFeatures(fresh.database, '2026-01-02', null)
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
