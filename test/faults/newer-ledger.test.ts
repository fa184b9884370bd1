import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { requestFeatures } from '../../src/jobs/request-run.ts'
import { workerAlive } from '../../src/ledger/nights/alive.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { freePort } from '../alerts/mail-server.ts'
import { ended, nightshift, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { record, secondsUntil } from './record.ts'

let database: FreshDatabase
let project: TemporaryProject
let up: ReturnType<typeof start> | undefined
let later: ReturnType<typeof start> | undefined

beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject({ customers: 10 })
})
afterAll(async () => {
  up?.kill('SIGKILL')
  later?.kill('SIGKILL')
  await project.remove()
  await database.drop()
})

test('a process whose ledger another build has migrated takes no more work, says why, and loses nothing', async () => {
  const { pool } = database.database
  const at = { project: project.root, env: { DATABASE_URL: database.url } }
  const port = await freePort()
  up = start(['up', '--port', String(port), '--host', '127.0.0.1'], at)
  const output = ended(up)
  await secondsUntil(() => workerAlive(database.database), { within: 60 })
  await secondsUntil(async () => (await readyz(port)).status !== undefined, { within: 30 })

  await pool.query(`insert into nightshift.migrations (name, sha256) values ('999_tomorrow.sql', 'x')`)
  // Asked for at once: it must not slip through before the process has looked.
  const { run } = await requestFeatures(database.database, 'activity', parseAsOf('2026-03-02', 'UTC'), {
    trigger: 'manual',
    settings: { attempts: 3, backoff_ms: 1000, timeout_ms: 60_000, wait_until: null },
  })
  const seconds = await secondsUntil(async () => !(await workerAlive(database.database)), { within: 40 })
  const { status, text } = await readyz(port)
  expect(status).toBe(503)
  expect(text).toContain('the ledger is newer than this build')
  await sleep(5_000)
  const { rows } = await pool.query('select state, attempt from nightshift.runs where id = $1', [run])
  expect(rows).toEqual([{ state: 'queued', attempt: 0 }])

  const command = await nightshift(['refresh', 'activity', '--as-of', '2026-03-02'], at)
  expect(command.code).toBe(2)
  expect(command.stderr).toContain('999_tomorrow.sql')

  up.kill('SIGTERM')
  const { stdout, stderr, code } = await output
  expect(code).toBe(0)
  expect(stdout + stderr).toMatch(
    /the ledger is newer than this build: it has 999_tomorrow\.sql, and the newest that this build knows is \d+_\w+\.sql; upgrade and start again/,
  )

  // The upgrade: here the build that knows the ledger is the same again.
  await pool.query(`delete from nightshift.migrations where name = '999_tomorrow.sql'`)
  later = start(['up', '--port', String(await freePort()), '--host', '127.0.0.1'], at)
  void ended(later)
  await secondsUntil(
    async () =>
      (await pool.query(`select from nightshift.runs where id = $1 and state = 'published'`, [run])).rows
        .length === 1,
    { within: 60 },
  )
  record({
    fault: 'another build migrates the ledger under a process that runs',
    promise: 'it takes no more work, says why, and is not ready; nothing is lost',
    happened: 'no work was taken; published after the upgrade',
    seconds,
  })
})

async function readyz(port: number): Promise<{ status: number | undefined; text: string }> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`)
    return { status: answer.status, text: await answer.text() }
  } catch {
    return { status: undefined, text: '' }
  }
}
