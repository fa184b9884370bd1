import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accept, waive } from '../../src/actions/add-to-evidence.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import { modelNamed } from '../../src/project/named.ts'
import { check, ITEMS } from '../../src/readiness/gate.ts'
import { summaryOf } from '../../src/readiness/gate-on-record.ts'
import { type Asked, ITEM_IDS, type ItemId } from '../../src/readiness/item.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'

const project = { ...openProject(resolve(import.meta.dirname, '../..')), people: {} }
const churn = modelNamed(project, 'churn')
const TODAY = new Date().toISOString().slice(0, 10)
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)

// The runbook runs commands of the program, in the folder of this project.
const QUICK = ITEMS.filter(({ id }) => id !== 'runbook')

let fresh: FreshDatabase
let asked: Asked
beforeAll(async () => {
  fresh = await freshDatabase()
  asked = {
    database: fresh.database,
    project,
    model: churn,
    version: undefined,
    champion: undefined,
    now: new Date(),
    warehouse: project.warehouse,
    children: { run: () => Promise.reject(new Error('no child in this test')) },
  }
})
afterAll(() => fresh.drop())

const ledger = () => ({ database: fresh.database, project })
const item = async (id: ItemId, now = new Date()) =>
  (await check({ ...asked, now }, QUICK)).items.find((each) => each.id === id)
const waiver = (change: object) => ({
  item: 'rollback',
  until: inDays(30),
  reason: 'a rehearsal is planned',
  by: 'bob@example.com',
  ...change,
})

test('the gate asks its questions before any version exists, each with what to do next', async () => {
  const gate = await check(asked, QUICK)
  expect(gate.ready).toBe(false)
  expect(gate.items.map(({ id }) => id)).toEqual(ITEM_IDS.filter((id) => id !== 'runbook'))
  for (const { status, evidence, fix } of gate.items.filter((each) => each.status === 'fail')) {
    expect(status).toBe('fail')
    expect(evidence).not.toBe('')
    expect(fix).not.toBeNull()
  }
})

test('a waiver excuses an item until its date, is shown, and is no pass', async () => {
  await waive(ledger(), churn, waiver({}))
  const gate = await check({ ...asked, now: new Date() }, QUICK)
  expect(gate.items.find(({ id }) => id === 'rollback')).toMatchObject({
    status: 'waived',
    waiver: { by: 'bob@example.com', reason: 'a rehearsal is planned', until: inDays(30) },
  })
  expect(summaryOf(gate)).toMatch(new RegExp(`^\\d+ of 10, 1 waived until ${inDays(30)}$`))
  const after = new Date(Date.now() + 32 * 86_400_000)
  expect(await item('rollback', after)).toMatchObject({ status: 'fail', waiver: { until: inDays(30) } })
  const before = new Date(Date.now() - 86_400_000)
  expect(await item('rollback', before)).toMatchObject({ status: 'fail' })
})

test.each([
  ['by the owner', { by: ' Churn-Team@example.com' }, /somebody other than the owner/],
  ['by the owner with a space', { by: 'churn-team @example.com' }, /somebody other than the owner/],
  ['by nobody', { by: '  ' }, /expected --by to name a person, got: nothing/],
  ['of an unknown item', { item: 'rolback' }, /got: rolback.*rollback/],
  ['for longer than 90 days', { until: inDays(95) }, /at most 90 days/],
  ['until a day that is past', { until: '2020-01-01' }, /expected --until to be a date from/],
  ['until no day', { until: '2026-02-31' }, /got: 2026-02-31/],
  ['until a time', { until: `${TODAY}T23:00` }, /expected --until/],
  ['without a reason', { reason: '  ' }, /--reason/],
])('a waiver %s is refused', async (_, change, words) => {
  await expect(waive(ledger(), churn, waiver(change))).rejects.toThrow(words)
})

test('the owner cannot take over what they own, nor can nobody', async () => {
  for (const owner of ['churn-team@example.com', 'CHURN-TEAM@example.com ', 'churn-team@ example.com'])
    await expect(accept(ledger(), churn, owner)).rejects.toThrow(/other than the owner/)
  await expect(accept(ledger(), churn, ' ')).rejects.toThrow(/expected --by to name a person, got: nothing/)
})

test('ownership asks for two different addresses, readers, and somebody who accepted', async () => {
  const two = { ...churn, on_call: ['a@example.com', 'b@example.com'] }
  const ask = async (model: typeof churn) =>
    (await check({ ...asked, model, now: new Date() }, QUICK)).items.find(({ id }) => id === 'ownership')
  const twice = { ...churn, on_call: ['oncall@example.com', 'OnCall@example.com '] }
  expect((await ask(twice))?.evidence).toMatch(/one address on call, two different ones are needed/)
  expect((await ask({ ...two, consumers: [] }))?.evidence).toMatch(/who reads the scores/)
  expect(await ask(two)).toMatchObject({ status: 'fail', evidence: 'nobody but its owner has accepted it' })
  await accept(ledger(), two, 'bob@example.com')
  expect(await ask(two)).toMatchObject({
    status: 'pass',
    evidence: expect.stringContaining('accepted by bob@example.com'),
  })
  expect(await ask({ ...two, owner: 'Bob@example.com' })).toMatchObject({ status: 'fail' })
  const lapsed = { status: 'fail', evidence: expect.stringContaining('so the acceptance has lapsed') }
  expect(await ask({ ...two, owner: 'carol@example.com' })).toMatchObject(lapsed)
  expect(await ask({ ...two, on_call: [...two.on_call, 'c@example.com'] })).toMatchObject(lapsed)
  expect(await ask({ ...two, consumers: ['somebody else'] })).toMatchObject(lapsed)
  // The same people in another order are the same.
  expect(await ask({ ...two, on_call: two.on_call.toReversed() })).toMatchObject({ status: 'pass' })
})
