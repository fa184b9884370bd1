import { afterEach, beforeEach, expect, test } from 'vitest'
import { toSettings } from '../../../src/jobs/request-run.ts'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { ensureSlot } from '../../../src/ledger/nights/ensure-slot.ts'
import { groupFailures } from '../../../src/ledger/nights/failure-groups.ts'
import { createRun } from '../../../src/ledger/nights/run-transitions.ts'
import { DEFAULT_RETRY } from '../../../src/project/project.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'

let fresh: FreshDatabase
beforeEach(async () => {
  fresh = await freshDatabase()
})
afterEach(() => fresh.drop())

async function failed(
  name: string,
  date: string,
  failure: { class: string; message: string },
  state = 'failed',
) {
  await transaction(fresh.database, async (client) => {
    const slot = await ensureSlot(client, 'features', name, { instant: `${date}T00:00:00Z`, label: date })
    const run = await createRun(client, slot, {
      trigger: 'manual',
      settings: toSettings(DEFAULT_RETRY, 1000, null),
    })
    await client.query(`update nightshift.runs set state = $2, failure = $3 where id = $1`, [
      run,
      state,
      JSON.stringify({ ...failure, anchor: `#${failure.class}`, evidence: {} }),
    ])
  })
}

test('runs that failed for the same reason are one group, whatever file, night or number their messages name', async () => {
  const gone = (day: string) => ({
    class: 'late-data',
    message: `source calls: data/calls/date=${day}.parquet is gone`,
  })
  await failed('activity', '2026-11-01', gone('2026-10-31'))
  await failed('activity', '2026-11-02', gone('2026-11-01'))
  await failed('usage', '2026-11-02', gone('2026-11-01'))
  await failed(
    'usage',
    '2026-11-03',
    { class: 'contract', message: 'column plan has 12 unknown values' },
    'held',
  )
  await failed('usage', '2026-11-04', { class: 'bug', message: 'column plan has 12 unknown values' })
  const groups = await groupFailures(fresh.database.pool, {})
  expect(groups.map(({ class: name, runs, names, from, to }) => ({ name, runs, names, from, to }))).toEqual([
    { name: 'late-data', runs: 3, names: ['activity', 'usage'], from: '2026-11-01', to: '2026-11-02' },
    { name: 'bug', runs: 1, names: ['usage'], from: '2026-11-04', to: '2026-11-04' },
    { name: 'contract', runs: 1, names: ['usage'], from: '2026-11-03', to: '2026-11-03' },
  ])
  expect(groups[0]?.newest.message).toBe('source calls: data/calls/date=2026-11-01.parquet is gone')
})

test('the groups are of the runs that a filter finds', async () => {
  await failed('activity', '2026-11-01', { class: 'model', message: 'no champion' })
  await failed('usage', '2026-11-09', { class: 'model', message: 'no champion' })
  const groups = await groupFailures(fresh.database.pool, { from: '2026-11-05T00:00:00Z', text: 'CHAMPION' })
  expect(groups.map(({ names }) => names)).toEqual([['usage']])
  expect(await groupFailures(fresh.database.pool, { failureClass: 'bug' })).toEqual([])
})
