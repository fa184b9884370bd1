import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { ensureSlot } from '../../../src/ledger/nights/ensure-slot.ts'
import { attemptsOf, findRun } from '../../../src/ledger/nights/run-records.ts'
import { createRun } from '../../../src/ledger/nights/run-transitions.ts'
import { shardsOf } from '../../../src/ledger/shards/split-records.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { execute } from '../../../src/workers/attempt/execution.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { divisibleProject, SQL, viewFile } from '../../projects/divisible.ts'
import { generatedProject, smallModel, writeParquet } from '../../projects/generated.ts'
import { type Life, openLife } from '../life.ts'
import { registered } from '../registered.ts'

const SCHEDULE = `schedule: nightly
cron: "0 2 * * *"
score: [value]
start: "2026-03-02"
`
const NIGHT = '2026-03-02'

let project: TemporaryProject
let life: Life
afterEach(async () => {
  await life.close()
  await project.remove()
})

/** Scores the night in four shards of 100 rows, and returns its run. */
async function score({ sql, max }: { sql: string; max: number }) {
  project = await generatedProject({ customers: 400, schedule: SCHEDULE, sql })
  await project.write(
    'models/value/model.yaml',
    `model: value
description: Whether a customer is worth a call
owner: crm@example.com
on_call: [oncall@example.com]
view: activity
inputs: [spend, orders]
score: { column: score, min: 0, max: ${max} }
scoring: { shards: 4, min_rows: 100 }
`,
  )
  life = await openLife(project.root, { from: '2026-03-02T01:50:00Z', worker: false })
  const { database } = life
  await registered(database, openProject(project.root), {
    model: 'value',
    view: 'activity',
    bytes: smallModel(),
  })
  await database.pool.query(`insert into nightshift.champions (model, version) values ('value', 1)`)
  await life.hire()
  await life.until('2026-03-02T02:05:00Z')
  const slot = await life.slot('scores', 'value', NIGHT)
  const run = await findRun(database.pool, slot?.run ?? '')
  if (slot === undefined || run === undefined) throw new Error('the night has no run')
  return {
    slot,
    run,
    attempts: await attemptsOf(database.pool, run.id),
    shards: await shardsOf(database.pool, run.id),
  }
}

test('a shard whose features do not fit the model fails its attempt at once, and leaves no parts', async () => {
  const { slot, run, attempts, shards } = await score({
    sql: `SELECT customer_id, CASE WHEN customer_id = 250 THEN 1e300 ELSE sum(amount) END AS spend, count(*)::FLOAT AS orders
FROM events GROUP BY customer_id
`,
    max: 1,
  })
  expect(slot.published_run).toBeNull()
  expect(run.failure).toMatchObject({
    class: 'contract',
    message: expect.stringContaining("a value of the features does not fit into the model's input"),
  })
  expect(attempts).toHaveLength(1)
  expect(shards.find(({ shard }) => shard === 3)?.state).not.toBe('done')
  expect(existsSync(join(project.root, 'warehouse/.attempts', `${run.id}-a1`))).toBe(false)
  const { rows } = await life.database.pool.query('select kind from nightshift.incidents')
  expect(rows).toEqual([{ kind: 'contract' }])
})

test('scores out of bounds in one shard hold the night as a whole, to be released as one file', async () => {
  const { slot, run, shards } = await score({
    sql: `SELECT customer_id, (CASE WHEN customer_id = 250 THEN 9 ELSE 1 END)::FLOAT AS spend, count(*)::FLOAT AS orders
FROM events GROUP BY customer_id
`,
    max: 0.9,
  })
  expect(slot.state).toBe('held')
  expect(run.failure).toMatchObject({ class: 'model' })
  expect(run.rows).toBe(400)
  const range = run.checks.find(({ id }) => id === 'score.range')
  expect(range).toMatchObject({ passed: false, samples: [{ customer_id: '250' }] })
  expect(shards.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done'])
  expect(existsSync(join(project.root, 'warehouse', run.path ?? ''))).toBe(true)
})

/** Computes the features of the night in four shards of two buckets, and returns its run. */
async function refresh(change: (root: string) => Promise<void>) {
  project = await divisibleProject({ customers: 400, shards: 4 })
  await project.write('schedules/nightly.yaml', SCHEDULE.replace('score: [value]', 'refresh: [activity]'))
  await change(project.root)
  life = await openLife(project.root, { from: '2026-03-02T01:50:00Z' })
  await life.until('2026-03-02T02:05:00Z')
  const slot = await life.slot('features', 'activity', NIGHT)
  const run = await findRun(life.database.pool, slot?.run ?? '')
  if (slot === undefined || run === undefined) throw new Error('the night has no run')
  return { slot, run, shards: await shardsOf(life.database.pool, run.id) }
}

test('an entity in two buckets holds its night, and says which', async () => {
  const { slot, run, shards } = await refresh((root) =>
    writeParquet(
      join(root, 'data/events/bucket=6/moved.parquet'),
      `SELECT 3::BIGINT AS customer_id, TIMESTAMP '2026-03-01 13:00:00' AS happened_at, 5.0::DOUBLE AS amount`,
    ),
  )
  expect(slot).toMatchObject({ state: 'held', published_run: null })
  expect(run.failure).toMatchObject({
    class: 'contract',
    message: expect.stringMatching(/^customer_id 3 lies in bucket 3 of events and in bucket 6 of events:/),
  })
  expect(shards.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done'])
  expect(existsSync(join(project.root, 'warehouse/.attempts', `${run.id}-a1`))).toBe(false)
  const { rows } = await life.database.pool.query('select kind from nightshift.incidents')
  expect(rows).toEqual([{ kind: 'contract' }])
})

test('SQL that mixes entities is held before the night is divided', async () => {
  const { slot, run, shards } = await refresh(() =>
    project.write(
      'features/activity/features.sql',
      'SELECT customer_id, sum(amount)::FLOAT AS spend, (count(*) / sum(count(*)) OVER ())::FLOAT AS orders FROM events GROUP BY customer_id\n',
    ),
  )
  expect(slot.state).toBe('held')
  expect(run.failure?.message).toMatch(
    /features.sql:1:\d+: per_entity .* window over rows of several entities/,
  )
  expect(shards).toEqual([])
})

test('a definition that is edited in the middle changes no shard; the next attempt reads what a changed source has become', async () => {
  project = await divisibleProject({ customers: 400, shards: 4 })
  life = await openLife(project.root, { from: '2026-03-02T01:50:00Z', worker: false })
  const { context, database } = life
  const id = await transaction(database, async (client) => {
    const slot = await ensureSlot(client, 'features', 'activity', parseAsOf(NIGHT, 'UTC'), { anew: true })
    const settings = { attempts: 3, backoff_ms: 0, timeout_ms: 60_000, wait_until: null }
    return createRun(client, slot, { trigger: 'manual', settings })
  })
  const perform = (data: object) =>
    execute(context, {
      data: { run: id, ...data },
      lane: 'nightly',
      divides: true,
      log: () => {},
      progress: () => {},
      flow: async () => {},
      signal: new AbortController().signal,
    })
  const shards = [1, 2, 3, 4]
  expect((await perform({ attempt: 1 })).sentence).toBe('split into 4 shards')
  await project.write(
    'features/activity/features.sql',
    'SELECT customer_id, 0::FLOAT AS spend, 0::FLOAT AS orders FROM events\n',
  )
  await project.write('features/activity/view.yaml', viewFile({ shards: 1 }))
  expect((await perform({ attempt: 1, shard: 1 })).sentence).toBe('computed 100 rows')
  // A file of another shard than the second, which would be the last to read it.
  const file = join(project.root, 'data/events/bucket=7/events.parquet')
  rmSync(file)
  await writeParquet(
    file,
    `SELECT 7::BIGINT AS customer_id, TIMESTAMP '2026-03-01 12:00:00' AS happened_at, 5.0::DOUBLE AS amount`,
  )
  const failed = await perform({ attempt: 1, shard: 2 })
  expect(failed).toMatchObject({ failed: true })
  const [first] = await attemptsOf(database.pool, id)
  expect(first).toMatchObject({ outcome: 'failed', failure: { class: 'transient' } })
  // Whoever had another shard in hand finds that the attempt is over.
  expect((await perform({ attempt: 1, shard: 3 })).sentence).toMatch(/is over/)

  await project.write('features/activity/features.sql', SQL)
  await project.write('features/activity/view.yaml', viewFile({ shards: 4 }))
  await perform({ attempt: 2 })
  await project.write('features/activity/features.sql', 'SELECT nothing\n')
  for (const shard of shards) await perform({ attempt: 2, shard })
  expect((await perform({ attempt: 2 })).sentence).toBe('published 351 rows')
})
