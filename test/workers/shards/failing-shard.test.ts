import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { attemptsOf, findRun } from '../../../src/ledger/nights/run-records.ts'
import { shardsOf } from '../../../src/ledger/shards/split-records.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject, smallModel } from '../../projects/generated.ts'
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
