import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requestFeatures, requestScores, settingsFor } from '../../../src/jobs/request-run.ts'
import type { NewRun } from '../../../src/ledger/nights/run-request.ts'
import { findOutcome, type Outcome, outcomesOf } from '../../../src/monitoring/outcomes/record.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { promote } from '../../../src/registry/champion.ts'
import { nightshift, nightshiftJson } from '../../cli/nightshift.ts'
import { query } from '../../pipeline/feature-case.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject, smallModel, valueModel, writeDay, writeParquet } from '../../projects/generated.ts'
import { promoting } from '../../promoting.ts'
import { type Life, openLife } from '../../workers/life.ts'

const SCHEDULE = `schedule: nightly
cron: "0 2 * * *"
score: [value]
deadline: "06:00"
start: "2026-03-03"
`
const LABELS = `SELECT customer_id, (count(*) FILTER (happened_at >= $as_of) > 0)::INTEGER AS bought
FROM events GROUP BY customer_id HAVING min(happened_at) < $as_of
`
const model = (more = '', outcomes = '') =>
  valueModel(`labels: { sql: labels.sql, horizon: 2d }
${more}${outcomes}`)

let project: TemporaryProject
let life: Life

/** Who buys on a day, by SQL over the customer's number. */
const writeBuyers = (date: string, file: string, who: string) =>
  writeParquet(
    join(project.root, `data/events/date=${date}/${file}.parquet`),
    `SELECT i AS customer_id, TIMESTAMP '${date} 12:00:00' AS happened_at, 1.0::DOUBLE AS amount FROM range(100) t(i) WHERE ${who}`,
  )
/** The more somebody spent the likelier they come back, but for some. */
const BUYERS = 'i % 7 > 3 OR i % 10 = 0'
const LATE = 'i % 3 = 1'
const count = (is: (i: number) => boolean) => Array.from({ length: 100 }, (_, i) => i).filter(is).length
const buys = (i: number) => i % 7 > 3 || i % 10 === 0

async function cli(...args: string[]) {
  const { code, stderr } = await nightshift(args, {
    project: project.root,
    env: { DATABASE_URL: life.database.url },
  })
  expect(code, `${args.join(' ')}: ${stderr}`).toBe(0)
}

/** Until the worker has said so: its jobs come after the night's, and nobody waits for them. */
async function outcome(date: string, is: (found: Outcome) => boolean): Promise<Outcome> {
  for (let tries = 0; tries < 240; tries++) {
    const found = await findOutcome(life.database.pool, 'value', date)
    if (found !== undefined && is(found)) return found
    await sleep(50)
  }
  throw new Error(
    `the outcome of ${date} is ${JSON.stringify(await findOutcome(life.database.pool, 'value', date))}`,
  )
}

/** As `run --force` or a backfill ask for a night; the next step of the clock does it. */
async function ask(date: string, how: Pick<NewRun, 'trigger' | 'backfill'>) {
  const loaded = openProject(project.root)
  const asOf = parseAsOf(date, 'UTC')
  const settings = settingsFor(loaded, 'scores', 'value')
  const request = { ...how, forced: true, version: null, settings, by: null }
  if ((await life.slot('features', 'activity', date))?.published_run == null)
    await requestFeatures(life.database, 'activity', asOf, request)
  await requestScores(life.database, 'value', asOf, request)
}

/** A backfill that has begun all of its nights. */
async function backfill(): Promise<number> {
  const { rows } = await life.database.pool.query<{ id: string }>(
    `insert into nightshift.backfills (model, state, max_active, forced, settings)
     values ('value', 'done', 1, true, '{}') returning id`,
  )
  return Number(rows[0]?.id)
}

const runOf = async (date: string) => (await life.slot('scores', 'value', date))?.published_run ?? ''

beforeAll(async () => {
  project = await generatedProject({ schedule: SCHEDULE })
  await project.write('models/value/labels.sql', LABELS)
  await project.write('models/value/model.yaml', model())
  await writeDay(project.root, '2026-03-02')
  writeFileSync(join(project.root, 'other.onnx'), smallModel({ work: 1 }))
  life = await openLife(project.root, { from: '2026-03-03T01:00:00Z', worker: false })
  await cli('register', 'value', join(project.root, 'model.onnx'), '--as-of', '2026-03-02')
  // The second sees the two columns the other way round, and foretells the opposite.
  await project.write('models/value/model.yaml', model('inputs: [orders, spend]\n'))
  await cli('register', 'value', join(project.root, 'other.onnx'), '--as-of', '2026-03-02')
  await project.write('models/value/model.yaml', model())
  await cli(...promoting('value', 1))
  await ask('2026-03-02', { trigger: 'backfill', backfill: await backfill() })
  await life.hire()
  await life.until('2026-03-03T07:00:00Z', 30)
})
afterAll(async () => {
  await life.close()
  await project.remove()
})

test('a published night is immature until its labels can be there', async () => {
  expect(await outcome('2026-03-03', () => true)).toMatchObject({
    state: 'immature',
    matures_at: '2026-03-05T00:00:00.000Z',
    run: await runOf('2026-03-03'),
    version: 1,
    report: null,
  })
})

test('a night that only a backfill has made never enters', async () => {
  expect((await life.slot('scores', 'value', '2026-03-02'))?.published_run).not.toBeNull()
  const nights = await outcomesOf(life.database.pool, 'value')
  expect(nights.map(({ partition }) => partition)).toEqual(['2026-03-03'])
})

test('it stays immature while the newest event lies before the end of its window, and says so', async () => {
  await writeBuyers('2026-03-03', 'buyers', BUYERS)
  await life.until('2026-03-05T01:00:00Z', 60)
  const found = await outcome('2026-03-03', ({ note }) => note?.includes('newest event') === true)
  expect(found).toMatchObject({ state: 'immature' })
  expect(found.note).toContain('the newest event of source events is at 2026-03-03T12:00:00Z')
  const { rows } = await life.database.pool.query<{ looks: number; wait: number }>(
    `select looks, extract(epoch from look_at - matures_at)::int as wait from nightshift.outcomes where partition = '2026-03-03'`,
  )
  // First a quarter of an hour after the look, then twice that: how often it was looked at is the clock's steps.
  expect(rows[0]?.looks).toBeGreaterThanOrEqual(1)
  expect(rows[0]?.wait).toBeGreaterThanOrEqual(15 * 60)
})

test('a night that was published again is judged by what stood at its deadline', async () => {
  const first = await runOf('2026-03-03')
  await promote(life.database, {
    model: 'value',
    version: 2,
    expected: 1,
    by: null,
    reason: null,
    event: 'promoted',
    evidence: {},
  })
  await ask('2026-03-03', { trigger: 'manual', backfill: null })
  await writeBuyers('2026-03-05', 'buyers', 'i % 2 = 0')
  await life.until('2026-03-05T07:00:00Z', 30)
  const second = await runOf('2026-03-03')
  expect(second).not.toBe(first)
  const found = await outcome('2026-03-03', ({ state }) => state === 'measured')
  expect(found).toMatchObject({
    run: first,
    version: 1,
    report: { rows: 100, scored: 100, positives: count(buys) },
  })
  expect(found.report?.metrics.auc).toBeCloseTo(await aucOf(first, BUYERS), 12)
  // The scores that stand now say the opposite.
  expect(found.report?.metrics.auc).toBeGreaterThan(0.8)
  expect(await aucOf(second, BUYERS)).toBeCloseTo(1 - (found.report?.metrics.auc ?? 0), 12)
})

test('labels that arrive late refresh the figures, and a file that changes nothing does not', async () => {
  const before = await outcome('2026-03-03', ({ state }) => state === 'measured')
  // After the window's end: the file is new, what is seen of it is nothing.
  await writeBuyers('2026-03-06', 'buyers', 'i % 5 = 0')
  await writeBuyers('2026-03-04', 'late', LATE)
  await life.until('2026-03-05T14:00:00Z', 60)
  const after = await outcome('2026-03-03', ({ measured_at }) => measured_at !== before.measured_at)
  expect(after).toMatchObject({
    state: 'measured',
    run: before.run,
    report: { positives: count((i) => buys(i) || i % 3 === 1) },
  })
  await writeBuyers('2026-03-07', 'buyers', 'i % 5 = 0')
  await life.until('2026-03-05T23:00:00Z', 60)
  const looked = await outcomeLooked('2026-03-03')
  expect(looked).toMatchObject({
    measured_at: after.measured_at,
    report: { positives: after.report?.positives },
  })
})

/** Once it has been looked at again in vain, more often than it was before. */
async function outcomeLooked(date: string, before = 0): Promise<Outcome> {
  for (let tries = 0; tries < 240; tries++) {
    if ((await looksOf(date)) > before) return outcome(date, () => true)
    await sleep(50)
  }
  throw new Error(`nobody looked at ${date} again`)
}

async function looksOf(date: string): Promise<number> {
  const { rows } = await life.database.pool.query<{ looks: number }>(
    'select looks from nightshift.outcomes where partition = $1',
    [date],
  )
  return rows[0]?.looks ?? 0
}

describe('a horizon that is changed', () => {
  const horizon = (text: string) =>
    project.write('models/value/model.yaml', model().replace('horizon: 2d', `horizon: ${text}`))
  const lookAt = async (date: string) =>
    (
      await life.database.pool.query<{ look_at: string }>(
        'select look_at from nightshift.outcomes where partition = $1',
        [date],
      )
    ).rows[0]?.look_at

  test('is none where the ledger did not know it: what it says of the night stays', async () => {
    await life.database.pool.query(
      `update nightshift.outcomes set horizon = null, lag = null, note = 'as it was', look_at = '2026-03-07T00:30:00Z'
        where partition = '2026-03-05'`,
    )
    await life.until('2026-03-05T23:02:00Z')
    expect(await outcome('2026-03-05', () => true)).toMatchObject({
      horizon: '2d',
      lag: '0d',
      note: 'as it was',
    })
    expect(await lookAt('2026-03-05')).toBe('2026-03-07T00:30:00.000Z')
  })

  test('moves the nights that are immature, and what matures by it is measured', async () => {
    expect(await outcome('2026-03-05', () => true)).toMatchObject({
      state: 'immature',
      matures_at: '2026-03-07T00:00:00.000Z',
      horizon: '2d',
    })
    await horizon('1d')
    await life.until('2026-03-05T23:05:00Z')
    expect(await outcome('2026-03-05', () => true)).toMatchObject({
      state: 'immature',
      matures_at: '2026-03-06T00:00:00.000Z',
      horizon: '1d',
      note: 'its label window ends at 2026-03-06T00:00:00Z',
    })
    expect(await lookAt('2026-03-05')).toBe('2026-03-06T00:00:00.000Z')
    expect(await outcome('2026-03-04', ({ state }) => state === 'measured')).toMatchObject({
      matures_at: '2026-03-05T00:00:00.000Z',
      horizon: '1d',
      report: { positives: count((i) => i % 3 === 1) },
    })
  })

  test('leaves a measured night as it was measured, also where it is looked at again', async () => {
    const before = await outcome('2026-03-03', () => true)
    expect(before).toMatchObject({ state: 'measured', horizon: '2d' })
    const looks = await looksOf('2026-03-03')
    await life.until('2026-03-06T07:00:00Z', 60)
    expect(await outcomeLooked('2026-03-03', looks)).toEqual(before)
  })

  test('does not decide which labels are late: a measured night takes those of its own horizon', async () => {
    const before = await outcome('2026-03-03', () => true)
    await writeBuyers('2026-03-04', 'later', 'i % 11 = 2')
    await life.until('2026-03-06T14:00:00Z', 60)
    const after = await outcome('2026-03-03', ({ measured_at }) => measured_at !== before.measured_at)
    expect(after).toMatchObject({
      state: 'measured',
      matures_at: '2026-03-05T00:00:00.000Z',
      horizon: '2d',
      report: { positives: count((i) => buys(i) || i % 3 === 1 || i % 11 === 2) },
    })
  })

  test('is told by the command, which measures under it those nights that are asked for', async () => {
    await outcome('2026-03-05', ({ state }) => state === 'measured')
    await horizon('3d')
    const at = { project: project.root, env: { DATABASE_URL: life.database.url } }
    const { stdout } = await nightshift(['outcomes', 'value'], at)
    expect(stdout).toContain('2026-03-06  immature  2026-03-09 00:00 UTC')
    const again = 'npx nightshift outcomes value --measure --new-horizon'
    expect(stdout.split('\n').filter((line) => line.startsWith('note: '))).toEqual([
      `note: 2026-03-03 was measured under a horizon of 2d; model.yaml now has 3d: ${again}`,
      `note: 2 nights, 2026-03-04 to 2026-03-05, were measured under a horizon of 1d; model.yaml now has 3d: ${again}`,
    ])
    // By the ledger's clock: the new window of 2026-03-04 is over, that of 2026-03-05 is not.
    await life.until('2026-03-07T06:00:00Z', 60)
    const { json } = await nightshiftJson(['outcomes', 'value', '--measure', '--new-horizon'], at)
    expect(json.map((night: Record<string, unknown>) => [night.as_of, night.state, night.horizon])).toEqual([
      ['2026-03-03', 'measured', '3d'],
      ['2026-03-04', 'measured', '3d'],
      // Its new window is not over: what was measured stays.
      ['2026-03-05', 'measured', '1d'],
      ['2026-03-06', 'immature', '3d'],
      // Published while the clock moved on.
      ['2026-03-07', 'immature', '3d'],
    ])
    expect(json[0].report.positives).toBe(count((i) => buys(i) || i % 3 === 1 || i % 11 === 2 || i % 2 === 0))
    const alone = await nightshift(['outcomes', 'value', '--new-horizon'], at)
    expect(alone.code).toBe(2)
    expect(alone.stderr).toContain('expected --new-horizon together with --measure, got only --new-horizon')
  })
})

/** By pairs, in SQL: a second way to the same figure. Scores are read where the run's file lies now. */
async function aucOf(run: string, label: string): Promise<number> {
  const standing = await runOf('2026-03-03')
  const path =
    run === standing
      ? 'warehouse/scores/value/as_of=2026-03-03/scores.parquet'
      : `warehouse/superseded/value/as_of=2026-03-03/${run}.parquet`
  const rows = `SELECT score, ${label} AS y FROM (SELECT customer_id AS i, score FROM read_parquet('${join(project.root, path)}', hive_partitioning = false))`
  const [found] = await query(
    `WITH r AS (${rows}) SELECT avg(CASE WHEN p.score > n.score THEN 1.0 WHEN p.score = n.score THEN 0.5 ELSE 0.0 END) AS auc FROM r p, r n WHERE p.y AND NOT n.y`,
  )
  return Number(found?.auc)
}
