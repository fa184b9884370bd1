import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { claimAttempt } from '../../../src/ledger/nights/attempt-records.ts'
import { ensureSlot } from '../../../src/ledger/nights/ensure-slot.ts'
import { createRun } from '../../../src/ledger/nights/run-transitions.ts'
import {
  claimShard,
  finishShard,
  nameShard,
  returnShard,
  SHARD_TRIES,
} from '../../../src/ledger/shards/claim-shard.ts'
import {
  type FeatureSplitRequest,
  openSplits,
  recordSplit,
  type ScoreSplitRequest,
  shardsOf,
} from '../../../src/ledger/shards/split-records.ts'
import type { Part } from '../../../src/pipeline/shards/score-shard.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'

let fresh: FreshDatabase
let run: string
let night = 0
beforeAll(async () => {
  fresh = await freshDatabase()
})
afterAll(() => fresh.drop())

/** A run whose first attempt is split in two. */
beforeEach(async () => {
  run = await transaction(fresh.database, async (client) => {
    const asOf = parseAsOf(`2026-03-${String(++night).padStart(2, '0')}`, 'UTC')
    const slot = await ensureSlot(client, 'scores', 'churn', asOf, { anew: true })
    const settings = { attempts: 3, backoff_ms: 0, timeout_ms: 60_000, wait_until: null }
    const id = await createRun(client, slot, { trigger: 'manual', settings })
    await claimAttempt(client, id, 1, { worker: 'splitter' })
    const split = {
      ...{ run: id, attempt: 1, kind: 'scores' as const, rows: 10 },
      ...{ features: 'f', features_sha: 'abc', features_file: null },
    }
    const ranges = [
      { first: 0, rows: 6 },
      { first: 6, rows: 4 },
    ]
    await recordSplit(client, { ...split, request: {} as ScoreSplitRequest, steps: [] }, ranges)
    return id
  })
})

const pool = () => fresh.database.pool
const claim = (shard: number, worker = 'w') =>
  transaction(fresh.database, (client) => claimShard(client, { run, attempt: 1, shard }, worker))
const started = async (shard: number, worker = 'w') => {
  const claimed = await claim(shard, worker)
  if (claimed.kind !== 'started') throw new Error(`it is ${claimed.kind}`)
  return claimed
}
const silence = (seconds: number) =>
  pool().query(`update nightshift.shards set seen_at = seen_at - make_interval(secs => $1) where run = $2`, [
    seconds,
    run,
  ])
const part = { file: { rows: 9 } } as Part
const join = () => transaction(fresh.database, (client) => claimAttempt(client, run, 1, { worker: 'joiner' }))

test('a shard is in one hand; a silent one is taken over, and the first may no longer record its part', async () => {
  const first = await started(1, 'w1')
  expect(first.shard).toMatchObject({ first_row: 0, rows: 6, tries: 1 })
  expect(await claim(1, 'w2')).toEqual({ kind: 'ended', reason: 'w1 has it in hand' })
  expect(await nameShard(pool(), first.shard, first.fence)).toBe(true)
  await silence(11)
  const second = await started(1, 'w2')
  expect(second.shard.tries).toBe(2)
  expect(await nameShard(pool(), first.shard, first.fence)).toBe(false)
  expect(
    await finishShard(pool(), first.shard, { fence: first.fence, part, usage: undefined }),
  ).toBeUndefined()
  expect(await finishShard(pool(), second.shard, { fence: second.fence, part, usage: undefined })).toEqual({
    shards: 1,
    rows: 6,
  })
  expect(await claim(1)).toEqual({ kind: 'ended', reason: 'it is done' })
})

test('tries are bounded, but for those whose worker closed', async () => {
  const closed = await started(2)
  await returnShard(pool(), closed.shard, { fence: closed.fence, failure: null, counts: false })
  for (let tries = 1; tries <= SHARD_TRIES; tries++) {
    expect((await started(2)).shard.tries).toBe(tries)
    await silence(11)
  }
  expect((await claim(2)).kind).toBe('exhausted')
})

test('the join is begun once, when all shards are done, by whoever comes; its loss is that of the attempt', async () => {
  const one = await started(1)
  await finishShard(pool(), one.shard, { fence: one.fence, part, usage: undefined })
  expect(await join()).toMatchObject({
    kind: 'ended',
    reason: expect.stringContaining('waits for its shards'),
  })
  const own = (await openSplits(pool())).find((split) => split.run === run)
  expect(own).toMatchObject({ attempt: 1, shards: 2, open: [{ shard: 2, silent_ms: null }] })
  const two = await started(2)
  await finishShard(pool(), two.shard, { fence: two.fence, part, usage: undefined })
  const joined = await join()
  expect(joined).toMatchObject({ kind: 'join', number: 1, split: { shards: 2, features_sha: 'abc' } })
  expect((await openSplits(pool())).some((split) => split.run === run)).toBe(false)
  expect((await join()).kind).toBe('lost')
})

test('nothing is to be done for an attempt that is over', async () => {
  const held = await started(1)
  await pool().query(`update nightshift.runs set state = 'failed' where id = $1`, [run])
  expect(await nameShard(pool(), held.shard, held.fence)).toBe(false)
  expect(await claim(2)).toMatchObject({ kind: 'ended', reason: expect.stringContaining('is over') })
  expect((await shardsOf(pool(), run)).map(({ state }) => state)).toEqual(['running', 'waiting'])
})

test('rows of features are known when a shard is done', async () => {
  const id = await transaction(fresh.database, async (client) => {
    const asOf = parseAsOf('2026-04-01', 'UTC')
    const slot = await ensureSlot(client, 'features', 'activity', asOf, { anew: true })
    const settings = { attempts: 3, backoff_ms: 0, timeout_ms: 60_000, wait_until: null }
    const created = await createRun(client, slot, { trigger: 'manual', settings })
    await claimAttempt(client, created, 1, { worker: 'splitter' })
    const split = { run: created, attempt: 1, kind: 'features' as const, steps: [] }
    const groups = [
      { buckets: ['0', '1'], bytes: 700 },
      { buckets: ['x'], bytes: 500 },
    ]
    await recordSplit(client, { ...split, request: {} as FeatureSplitRequest }, groups)
    return created
  })
  const claimed = await transaction(fresh.database, (client) =>
    claimShard(client, { run: id, attempt: 1, shard: 1 }, 'w'),
  )
  if (claimed.kind !== 'started') throw new Error(`it is ${claimed.kind}`)
  expect(claimed.split.kind).toBe('features')
  expect(claimed.shard).toMatchObject({ first_row: null, rows: null, buckets: ['0', '1'], bytes: 700 })
  const done = await finishShard(pool(), claimed.shard, { fence: claimed.fence, part, usage: undefined })
  expect(done).toEqual({ shards: 1, rows: 9 })
  expect((await shardsOf(pool(), id)).map(({ rows, bytes }) => ({ rows, bytes }))).toEqual([
    { rows: 9, bytes: 700 },
    { rows: null, bytes: 500 },
  ])
})
