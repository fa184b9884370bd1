import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  checkAgain,
  checksOf,
  expectOutcome,
  findOutcome,
  moveOutcome,
  type Outcome,
  outcomesOf,
  recordOutcome,
} from '../../../src/monitoring/outcomes/record.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
})
afterAll(() => fresh.drop())
beforeEach(async () => {
  await fresh.database.pool.query('truncate nightshift.outcomes')
})

const IN_BERLIN = '2026-05-31T22:00:00.000Z'
const IN_UTC = '2026-06-01T00:00:00.000Z'
const night: Outcome = {
  model: 'churn',
  as_of: IN_BERLIN,
  partition: '2026-06-01',
  run: null,
  version: 1,
  state: 'immature',
  matures_at: '2026-06-30T22:00:00.000Z',
  horizon: '30d',
  lag: '0d',
  measured_at: null,
  note: 'its label window ends at 2026-06-30T22:00:00.000Z',
  report: null,
}

test('a night whose label begins at another instant in another time zone keeps its one outcome', async () => {
  const { pool } = fresh.database
  await expectOutcome(pool, night, { at: night.matures_at, count: 0 })
  await expectOutcome(pool, { ...night, as_of: IN_UTC }, { at: null, count: 0 })
  expect(await outcomesOf(pool, 'churn')).toHaveLength(1)

  await moveOutcome(
    pool,
    { ...night, as_of: IN_UTC, matures_at: '2026-07-01T00:00:00.000Z' },
    { at: null, count: 0 },
  )
  expect(await findOutcome(pool, 'churn', '2026-06-01')).toMatchObject({
    as_of: IN_UTC,
    matures_at: '2026-07-01T00:00:00.000Z',
  })

  await checkAgain(pool, night, { at: null, count: 3 })
  expect(await checksOf(pool, night)).toBe(3)
  await recordOutcome(pool, { ...night, as_of: IN_UTC, state: 'failed', note: 'no labels' })
  expect(await outcomesOf(pool, 'churn')).toMatchObject([{ as_of: IN_UTC, state: 'failed' }])
})

test('of two outcomes that an earlier build recorded for one label, the measured one remains', async () => {
  const { pool } = fresh.database
  await pool.query(`alter table nightshift.outcomes drop constraint outcomes_pkey, add primary key (model, as_of);
    drop index nightshift.outcomes_by_as_of`)
  await pool.query(
    `insert into nightshift.outcomes (model, as_of, partition, state, matures_at, measured_at)
     values ('churn', $1, '2026-06-01', 'measured', $2, now()), ('churn', $2, '2026-06-01', 'immature', now(), null),
            ('churn', $1::timestamptz + interval '1 day', '2026-06-02', 'immature', $1, null),
            ('churn', $2::timestamptz + interval '1 day', '2026-06-02', 'immature', $2, null)`,
    [IN_BERLIN, IN_UTC],
  )
  const migration = new URL('../../../src/ledger/migrations/020_outcomes_by_label.sql', import.meta.url)
  await pool.query(readFileSync(migration, 'utf8'))
  expect(await outcomesOf(pool, 'churn')).toMatchObject([
    { partition: '2026-06-01', as_of: IN_BERLIN, state: 'measured' },
    { partition: '2026-06-02', as_of: '2026-06-02T00:00:00.000Z', state: 'immature' },
  ])
})
