import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stopShadow } from '../../src/actions/shadow-version.ts'
import { shadowStanding } from '../../src/monitoring/shadow/shadow-standing.ts'
import { encodeModel } from '../../src/pipeline/onnx/proto.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import { modelNamed } from '../../src/project/named.ts'
import { challengesOf, startChallenge } from '../../src/registry/challengers.ts'
import { promote } from '../../src/registry/champion.ts'
import { historyOf } from '../../src/registry/history-records.ts'
import { readRows } from '../pipeline/feature-case.ts'
import { endless } from '../pipeline/onnx/endless-model.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, SQL, smallModel, writeDay, writeParquet } from '../projects/generated.ts'
import { type Life, openLife } from './life.ts'
import { registered } from './registered.ts'

const SCHEDULE = `schedule: nightly
cron: "0 2 * * *"
score: [value, fresh]
deadline: "06:00"
`
const model = (name: string, view: string, shadow: string) => `model: ${name}
description: Whether a customer is worth a call
owner: crm@example.com
on_call: [oncall@example.com]
view: ${view}
score: { column: score, min: 0, max: 1, threshold: 0.5 }
labels: { sql: labels.sql, horizon: 1d }
shadow: ${shadow}
`
const LABELS = 'SELECT customer_id, (customer_id % 2)::INTEGER AS label FROM events GROUP BY customer_id\n'
const VALUE = '{ min_nights: 2, require: { min_rank_correlation: 0.9, max_flips: 0 } }'
const FRESH = '{ min_nights: 2, current: { path: "data/old/**/*.parquet", entity: cust, score: risk } }'
const CUSTOMERS = 700

let project: TemporaryProject
let life: Life

beforeAll(async () => {
  project = await generatedProject({ customers: CUSTOMERS, schedule: SCHEDULE })
  await project.write(
    'nightshift.yaml',
    'project: generated\ntimezone: UTC\nwarehouse: warehouse\ntimeouts: { monitors: 20s }\n',
  )
  await project.write('models/value/model.yaml', model('value', 'activity', VALUE))
  await project.write('models/value/labels.sql', LABELS)
  await project.write('models/fresh/model.yaml', model('fresh', 'activity', FRESH))
  await project.write('models/fresh/labels.sql', LABELS)
  await project.write('models/fresh/RUNBOOK.md', '# Fresh\n')
  for (let day = 2; day <= 7; day++) await writeDay(project.root, `2026-03-0${day}`, CUSTOMERS)
  for (const night of ['2026-03-03', '2026-03-04'])
    await writeParquet(
      join(project.root, `data/old/as_of=${night}/scores.parquet`),
      `SELECT i AS cust, (i % 7) * 100 AS risk FROM range(${CUSTOMERS}) t(i)`,
    )
  life = await openLife(project.root, { from: '2026-03-03T01:00:00Z' })
  // Version 3 has features of its own; version 4 never comes to an end.
  await project.write(
    'features/activity_v2/features.sql',
    SQL.replace('count(*)', '(count(*) + customer_id % 5)'),
  )
  await project.write(
    'features/activity_v2/view.yaml',
    'view: activity_v2\nentity: customer_id\nowner: data@example.com\nsources:\n  events: { path: data/events/**/*.parquet, kind: events, event_time: happened_at }\n',
  )
  const { database } = life
  const opened = openProject(project.root)
  for (const given of [
    { model: 'value', view: 'activity', bytes: smallModel() },
    { model: 'value', view: 'activity', bytes: smallModel({ work: 1 }) },
    { model: 'value', view: 'activity_v2', bytes: smallModel({ work: 2 }) },
    { model: 'value', view: 'activity', bytes: encodeModel(endless), inputs: ['spend'] },
    { model: 'fresh', view: 'activity', bytes: smallModel() },
  ])
    await registered(database, opened, given)
  await promote(life.database, {
    model: 'value',
    version: 1,
    expected: null,
    by: null,
    reason: null,
    event: 'promoted',
  })
  for (const version of [2, 3, 4]) await shadow('value', version)
  await shadow('fresh', 1)
})
afterAll(async () => {
  await life.close()
  await project.remove()
})

const ledger = () => ({ database: life.database, project: openProject(project.root) })
const shadow = (name: string, version: number) =>
  startChallenge(life.database, { model: name, version, by: 'ann@example.com' })
const standing = (name: string, version: number) =>
  shadowStanding(life.database.pool, modelNamed(ledger().project, name), version)

/** Lets the night run, and waits until the ledger has this many rows about it. */
async function lived(night: string, { compared, failed = 0 }: { compared: number; failed?: number }) {
  await life.until(`${night}T01:59:00Z`, 1440)
  await life.until(`${night}T02:05:00Z`)
  for (let tries = 0; tries < 600; tries++) {
    const { rows } = await life.database.pool.query<{ compared: number; failed: number }>(
      `select (select count(*)::int from nightshift.shadow_nights where partition = $1) as compared,
              (select count(*)::int from nightshift.shadow_scores where partition = $1 and failure is not null) as failed`,
      [night],
    )
    if (rows[0]?.compared === compared && rows[0].failed === failed) return
    await sleep(100)
    await life.until(new Date(life.now().getTime() + 30_000).toISOString())
  }
  throw new Error(`${night} was not compared in time`)
}

// Takes as long as the time limits of a version in shadow.
test('a challenger that takes for ever costs the champion’s night and the other challengers nothing', async () => {
  await lived('2026-03-03', { compared: 3, failed: 1 })
  const slot = await life.slot('scores', 'value', '2026-03-03')
  expect(slot).toMatchObject({ state: 'published', late: false })
  expect(life.mails.received).toEqual([])
  const slow = await standing('value', 4)
  expect(slow).toMatchObject({ counted: 0, passed: false, state: 'scoring' })
  expect(slow.nights.map(({ why }) => why)).toEqual(['not scored: the attempt ran past its timeout of 20 s'])
  await stopShadow(ledger(), modelNamed(ledger().project, 'value'), { version: 4, by: null })
})

test('each version scores on its own view, refreshed for it', async () => {
  const features = await life.slot('features', 'activity_v2', '2026-03-03')
  expect(features).toMatchObject({ state: 'published', deadline: null })
  const { rows } = await life.database.pool.query(
    `select trigger from nightshift.runs where name = 'activity_v2' and partition = '2026-03-03'`,
  )
  expect(rows).toEqual([{ trigger: 'shadow' }])
  const file = join(project.root, 'warehouse/shadow/value/challenger=3/as_of=2026-03-03/scores.parquet')
  const scores = await readRows(file)
  expect(scores).toHaveLength(CUSTOMERS)
  expect(scores[0]).toMatchObject({ version: '3' })
})

test('nights are counted and compared; a bound that a night breaks is named', async () => {
  await lived('2026-03-04', { compared: 3 })
  const same = await standing('value', 2)
  expect(same).toMatchObject({
    counted: 2,
    passed: true,
    against: { kind: 'champion', version: 1 },
    window: {
      rank_correlation: { worst: 1 },
      top_overlap: { worst: 1 },
      flips: { worst: 0 },
      distance: { worst: 0 },
    },
  })
  const other = await standing('value', 3)
  expect(other).toMatchObject({ counted: 2, passed: false })
  // Counted again from the two files: customers whose decision the other version changes.
  const [champion = [], challenger = []] = await Promise.all(
    ['scores/value', 'shadow/value/challenger=3'].map((folder) =>
      readRows(join(project.root, 'warehouse', folder, 'as_of=2026-03-03/scores.parquet')),
    ),
  )
  const before = new Map(champion.map(({ customer_id, decision }) => [customer_id, decision]))
  const changed = challenger.filter(
    ({ customer_id, decision }) => decision !== before.get(customer_id),
  ).length
  expect(changed).toBeGreaterThan(0)
  const { figures } = other.nights[0] ?? {}
  // Two on 0 to 6 calls with 1 to 5 orders more: decisions only change to negative.
  expect(figures?.flips).toMatchObject({ rate: changed / CUSTOMERS, to_positive: 0, to_negative: changed })
  expect(other.breaches).toHaveLength(1)
  expect(other.breaches[0]).toContain('shadow.require.max_flips is 0')
  expect(figures?.movers[0]?.features).toHaveProperty('orders')
})

test('a first model is compared with the process that it replaces, and its nights open no incident', async () => {
  expect(await life.slot('scores', 'fresh', '2026-03-03')).toMatchObject({
    state: 'skipped',
    reason: 'no champion yet: version 1 of fresh scores in shadow',
  })
  const first = await standing('fresh', 1)
  expect(first).toMatchObject({ counted: 2, passed: true, against: { kind: 'current', version: null } })
  // The score rises with the same figure as the old process' risk.
  expect(first.nights[0]?.figures).toMatchObject({ coverage: 1, rank_correlation: expect.closeTo(1, 9) })
  expect(life.mails.received).toEqual([])
})

test('once the labels are in, both are measured on the same rows', async () => {
  for (let tries = 0; tries < 100; tries++) {
    const { nights } = await standing('value', 3)
    const { realized } = nights[0] ?? {}
    if (realized != null) {
      expect(realized).toMatchObject({ rows: CUSTOMERS, kind: 'classification' })
      const { against, metrics } = realized
      expect(against?.difference.auc?.value).toBeCloseTo((metrics.auc ?? 9) - (against?.metrics.auc ?? 0), 12)
      expect(against?.difference.ece?.low).not.toBeNull()
      expect(against?.difference.auc?.low ?? 1).toBeLessThanOrEqual(against?.difference.auc?.high ?? 0)
      return
    }
    await sleep(100)
    await life.until(new Date(life.now().getTime() + 60_000).toISOString())
  }
  throw new Error('the outcome was not measured in time')
})

test('a clock set back moves no start, and a promotion ends the time in shadow', async () => {
  await stopShadow(ledger(), modelNamed(ledger().project, 'value'), { version: 2, by: null })
  const before = life.now().toISOString()
  await life.database.pool.query(`update test_clock.time set at = '2026-02-01T00:00:00Z'`)
  await shadow('value', 2)
  const challenges = await challengesOf(life.database.pool, 'value')
  expect(Date.parse(challenges.at(-1)?.started_at ?? '')).toBeGreaterThan(Date.parse('2026-03-04T02:00:00Z'))
  await life.database.pool.query('update test_clock.time set at = $1', [before])
  // The nights before count as they did.
  expect((await standing('value', 2)).counted).toBe(2)

  await promote(life.database, {
    model: 'value',
    version: 2,
    expected: 1,
    by: 'ann@example.com',
    reason: null,
    event: 'promoted',
  })
  expect(await standing('value', 2)).toMatchObject({ state: 'ended', counted: 2, passed: true })
  // What was compared with version 1 says nothing of version 2.
  const behind = await standing('value', 3)
  expect(behind).toMatchObject({ counted: 0, against: { kind: 'champion', version: 2 } })
  expect(behind.nights[0]?.why).toBe('compared with version 1, not with version 2')
  const events = (await historyOf(life.database.pool, 'value')).map(
    ({ event, version }) => `${event} ${version}`,
  )
  expect(events.slice(-4)).toEqual(['shadow stopped 4', 'shadow stopped 2', 'shadow started 2', 'promoted 2'])
})
