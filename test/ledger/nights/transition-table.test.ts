import type { ClientBase } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { ensureSlot } from '../../../src/ledger/nights/ensure-slot.ts'
import { findRun, RUN_STATES, type Run, type RunState } from '../../../src/ledger/nights/run-records.ts'
import type { RunSettings, SlotRequest } from '../../../src/ledger/nights/run-request.ts'
import {
  beginAttempt,
  commitRun,
  createRun,
  type FailedAttempt,
  failRun,
  holdRun,
  publishRun,
  releaseRun,
  restoreScores,
  retryRun,
  takeBack,
  waitForData,
  wakeRun,
} from '../../../src/ledger/nights/run-transitions.ts'
import {
  expectSlots,
  failUnrun,
  forgetSlot,
  reopenSlot,
  requestSlot,
  skipSlot,
  unpublishSlot,
  withdrawRun,
  withdrawSlot,
} from '../../../src/ledger/nights/slot-transitions.ts'
import { listSlots, lockSlot, type Slot, type SlotState } from '../../../src/ledger/nights/slots.ts'
import { type Change, TRANSITIONS, type TransitionName } from '../../../src/ledger/nights/transition-table.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'

const SETTINGS: RunSettings = { attempts: 1, backoff_ms: 1000, timeout_ms: 1000, wait_until: null }
const REQUEST: SlotRequest = {
  trigger: 'manual',
  forced: false,
  version: null,
  backfill: null,
  settings: SETTINGS,
  by: null,
}
const AT = '2026-11-23T02:00:00.000Z'
const SLOT_STATES: SlotState[] = [
  'expected',
  'waiting',
  'queued',
  'running',
  'publishing',
  'published',
  'held',
  'failed',
  'skipped',
]
/** Rows that do nothing, rather than throw, where somebody else was first. */
const QUIET: TransitionName[] = ['forget', 'wake', 'publish', 'take back', 'withdraw']

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
})
afterAll(() => fresh.drop())

interface Night {
  slot: Slot
  run: Run
}

/** What the program does at each transition, of a slot and its run. */
const DOES: Record<TransitionName, (client: ClientBase, night: Night) => Promise<unknown>> = {
  expect: (client, { slot }) => expectSlots(client, [slotAt(`${slot.name}-new`)]),
  forget: (client, { slot }) => forgetSlot(client, slot.id),
  request: (client, { slot }) => requestSlot(client, slot.id, REQUEST),
  create: async (client, { slot, run }) => {
    await client.query('delete from nightshift.runs where id = $1', [run.id])
    await createRun(client, slot, { id: run.id, trigger: 'manual', settings: SETTINGS })
  },
  begin: (client, { run }) => beginAttempt(client, run, 1, 'worker'),
  retry: (client, night) => retryRun(client, attemptOf(night), AT),
  wait: (client, night) => waitForData(client, attemptOf(night), { at: AT, since: AT, until: AT }),
  wake: (client, { run }) => wakeRun(client, run.id),
  hold: (client, night) => holdRun(client, attemptOf(night)),
  fail: (client, night) => failRun(client, attemptOf(night)),
  commit: (client, { run }) => commitRun(client, run, 1, []),
  restore: (client, { run }) => restoreScores(client, run, 'back', 'worker'),
  release: (client, { run }) => releaseRun(client, run, { reason: 'real', by: 'ann' }),
  publish: (client, { run }) => publishRun(client, run, { path: 'p', stamp: undefined, superseded: null }),
  'take back': (client, { run }) => takeBack(client, run.id),
  'fail unrun': (client, { slot }) => failUnrun(client, slot.id, 'no champion'),
  skip: (client, { slot }) => skipSlot(client, slot.id, 'no'),
  unpublish: (client, { slot }) => unpublishSlot(client, slot.id, 'withdrawn'),
  reopen: (client, { slot }) => reopenSlot(client, slot.id, REQUEST, 'gone'),
  withdraw: async (client, { slot }) => {
    if (await withdrawRun(client, slot, 7)) await withdrawSlot(client, slot.id, null)
  },
}

const slotAt = (name: string) => ({ kind: 'features', name, as_of: AT, partition: '2026-11-23' }) as const

function attemptOf({ slot, run }: Night): FailedAttempt {
  const failure = { class: 'bug', message: 'broken', anchor: '#bug', evidence: {} } as const
  return { slot, run, number: 1, steps: [], failure, stack: undefined, lost: false }
}

let count = 0
/** Does it with slot and run in these states, in a transaction that is rolled back. `undefined`: it threw. */
async function done(name: TransitionName, slotState: SlotState, runState: RunState) {
  let states: { slot: string; run: string } | undefined
  let error: unknown
  await transaction(fresh.database, async (client) => {
    count += 1
    const asOf = { instant: AT, label: '2026-11-23' }
    const slot = await ensureSlot(client, 'features', `view${count}`, asOf)
    const id = await createRun(client, slot, { trigger: 'backfill', backfill: 7, settings: SETTINGS })
    await client.query('update nightshift.runs set state = $2 where id = $1', [id, runState])
    await client.query('update nightshift.slots set state = $2 where id = $1', [slot.id, slotState])
    const run = await findRun(client, id)
    if (run === undefined) throw new Error('no run')
    await DOES[name](client, { slot: await lockSlot(client, slot.id), run })
    const [now] = await listSlots(client, { name: slot.name })
    states = { slot: now?.state ?? 'none', run: (await findRun(client, id))?.state ?? 'none' }
    throw new Error('rolled back')
  }).catch((thrown: unknown) => {
    error = thrown
  })
  return { states, error: error instanceof Error ? error.message : String(error) }
}

const rows: [TransitionName, { slot?: Change<SlotState>; run?: Change<RunState> }][] = Object.keys(
  TRANSITIONS,
)
  .filter((name): name is TransitionName => name in TRANSITIONS)
  .map((name) => [name, TRANSITIONS[name]])

describe.each(rows.filter(([name]) => !['expect', 'forget', 'withdraw'].includes(name)))(
  '%s',
  (name, { slot, run }) => {
    const slotBefore = SLOT_STATES.find((state) => slot?.from.includes(state)) ?? 'expected'
    const runBefore = RUN_STATES.find((state) => run?.from.includes(state)) ?? 'published'

    test('leaves the states that the table says, from each that it expects', async () => {
      for (const from of SLOT_STATES.filter((state) => slot?.from.includes(state))) {
        const { states, error } = await done(name, from, runBefore)
        expect(error).toBe('rolled back')
        expect(states?.slot).toBe(slot?.to)
        if (run !== undefined) expect(states?.run).toBe(run.to)
      }
    })

    test('writes nothing where slot or run are in another state', async () => {
      if (!QUIET.includes(name)) {
        for (const from of SLOT_STATES.filter((state) => slot?.from.includes(state) === false)) {
          const { error } = await done(name, from, runBefore)
          expect(error).toMatch(/^slot \d+: expected it to be .* got: /)
        }
      }
      if (run === undefined || run.from.some((state) => state === 'none') || name === 'skip') return
      for (const from of RUN_STATES.filter((state) => !run.from.includes(state))) {
        const { states, error } = await done(name, slotBefore, from)
        if (QUIET.includes(name)) expect(states).toEqual({ slot: slotBefore, run: from })
        else expect(error).toMatch(/^run \w+: expected it to be .* got: /)
      }
    })
  },
)

test('a backfill takes back only what no worker has begun, and the slot is as it was', async () => {
  for (const state of ['queued', 'waiting'] as const) {
    expect((await done('withdraw', state, state)).states).toEqual({ slot: 'none', run: 'none' })
  }
  expect((await done('withdraw', 'running', 'running')).states).toEqual({ slot: 'running', run: 'running' })
})

test('a slot that a run was made of is not forgotten; one that exists is not made twice', async () => {
  expect((await done('forget', 'expected', 'cancelled')).states?.slot).toBe('expected')
  await transaction(fresh.database, async (client) => {
    expect(await expectSlots(client, [slotAt('twice')])).toBe(1)
    expect(await expectSlots(client, [slotAt('twice')])).toBe(0)
    const [slot] = await listSlots(client, { name: 'twice' })
    expect(slot?.state).toBe(TRANSITIONS.expect.slot.to)
    await forgetSlot(client, slot?.id ?? 0)
    expect(await listSlots(client, { name: 'twice' })).toEqual([])
  })
})

test('each way of an attempt to end is on record with it', async () => {
  const outcomes: unknown[] = []
  const ways = ['retry', 'wait', 'hold', 'fail', 'commit'] as const
  for (const name of ways) {
    await transaction(fresh.database, async (client) => {
      const asOf = { instant: AT, label: '2026-11-23' }
      const slot = await ensureSlot(client, 'features', `${name}-outcome`, asOf)
      const id = await createRun(client, slot, { trigger: 'manual', settings: SETTINGS })
      await beginAttempt(client, { id, slot: slot.id }, 1, 'worker')
      const run = await findRun(client, id)
      if (run === undefined) throw new Error('no run')
      await DOES[name](client, { slot, run })
      const { rows: found } = await client.query<{ outcome: string; ended_at: string | null }>(
        'select outcome, ended_at from nightshift.attempts where run = $1',
        [id],
      )
      outcomes.push([name, found[0]?.outcome, found[0]?.ended_at !== null])
    })
  }
  expect(outcomes).toEqual([
    ['retry', 'failed', true],
    ['wait', 'waiting', true],
    ['hold', 'held', true],
    ['fail', 'failed', true],
    ['commit', 'published', true],
  ])
})
