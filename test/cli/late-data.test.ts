import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Temporal } from 'temporal-polyfill'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, writeDay } from '../projects/generated.ts'
import { ended, nightshiftJson, start } from './nightshift.ts'

const today = Temporal.Now.plainDateISO('UTC')
const TONIGHT = today.toString()
const YESTERDAY = today.subtract({ days: 1 }).toString()

/** A night that was due at midnight, over data that ends months ago. */
function lateProject(wait: string): Promise<TemporaryProject> {
  return generatedProject({
    view: 'expect: { fresh: { events: 26h } }\n',
    schedule: `schedule: nightly
cron: "0 0 * * *"
refresh: [activity]
start: "${TONIGHT}"
retry: { attempts: 2, backoff: 1s, wait_for_data: ${wait} }
`,
  })
}

let database: FreshDatabase
let project: TemporaryProject
beforeEach(async () => {
  database = await freshDatabase()
})
afterEach(async () => {
  await project.remove()
  await database.drop()
})

/** Asks the ledger, not the program: on a busy machine each look by a command takes seconds. */
async function untilTonight(state: string): Promise<void> {
  for (const begun = Date.now(); Date.now() - begun < 60_000; await sleep(100)) {
    const { rows } = await database.database.pool.query<{ state: string }>(
      'select state from nightshift.slots where partition = $1',
      [TONIGHT],
    )
    if (rows[0]?.state === state) return
  }
  throw new Error(`tonight was never ${state}`)
}

test('a night waits for its data, holds no worker, and publishes when the data is there', async () => {
  project = await lateProject('24h')
  const at = { project: project.root, env: { DATABASE_URL: database.url } }
  const slotIn = async (state: string) => {
    await untilTonight(state)
    const { json } = await nightshiftJson(['status'], at)
    return json.find((slot: { as_of: string }) => slot.as_of === TONIGHT)
  }
  const up = start(['up', '--port', '0'], at)
  const over = ended(up)
  const waiting = await slotIn('waiting')
  expect(waiting.state).toBe('waiting')
  expect(waiting.waits_for).toContain('source events is late: its newest row is of 2026-03-01T12:00:00Z')
  expect(Date.parse(waiting.wait_until)).toBeGreaterThan(Date.now())
  await writeDay(project.root, YESTERDAY)
  // It looks again after a minute. That it will is what is looked at here; the minute itself is made to pass.
  const { rows } = await database.database.pool.query<{ id: string; seconds: number }>(
    `select id, extract(epoch from next_attempt_at - now())::float as seconds from nightshift.runs where state = 'waiting'`,
  )
  expect(rows).toHaveLength(1)
  expect(rows[0]?.seconds).toBeGreaterThan(20)
  expect(rows[0]?.seconds).toBeLessThanOrEqual(60)
  await database.database.pool.query('update nightshift.runs set next_attempt_at = now() where id = $1', [
    rows[0]?.id,
  ])
  const published = await slotIn('published')
  expect(published).toMatchObject({ rows: 100, waits_for: null, late: false })
  const { json } = await nightshiftJson(['show', published.run], at)
  expect(json).toMatchObject({ attempts: 1, tries: [{ outcome: 'waiting' }, { outcome: 'published' }] })
  up.kill('SIGTERM')
  await over
  expect(readdirSync(project.root)).toContain('warehouse')
}, 150_000)

test('where the window is over, the night fails as late-data and somebody is told', async () => {
  project = await lateProject('0s')
  const at = { project: project.root, env: { DATABASE_URL: database.url } }
  const { code, json } = await nightshiftJson(['refresh', 'activity', '--as-of', TONIGHT], at)
  expect({ code, ...json }).toMatchObject({
    code: 1,
    state: 'failed',
    failure: { class: 'late-data' },
    attempts: 1,
  })
  const mails = readdirSync(join(project.root, '.nightshift/outbox')).filter((name) => name.endsWith('.eml'))
  expect(mails).toHaveLength(1)

  await writeDay(project.root, YESTERDAY)
  const retried = await nightshiftJson(['retry', json.run], at)
  expect({ code: retried.code, ...retried.json }).toMatchObject({ code: 0, state: 'published', rows: 100 })
  const after = readdirSync(join(project.root, '.nightshift/outbox')).filter((name) => name.endsWith('.eml'))
  expect(after).toHaveLength(2)
})
