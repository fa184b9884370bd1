import { afterAll, beforeAll, expect, test } from 'vitest'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { ensureSlot } from '../../../src/ledger/nights/ensure-slot.ts'
import { findRun } from '../../../src/ledger/nights/run-records.ts'
import { createRun } from '../../../src/ledger/nights/run-transitions.ts'
import { findSlot, type Slot } from '../../../src/ledger/nights/slots.ts'
import { readRunId } from '../../../src/pipeline/partition/footer.ts'
import { nightshift, nightshiftJson } from '../../cli/nightshift.ts'
import { promoting } from '../../promoting.ts'
import { openSite, type Site, usersOf } from '../site.ts'

let site: Site
let cookie: string
let csrf: string
beforeAll(async () => {
  site = await openSite({ users: usersOf({ ann: 'operator' }) })
  cookie = await site.signIn('ann')
  csrf = await site.csrf('ann')
})
afterAll(() => site.close())

const press = (path: string, form: Record<string, string> = {}) =>
  site.ask(path, { cookie, form: { csrf, ...form } })

/** A slot of the view whose run failed. */
async function failed(partition: string): Promise<{ slot: Slot; run: string }> {
  return transaction(site.database, async (client) => {
    const slot = await ensureSlot(client, 'features', 'activity', {
      instant: `${partition}T00:00:00.000Z`,
      label: partition,
    })
    const settings = { attempts: 3, backoff_ms: 1000, timeout_ms: 60_000, wait_until: null }
    const run = await createRun(client, slot, {
      trigger: 'schedule',
      forced: false,
      version: null,
      backfill: null,
      settings,
      by: null,
    })
    await client.query(`update nightshift.runs set state = 'failed' where id = $1`, [run])
    await client.query(`update nightshift.slots set state = 'failed' where id = $1`, [slot.id])
    return { slot, run }
  })
}

test('retry starts a new run in the name of who signed in, and leads to it', async () => {
  const { run } = await failed('2026-03-05')
  const answer = await press(`/runs/${run}/retry`)
  expect(answer.status).toBe(303)
  const [, next = ''] = /^\/runs\/(\w+)\?done=retry$/.exec(answer.headers.get('location') ?? '') ?? []
  expect(next).not.toBe(run)
  expect(await findRun(site.database.pool, next)).toMatchObject({ trigger: 'retry', requested_by: 'ann' })
  const page = await (await site.ask(`/runs/${next}?done=retry`, { cookie })).text()
  expect(page).toContain(next)
  const again = await press(`/runs/${run}/retry`)
  expect(again.status).toBe(409)
  expect(await again.text()).toContain(
    `run ${run} cannot be retried: run ${next} of activity 2026-03-05 is queued`,
  )
})

test('skip gives the slot up with its reason and who it was', async () => {
  const { slot, run } = await failed('2026-03-06')
  const answer = await press('/slots/activity/2026-03-06/skip', { reason: 'a holiday' })
  expect([answer.status, answer.headers.get('location')]).toEqual([303, `/runs/${run}?done=skip`])
  expect(await findSlot(site.database.pool, 'features', 'activity', slot.partition)).toMatchObject({
    state: 'skipped',
    reason: 'a holiday (ann)',
  })
})

test.each([
  ['no reason', '/slots/features/activity/2026-03-07/skip', {}, 409, 'reason: expected a sentence'],
  [
    'no such slot',
    '/slots/activity/2001-01-01/skip',
    { reason: 'why' },
    404,
    'There is no slot activity:2001-01-01',
  ],
  ['no such date', '/slots/activity/yesterday/skip', { reason: 'why' }, 409, 'yesterday'],
  [
    'no such kind',
    '/slots/labels/activity/2026-03-07/skip',
    { reason: 'why' },
    404,
    'There is no kind labels',
  ],
  ['no such run', '/runs/nothing1/release', { reason: 'why' }, 404, 'There is no run nothing1'],
  ['no such incident', '/incidents/77/ack', {}, 409, 'expected an open incident, got: 77'],
])('%s is said as a page', async (_, path, form, status, words) => {
  await failed('2026-03-07').catch(() => undefined)
  const answer = await press(path, form)
  expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(words)])
})

test('ack takes an incident in the name of who signed in', async () => {
  const { rows } = await site.database.pool.query<{ id: string }>(
    `insert into nightshift.incidents (subject_kind, subject, kind, detail)
     values ('view', 'elsewhere', 'contract', '{"facts": {}, "nights": []}') returning id`,
  )
  const id = rows[0]?.id ?? ''
  const answer = await press(`/incidents/${id}/ack`)
  expect([answer.status, answer.headers.get('location')]).toEqual([303, `/incidents/${id}?done=ack`])
  const now = await site.database.pool.query('select acked_by from nightshift.incidents where id = $1', [id])
  expect(now.rows).toEqual([{ acked_by: 'ann' }])
})

test('release publishes what a held run computed; readers have it, on record', async () => {
  const at = { project: site.project.root, env: { DATABASE_URL: site.database.url } }
  await site.project.write(
    'features/activity/view.yaml',
    `view: activity
entity: customer_id
owner: data@example.com
sources:
  events: { path: data/events/**/*.parquet, kind: events, event_time: happened_at }
expect: { rows: { min: 1000 } }
`,
  )
  const { json } = await nightshiftJson(['refresh', 'activity', '--as-of', '2026-03-02'], at)
  expect(json.state).toBe('held')
  const answer = await press(`/runs/${json.run}/release`, { reason: 'a small day' })
  expect([answer.status, answer.headers.get('location')]).toEqual([303, `/runs/${json.run}?done=release`])
  const run = await findRun(site.database.pool, json.run)
  expect(run).toMatchObject({
    state: 'published',
    trigger: 'release',
    reason: 'a small day',
    requested_by: 'ann',
  })
  expect(
    await readRunId(`${site.project.root}/warehouse/features/activity/as_of=2026-03-02/features.parquet`),
  ).toBe(json.run)
  // Of the night that is scored from it too, where expectations that are not met stand beside `published`.
  for (const args of [['register', 'value', `${site.project.root}/model.onnx`], promoting('value', 1)])
    expect((await nightshift(args, at)).code).toBe(0)
  const scored = await nightshiftJson(['run', 'value', '--as-of', '2026-03-02'], at)
  expect(scored.json).toMatchObject({ state: 'published' })
  for (const night of ['activity', 'value']) {
    const page = await (await site.ask(`/nights/${night}/2026-03-02`, { cookie })).text()
    expect(page).toMatch(
      /\d met, 1 failed[\s\S]{1,200}<p>The features of activity were released by ann: a small day</,
    )
  }
  const again = await press(`/runs/${json.run}/release`, { reason: 'once more' })
  expect([again.status, await again.text()]).toEqual([
    409,
    expect.stringContaining('release: expected a run that is held'),
  ])
})
