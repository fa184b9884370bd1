import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pruneRecords } from '../../src/actions/prune-records.ts'
import { skip } from '../../src/actions/skip-slot.ts'
import { requestFeatures, requestScores } from '../../src/jobs/request-run.ts'
import { findRun } from '../../src/ledger/nights/run-records.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { sweepLeftovers } from '../../src/workers/sweep.ts'
import { nightshift } from '../cli/nightshift.ts'
import { makeFolder } from '../pipeline/feature-case.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, smallModel } from '../projects/generated.ts'
import { inEnvironment } from '../storage/in-environment.ts'
import { type Life, openLife } from '../workers/life.ts'
import { openStorage, type Storage } from '../workers/objects/storage.ts'
import { registered } from '../workers/registered.ts'

/* Months in which a warehouse in a bucket grows, is left alone, and its records are pruned. */
const SCHEDULE = `schedule: nightly
cron: "0 2 * * *"
score: [value]
start: "2026-03-02"
catch_up: { policy: all, max: 3 }
`
const SETTINGS = { attempts: 3, backoff_ms: 0, timeout_ms: 60_000, wait_until: null }

let storage: Storage
let leave: () => void
let project: TemporaryProject
let life: Life

beforeAll(async () => {
  storage = await openStorage()
  leave = inEnvironment(storage.env)
  project = await generatedProject({ schedule: SCHEDULE })
  await project.write(
    'nightshift.yaml',
    'project: generated\ntimezone: UTC\nwarehouse: s3://nights/life\nretention: { runs: 30d, attempts: 30d, profiles: 30d, mails: 30d, evidence: 30d }\n',
  )
  life = await openLife(project.root, { from: '2026-03-02T01:50:00Z', worker: false })
  const given = { model: 'value', view: 'activity', bytes: smallModel() }
  await registered(life.database, openProject(project.root), given)
  await life.database.pool.query(`insert into nightshift.champions (model, version) values ('value', 1)`)
  await life.hire()
})
afterAll(async () => {
  await life?.close()
  await project?.remove()
  leave?.()
  await storage?.close()
})

const features = (day: string) => `life/features/activity/as_of=2026-03-${day}/features.parquet`
const scores = (day: string) => `life/scores/value/as_of=2026-03-${day}/scores.parquet`
const nights = async () =>
  Object.fromEntries(
    (
      await life.database.pool.query<{ day: string; states: string }>(
        `select right(partition, 2) as day, string_agg(state, ' ' order by kind) as states
         from nightshift.slots where coalesce(due, as_of) < (select at from test_clock.time) group by 1`,
      )
    ).rows.map(({ day, states }) => [day, states]),
  )
const forgetCopies = () => rmSync(join(project.root, '.nightshift/objects'), { recursive: true, force: true })

test('nights that were missed are caught up in the bucket; what somebody has published there is neither missed nor computed again', async () => {
  await life.until('2026-03-02T02:10:00Z')
  const { run } = await requestFeatures(life.database, 'activity', parseAsOf('2026-03-06', 'UTC'), {
    trigger: 'manual',
    settings: SETTINGS,
  })
  await life.until('2026-03-02T02:20:00Z')
  // Nothing runs for six days, and what does then has no copies.
  forgetCopies()
  await life.until('2026-03-08T03:00:00Z', 6 * 24 * 60)
  const [done, given] = ['published published', 'skipped skipped']
  expect(await nights()).toEqual({
    '02': done,
    '03': given,
    '04': given,
    '05': done,
    '06': done,
    '07': done,
    '08': done,
  })
  for (const day of ['02', '05', '06', '07', '08'])
    for (const key of [features(day), scores(day)]) expect(await storage.get(key), key).toBeDefined()
  for (const day of ['03', '04'])
    expect(await storage.keys(`life/features/activity/as_of=2026-03-${day}`)).toEqual([])
  const { rows } = await life.database.pool.query(
    `select id, state from nightshift.runs where kind = 'features' and partition = '2026-03-06'`,
  )
  expect(rows).toEqual([{ id: run, state: 'published' }])
  expect(await storage.keys('life/.attempts/')).toEqual([])
  expect(await storage.keys('life/.published/')).toHaveLength(10)
})

test('pruned records take nothing from the bucket but what attempts have left, and old nights are read and put back', async () => {
  const asked = { trigger: 'manual' as const, forced: true, settings: SETTINGS }
  const ask = (day: string) =>
    requestFeatures(life.database, 'activity', parseAsOf(`2026-03-${day}`, 'UTC'), asked)
  const slotOf = async (day: string) => {
    const slot = await life.slot('features', 'activity', `2026-03-${day}`)
    if (slot === undefined) throw new Error('expected a slot')
    return slot
  }
  // One run is cancelled and followed by another.
  const cancelled = await ask('08')
  await skip(life.context, await slotOf('08'), { reason: 'not yet', by: 'ann@example.com' })
  await ask('08')
  // Scores take the place of others, and a night is held twice.
  await requestScores(life.database, 'value', parseAsOf('2026-03-08', 'UTC'), asked)
  await life.until('2026-03-08T04:00:00Z', 60)
  const view = readFileSync(join(project.root, 'features/activity/view.yaml'), 'utf8')
  await project.write('features/activity/view.yaml', `${view}columns: { spend: { max: 1 } }\n`)
  await life.until('2026-03-09T02:10:00Z', 24 * 60)
  const { run: held } = await slotOf('09')
  const { run: heldAgain } = await ask('09')
  await life.until('2026-03-09T02:20:00Z')
  expect(await slotOf('09')).toMatchObject({ state: 'held', run: heldAgain })
  await project.write('features/activity/view.yaml', view)
  await project.write('schedules/nightly.yaml', `${SCHEDULE}paused: true\n`)
  await life.until('2026-05-20T00:00:00Z', 100 * 24 * 60)
  const superseded = await storage.keys('life/superseded/')
  expect(superseded).toHaveLength(1)
  // What a worker that was taken for lost has sent.
  await storage.put(`life/.attempts/${cancelled.run}-a1/features.parquet`, 'late')

  const before = await storage.keys('life/')
  const ledger = { database: life.database, project: openProject(project.root) }
  let rounds = 1
  while (await pruneRecords(ledger, { log: life.context.log, batch: 5 })) rounds++
  expect(rounds).toBeGreaterThan(1)
  expect(await findRun(life.database.pool, cancelled.run)).toBeUndefined()
  expect(await storage.keys('life/')).toEqual(before)
  await sweepLeftovers(life.context, { now: Date.now() + 3_600_000, temporary: makeFolder() })
  const attempts = before.filter((key) => key.startsWith('life/.attempts/'))
  expect(attempts.join()).toContain(held)
  const kept = `life/.attempts/${heldAgain}-a1/features.parquet`
  expect(await storage.keys('life/')).toEqual(before.filter((key) => !attempts.includes(key) || key === kept))

  forgetCopies()
  const at = { project: project.root, env: { ...storage.env, DATABASE_URL: life.database.url } }
  const oldest = await life.slot('scores', 'value', '2026-03-02')
  const replaced = before.find((key) => key.startsWith('life/superseded/'))?.match(/(\w+)\.parquet$/)?.[1]
  for (const run of [oldest?.run, replaced]) {
    const replayed = await nightshift(['replay', run ?? '', '--json'], at)
    expect(replayed.code, replayed.stderr).toBe(0)
    expect(JSON.parse(replayed.stdout)).toMatchObject({ same: true, rows: 100 })
  }
  await storage.remove(features('02'))
  const put = await nightshift(['refresh', 'activity', '--as-of', '2026-03-02'], at)
  expect(put.stdout + put.stderr).toContain('published again from .published/')
  expect(await storage.get(features('02'))).toBeDefined()
})
