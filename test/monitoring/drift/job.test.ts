import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { monitorNight } from '../../../src/monitoring/drift/job.ts'
import { profilesOf } from '../../../src/monitoring/drift/record.ts'
import { referenceProfileOf } from '../../../src/monitoring/drift/reference-profiles.ts'
import type { Profile } from '../../../src/pipeline/profile/profile.ts'
import { loadProject } from '../../../src/project/files/load-project.ts'
import { type Children, openChildren } from '../../../src/workers/child/children.ts'
import { nightshift, nightshiftJson } from '../../cli/nightshift.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject, writeParquet } from '../../projects/generated.ts'
import { promoting } from '../../promoting.ts'
import { driftOf } from '../../workers/drift-of.ts'
import { type Life, openLife } from '../../workers/life.ts'

const CUSTOMERS = 600
const SQL = `SELECT customer_id, sum(amount) FILTER (happened_at >= $as_of - INTERVAL 1 DAY)::FLOAT AS spend,
  count(*) FILTER (happened_at >= $as_of - INTERVAL 1 DAY)::FLOAT AS orders, any_value(plan ORDER BY happened_at DESC) AS plan
FROM events WHERE happened_at >= $as_of - INTERVAL 1 DAY GROUP BY customer_id
`
const MODEL = `model: value
description: Whether a customer is worth a call
owner: crm@example.com
on_call: [oncall@example.com]
consumers: [call centre]
view: activity
inputs: [spend, orders]
score: { column: score, min: 0, max: 1 }
evaluation: { segments: [plan] }
drift: { columns: [spend, orders] }
`
const SCHEDULE = `schedule: nightly
cron: "30 2 * * *"
score: [value]
start: "2026-03-02"
catch_up: { policy: none }
`

let project: TemporaryProject
let life: Life
let children: Children
const at = () => ({ project: project.root, env: { DATABASE_URL: life.database.url } })

/** Each customer's one event of a day; of those with plan pro the amount may be another. */
const writeDay = (date: string, more = 0, customers = CUSTOMERS) =>
  writeParquet(
    join(project.root, `data/events/date=${date}/events.parquet`),
    `SELECT i AS customer_id, CASE i % 3 WHEN 0 THEN 'pro' ELSE 'basic' END AS plan, TIMESTAMP '${date} 12:00:00' AS happened_at,
       ((i * 7919 + ${Number(date.slice(-2))} * 31) % 101) / 25.0 + CASE i % 3 WHEN 0 THEN ${more} ELSE 0 END AS amount
     FROM range(${customers}) t(i)`,
  )

/** Lives through a night, until its profile is on record and mail that is due has gone out. */
async function night(date: string): Promise<void> {
  await life.until(`${date}T02:31:00Z`, 1440)
  for (let minute = 32; minute < 60; minute++) {
    if (life.now() < new Date(`${date}T02:${minute}:00Z`)) await life.until(`${date}T02:${minute}:00Z`)
    else continue
    const { rows } = await life.database.pool.query(
      `select from nightshift.profiles where partition = $1 and not backfilled`,
      [date],
    )
    if (rows.length > 0) break
    await sleep(100)
  }
  await life.until(`${date}T03:20:00Z`, 30)
}

const DAYS = ['26', '27', '28'].map((day) => `2026-02-${day}`)
/** The nights of 4, 5 and 6 March see other amounts. */
const SHIFTED = ['2026-03-03', '2026-03-04', '2026-03-05']

beforeAll(async () => {
  project = await generatedProject({ customers: 1, sql: SQL, schedule: SCHEDULE })
  await project.write('models/value/model.yaml', MODEL)
  for (const date of DAYS) await writeDay(date, 3)
  for (let day = 1; day <= 9; day++) {
    const date = `2026-03-0${day}`
    await writeDay(date, SHIFTED.includes(date) ? 3 : 0)
  }
  life = await openLife(project.root, { from: '2026-03-01T12:00:00Z' })
  children = openChildren({ places: 1 })
  const registered = await nightshift(['register', 'value', join(project.root, 'model.onnx')], at())
  expect(registered).toMatchObject({ code: 0 })
  expect(await nightshift(promoting('value', 1), at())).toMatchObject({ code: 0 })
  // The owner is mailed about the promotion: this file counts the mails of nights.
  await life.database.pool.query('delete from nightshift.outbox')
})
afterAll(async () => {
  await children?.close()
  await life?.close()
  await project?.remove()
})

const incidents = async () =>
  (
    await life.database.pool.query(
      `select id, closed_at, detail from nightshift.incidents where kind = 'drift' order by id`,
    )
  ).rows

const monitoring = () => {
  const loaded = loadProject(project.root).project
  if (loaded === undefined) throw new Error('the project is not valid')
  return {
    database: life.database,
    children,
    warehouse: loaded.warehouse,
    project: () => loaded,
    clock: life.now,
    log: pino({ level: 'silent' }),
  }
}

describe('a model without a holdout', () => {
  test('has its first night as its baseline, and says so', async () => {
    await night('2026-03-02')
    const [first] = await profilesOf(life.database.pool, 'value')
    expect(first).toMatchObject({ partition: '2026-03-02', reference: null, backfilled: false })
    expect(first?.note).toBe(
      'this is the first night of version 1, which has no holdout; it is the reference for later nights',
    )
    await night('2026-03-03')
    const [, second] = await profilesOf(life.database.pool, 'value')
    expect(second).toMatchObject({
      reference: 'first night 2026-03-02',
      note: 'version 1 has no holdout; the reference is its first night, 2026-03-02',
    })
    expect((await driftOf(life.database.pool, 'value')).filter(({ drifted }) => drifted)).toEqual([])
  })

  test('one night that moves is on record, and told to nobody', async () => {
    await night('2026-03-04')
    const drift = (await driftOf(life.database.pool, 'value')).filter(({ drifted }) => drifted)
    expect(drift.map(({ column, partition, alerting }) => [column, partition, alerting])).toEqual([
      ['spend', '2026-03-04', false],
      ['score', '2026-03-04', false],
    ])
    expect(await incidents()).toEqual([])
    expect(life.mails.received).toEqual([])
  })

  test('the second of three opens an incident, whose mail shows what moved', async () => {
    await night('2026-03-05')
    expect(await incidents()).toMatchObject([{ closed_at: null }])
    expect(life.mails.received).toHaveLength(1)
    const mail = life.mails.received[0]?.mail
    expect(mail?.subject).toBe('value 2026-03-05 drifted: spend, score (#1)')
    expect(mail?.text).toContain('value has drifted for 2026-03-05 in spend, score')
    expect(mail?.text).toMatch(
      /- spend\n {2}PSI [\d.]+, threshold [\d.]+\n {2}mean 1\.998 before, 3\.001 now/,
    )
    expect(mail?.text).toContain('since 2026-03-04; on 2 of the last 3 nights')
    expect(mail?.text).toContain('600 rows')
    expect(mail?.text).toContain('version 1 has no holdout; the reference is its first night, 2026-03-02')
    expect(mail?.text).toContain('npx nightshift drift value --as-of 2026-03-05')
    expect(mail?.text).toMatch(
      /WHICH ROWS ACCOUNT FOR IT\n- spend: without plan pro \(200 rows\) all of the shift disappears; PSI of these rows \d/,
    )
    expect(mail?.text).toContain('npx nightshift mute value')
    expect(mail?.text).not.toContain('undefined')
    const pictures = mail?.attachments.filter(({ contentType }) => contentType === 'image/png') ?? []
    expect(pictures.length).toBeGreaterThan(0)
    for (const { content, cid } of pictures) {
      // The signature, then the size from the first chunk, IHDR.
      expect(content.subarray(0, 8).toString('hex')).toBe('89504e470d0a1a0a')
      expect(content.readUInt32BE(16)).toBe(1200)
      expect(content.readUInt32BE(20)).toBeGreaterThan(300)
      expect(content.subarray(-8, -4).toString('latin1')).toBe('IEND')
      expect(mail?.text).toContain('mean')
      expect(cid).toMatch(/@nightshift$/)
    }
  })

  test('further nights join it, each told once, in the same thread', async () => {
    await night('2026-03-06')
    expect(await incidents()).toMatchObject([{ detail: { nights: [{}, {}] } }])
    const [opened, joined] = life.mails.received
    expect(life.mails.received).toHaveLength(2)
    expect(joined?.mail.inReplyTo).toBe(opened?.mail.messageId)
    expect(joined?.mail.text).toMatch(/^Again: value has drifted for 2026-03-06 and 1 earlier/)
  })

  test('a night that is looked at again changes nothing', async () => {
    const { rows } = await life.database.pool.query(
      `select published_run as run from nightshift.slots where kind = 'scores' and partition = '2026-03-06'`,
    )
    const before = await driftOf(life.database.pool, 'value')
    await monitorNight(monitoring(), { run: rows[0].run })
    await life.until('2026-03-06T04:00:00Z', 30)
    expect(await driftOf(life.database.pool, 'value')).toEqual(before)
    expect(await incidents()).toMatchObject([{ detail: { nights: [{}, {}] } }])
    expect(life.mails.received).toHaveLength(2)
  })

  test('one quiet night is no all-clear, two are', async () => {
    await night('2026-03-07')
    expect(await incidents()).toMatchObject([{ closed_at: null }])
    await night('2026-03-08')
    expect(await incidents()).toMatchObject([{ closed_at: expect.any(String) }])
    expect(life.mails.received).toHaveLength(3)
    const said = life.mails.received[2]?.mail.text
    expect(said).toMatch(
      /^Resolved: value matches its reference again on 2026-03-08; it drifted for 2026-03-06 and 1 earlier, whose published scores are unchanged\./,
    )
    expect(said).toContain('2026-03-06: its published output is unchanged')
    expect(said).toMatch(/2026-03-08: passed .*, 600 rows, run /)
  })

  test('a queue that is wiped while a night waits in it loses no profile', async () => {
    const queue = life.queues.queue('monitor')
    const waits = async () => {
      const run = (await life.slot('scores', 'value', '2026-03-09'))?.published_run
      return run != null && (await life.queues.has('monitor', `monitor-${run}`))
    }
    await queue.pause()
    await life.until('2026-03-09T02:31:00Z', 1440)
    for (let minute = 32; minute < 59 && !(await waits()); minute++) {
      await life.until(`2026-03-09T02:${minute}:00Z`)
      await sleep(100)
    }
    expect(await waits()).toBe(true)
    await queue.obliterate({ force: true })
    await queue.resume()
    expect(await profilesOf(life.database.pool, 'value')).toHaveLength(7)
    await night('2026-03-09')
    const nights = await profilesOf(life.database.pool, 'value')
    expect(nights.map(({ partition }) => partition)).toEqual(
      ['02', '03', '04', '05', '06', '07', '08', '09'].map((day) => `2026-03-${day}`),
    )
  })

  test('nights of a backfill are profiled, and alert nobody', async () => {
    const told = life.mails.received.length
    const open = (await incidents()).length
    const backfill = nightshift(
      ['backfill', 'value', '--from', '2026-02-27', '--to', '2026-03-01', '--yes'],
      at(),
    )
    for (
      let minute = 0;
      minute < 59 && (await profilesOf(life.database.pool, 'value')).length < 11;
      minute++
    ) {
      await life.until(`2026-03-09T05:${String(minute).padStart(2, '0')}:00Z`)
      await sleep(100)
    }
    expect(await backfill).toMatchObject({ code: 0 })
    const nights = (await profilesOf(life.database.pool, 'value')).slice(0, 3)
    expect(nights.map(({ partition, backfilled }) => [partition, backfilled])).toEqual(
      ['2026-02-27', '2026-02-28', '2026-03-01'].map((date) => [date, true]),
    )
    const drift = await driftOf(life.database.pool, 'value', { to: '2026-03-01T00:00:00Z' })
    expect(drift.filter(({ drifted }) => drifted).length).toBeGreaterThan(2)
    expect(drift.filter(({ alerting }) => alerting)).toEqual([])
    expect(await incidents()).toHaveLength(open)
    expect(life.mails.received).toHaveLength(told)
  })

  test('a night of too few rows is no all-clear, and a column that drifted before is not told again', async () => {
    for (const day of ['2026-03-10', '2026-03-11', '2026-03-13']) await writeDay(day, 3)
    await writeDay('2026-03-12', 0, 20)
    for (const date of ['2026-03-10', '2026-03-11', '2026-03-12']) await night(date)
    const told = life.mails.received.length
    expect(await incidents()).toMatchObject([{}, { closed_at: null, detail: { nights: [{}] } }])

    await night('2026-03-13')
    const drift = (await driftOf(life.database.pool, 'value')).filter(
      ({ partition }) => partition === '2026-03-13',
    )
    expect(drift.map(({ column, drifted, alerting }) => [column, drifted, alerting])).toEqual([
      ['spend', false, true],
      ['orders', false, false],
      ['score', false, true],
    ])
    expect(drift[0]?.note).toBe('not enough rows: there are 20, at least 50 are needed')
    expect(life.mails.received).toHaveLength(told)

    await night('2026-03-14')
    expect(await incidents()).toMatchObject([{}, { closed_at: null, detail: { nights: [{}, {}] } }])
    expect(life.mails.received).toHaveLength(told + 1)
    expect(life.mails.received.at(-1)?.mail.text).toMatch(/since 2026-03-11; on 3 of the last 3 nights/)
  })

  test('`drift` lists it, and says plainly where a night is not published', async () => {
    const { code, json } = await nightshiftJson(['drift', 'value', '--as-of', '2026-03-05'], at())
    expect(code).toBe(0)
    expect(json.map((each: { column: string }) => each.column)).toEqual(['spend', 'orders', 'score'])
    expect(json[0]).toMatchObject({
      rows: 600,
      drifted: true,
      null_rate: 0,
      unseen_rate: null,
      threshold: 0.1,
    })
    for (const key of ['psi', 'jensen_shannon', 'wasserstein', 'ks', 'note'])
      expect(json[0]).toHaveProperty(key)
    const missing = await nightshift(['drift', 'value', '--as-of', '2026-05-01'], at())
    expect(missing).toMatchObject({ code: 2 })
    expect(missing.stderr).toContain(
      'expected a published night of value, got: 2026-05-01, which has none: nightshift run value --as-of 2026-05-01',
    )
  })

  test('what a night was compared with is kept where it is other nights, for its pictures', async () => {
    const run = (await life.slot('scores', 'value', '2026-03-08'))?.published_run ?? ''
    expect(await referenceProfileOf(life.database.pool, run)).toBeUndefined()
    await project.write(
      'models/value/model.yaml',
      MODEL.replace('orders] }', 'orders], reference: { from: 2026-03-02, to: 2026-03-03 } }'),
    )
    // The second time takes the place of the first.
    for (const _ of [1, 2]) await monitorNight(monitoring(), { run })
    const nights = await profilesOf(life.database.pool, 'value')
    const mean = (profile: Profile | undefined) =>
      profile?.columns.flatMap((each) => (each.kind === 'number' && !each.score ? [each.mean] : []))
    const kept = await referenceProfileOf(life.database.pool, run)
    expect(kept?.rows).toBe(2 * CUSTOMERS)
    const [second, third] = ['2026-03-02', '2026-03-03'].map((night) =>
      mean(nights.find(({ partition }) => partition === night)?.profile),
    )
    expect(mean(kept)?.[0]).toBeCloseTo(((second?.[0] ?? 0) + (third?.[0] ?? 0)) / 2, 9)
  })
})
