import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askDailyGates } from '../../src/actions/ask-daily-gates.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import { modelNamed } from '../../src/project/named.ts'
import { dailyGates } from '../../src/readiness/daily-gates.ts'
import type { Gate, Judged } from '../../src/readiness/gate.ts'
import { promote } from '../../src/registry/champion.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'

/** A zone in which it is this hour now, wherever this runs. */
function zoneAt(hour: number): { zone: string; offset: number } {
  const ahead = hour - new Date().getUTCHours()
  const offset = ahead < -12 ? ahead + 24 : ahead
  return { offset, zone: `Etc/GMT${offset <= 0 ? '+' : '-'}${Math.abs(offset)}` }
}

const { zone: NOON, offset } = zoneAt(12)
const project = { ...openProject(resolve(import.meta.dirname, '../..')), timezone: NOON }
const churn = modelNamed(project, 'churn')
const TODAY = new Date(Date.now() + offset * 3_600_000).toISOString().slice(0, 10)
const inDays = (days: number) => new Date(Date.parse(TODAY) + days * 86_400_000).toISOString().slice(0, 10)

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
  await fresh.database.pool.query(
    `insert into nightshift.versions (model, version, sha256, bytes, file, view, view_hash, features_sql, inputs, output, mapping)
     values ('churn', 1, 'a', 1, 'f', 'v', 'h', 'select', '[]', '{}', '{}')`,
  )
  await promote(fresh.database, {
    model: 'churn',
    version: 1,
    expected: null,
    by: 'ann@example.com',
    reason: null,
    event: 'promoted',
    evidence: {
      gate: {
        at: '2026-01-01T00:00:00Z',
        ready: true,
        items: [{ id: 'rollback', status: 'pass', evidence: '' }],
      },
    },
  })
})
afterAll(() => fresh.drop())

const item = (change: Partial<Judged>): Judged => ({
  id: 'rollback',
  title: 'Rollback',
  question: '',
  status: 'pass',
  evidence: 'the last drill was on 2026-08-01, more than 90 days ago',
  fix: 'nightshift drill churn rollback --version 1',
  link: null,
  waiver: null,
  ...change,
})
const says = (...items: Judged[]): Gate => ({
  model: 'churn',
  version: 1,
  champion: 1,
  at: new Date().toISOString(),
  ready: items.every(({ status }) => status !== 'fail'),
  items,
})
const waived = (until: string) =>
  item({
    id: 'runbook',
    title: 'Runbook',
    status: 'waived',
    waiver: {
      item: 'runbook',
      until,
      reason: 'rewritten',
      by: 'bob@example.com',
      at: '2026-01-01T00:00:00Z',
      os_user: 'bob',
      host: 'node',
    },
  })

/** The day's question, and the mails that it wrote. */
async function day(gate: Gate | undefined) {
  const { pool } = fresh.database
  const { rows } = await pool.query<{ last: string }>(
    'select coalesce(max(id), 0) as last from nightshift.outbox',
  )
  const asked = await askDailyGates({ project, database: fresh.database }, async () => gate)
  const { rows: mails } = await pool.query<{ recipient: string; subject: string; body_text: string }>(
    'select recipient, subject, body_text from nightshift.outbox where id > $1',
    [rows[0]?.last],
  )
  return { asked, mails }
}
/** What was recorded is a day older. In two steps, since days are unique while rows are moved one by one. */
const nextDay = async () => {
  for (const days of [-1000, 999])
    await fresh.database.pool.query('update nightshift.daily_gates set day = day + $1::int', [days])
}

test('an interrupted look records nothing', async () => {
  expect(await day(undefined)).toEqual({ asked: [], mails: [] })
  expect(await dailyGates(fresh.database.pool, 'churn')).toEqual([])
})

test('what has rotted since the promotion is mailed once to owner and on-call', async () => {
  const { asked, mails } = await day(says(item({ status: 'fail' })))
  expect(asked).toEqual(['churn'])
  expect(mails.map(({ recipient }) => recipient).sort()).toEqual([churn.owner, ...churn.on_call].sort())
  expect(mails[0]?.subject).toContain('churn: 1 item of the gate no longer passes')
  expect(mails[0]?.body_text).toContain('more than 90 days ago')
  expect(mails[0]?.body_text).toContain('npx nightshift drill churn rollback --version 1')
  // Once a day, and once for what is known.
  expect(await day(says(item({ status: 'fail' })))).toEqual({ asked: [], mails: [] })
  await nextDay()
  expect(await day(says(item({ status: 'fail' })))).toEqual({ asked: ['churn'], mails: [] })
})

test('what was mended and rots again is mailed again', async () => {
  await nextDay()
  expect((await day(says(item({})))).mails).toEqual([])
  await nextDay()
  expect((await day(says(item({ status: 'fail' })))).mails).not.toEqual([])
})

test('a waiver is announced once, in the week before its end', async () => {
  await nextDay()
  expect((await day(says(waived(inDays(8))))).mails).toEqual([])
  await nextDay()
  const { mails } = await day(says(waived(inDays(7))))
  expect(mails[0]?.subject).toContain('1 waiver ends soon')
  expect(mails[0]?.body_text).toContain(`until ${inDays(7)}, by bob@example.com: rewritten`)
  await nextDay()
  expect((await day(says(waived(inDays(6))))).mails).toEqual([])
})

test('before seven in the morning nobody is asked', async () => {
  await nextDay()
  const early = { ...project, timezone: zoneAt(3).zone }
  expect(await askDailyGates({ project: early, database: fresh.database }, async () => says())).toEqual([])
})

test('a gate that cannot be recorded stops no other, and is asked again', async () => {
  const { pool } = fresh.database
  await pool.query(
    `insert into nightshift.versions (model, version, sha256, bytes, file, view, view_hash, features_sql, inputs, output, mapping)
     values ('alpha', 1, 'b', 1, 'g', 'v', 'h', 'select', '[]', '{}', '{}')`,
  )
  await pool.query(`insert into nightshift.champions (model, version) values ('alpha', 1)`)
  const two = { ...project, models: { alpha: { ...churn, name: 'alpha' }, churn } }
  const ledger = { project: two, database: fresh.database }
  const ask = async ({ name }: { name: string }) => {
    if (name === 'alpha') throw new Error('no child')
    return says()
  }
  await expect(askDailyGates(ledger, ask)).rejects.toThrow('no child')
  expect((await dailyGates(pool, 'churn'))[0]?.day).toBe(TODAY)
  expect(await askDailyGates(ledger, async () => ({ ...says(), model: 'alpha' }))).toEqual(['alpha'])
})
