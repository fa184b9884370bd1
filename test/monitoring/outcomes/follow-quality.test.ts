import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listIncidents } from '../../../src/alerts/incidents/list-incidents.ts'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { ledgerClock } from '../../../src/ledger/connection/ledger-clock.ts'
import { ensureSlot } from '../../../src/ledger/nights/ensure-slot.ts'
import { createRun } from '../../../src/ledger/nights/run-transitions.ts'
import { followQuality } from '../../../src/monitoring/outcomes/follow-quality.ts'
import { recordOutcome } from '../../../src/monitoring/outcomes/record.ts'
import type { OutcomeFacts } from '../../../src/pipeline/outcomes/outcome-facts.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import { modelNamed } from '../../../src/project/named.ts'
import type { Model } from '../../../src/project/project.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject } from '../../projects/generated.ts'

let fresh: FreshDatabase
let project: TemporaryProject
beforeEach(async () => {
  fresh = await freshDatabase()
  project = await generatedProject()
})
afterEach(async () => {
  await project.remove()
  await fresh.drop()
})

/** The model as it is now, with this bound on the mean error, or none. */
const requiring = (most?: number): Model => {
  const model = modelNamed(openProject(project.root), 'value')
  const require = most === undefined ? {} : { mae: { max: most } }
  return { ...model, evaluation: { ...model.evaluation, require } }
}

/** A night whose scores are off by so much, give or take 0.5. */
async function measured(label: string, mae: number, model: Model): Promise<void> {
  const asOf = parseAsOf(label, 'UTC')
  const report: OutcomeFacts = {
    kind: 'regression',
    rows: 200,
    positives: null,
    metrics: { mae },
    intervals: { mae: { low: mae - 0.5, high: mae + 0.5 } },
    scored: 200,
    unlabelled: 0,
    realized: null,
    predicted: null,
    calibration: [],
    by_segment: [],
    treated: { known: false, rows: 0, measured_on: 'all', biased: false, note: null },
    business: [],
    inputs: [],
    notes: [],
  }
  await transaction(fresh.database, async (client) => {
    const slot = await ensureSlot(client, 'scores', 'value', asOf)
    const run =
      slot.run ??
      (await createRun(client, slot, {
        trigger: 'manual',
        settings: { attempts: 3, backoff_ms: 0, timeout_ms: 60_000, wait_until: null },
      }))
    await recordOutcome(client, {
      model: 'value',
      as_of: asOf.instant,
      partition: asOf.label,
      run,
      version: 1,
      state: 'measured',
      matures_at: asOf.instant,
      horizon: '1d',
      lag: '0d',
      measured_at: asOf.instant,
      note: null,
      report,
    })
    const opened = openProject(project.root)
    const log = pino({ level: 'silent' })
    await followQuality(client, { project: () => opened, clock: ledgerClock(fresh.database), log }, model)
  })
}

const incidents = async () =>
  (await listIncidents(fresh.database.pool, new Date(), { closedToo: true })).map(
    ({ closedAt, bad, nights }) => ({
      open: closedAt === undefined,
      bad,
      how: nights.at(-1)?.recovered?.how,
    }),
  )

test('an error over its bound is worse, one under it is not', async () => {
  for (const night of ['2026-03-01', '2026-03-02', '2026-03-03']) await measured(night, 1, requiring(2))
  expect(await incidents()).toEqual([])
  await measured('2026-03-04', 3, requiring(2))
  await measured('2026-03-05', 3, requiring(2))
  expect(await incidents()).toEqual([{ open: true, bad: ['2026-03-05'], how: undefined }])
})

test('a night that is measured again changes nothing where its figures are the same, whatever the order', async () => {
  await measured('2026-03-02', 3, requiring(2))
  await measured('2026-03-01', 3, requiring(2))
  await measured('2026-03-02', 3, requiring(2))
  expect(await incidents()).toEqual([{ open: true, bad: ['2026-03-02'], how: undefined }])
  const { rows } = await fresh.database.pool.query('select event from nightshift.incident_events order by id')
  expect(rows.map(({ event }) => event)).toEqual(['opened'])
})

test('late labels that put a night right can close it', async () => {
  await measured('2026-03-01', 3, requiring(2))
  await measured('2026-03-02', 3, requiring(2))
  await measured('2026-03-03', 1, requiring(2))
  expect(await incidents()).toEqual([{ open: true, bad: ['2026-03-02'], how: undefined }])
  await measured('2026-03-02', 1, requiring(2))
  expect(await incidents()).toEqual([{ open: false, bad: [], how: 'passed' }])
})

test('figures that may be chance need six nights in a row', async () => {
  for (let night = 1; night <= 5; night++) await measured(`2026-03-0${night}`, 2.2, requiring(2))
  expect(await incidents()).toEqual([])
  await measured('2026-03-06', 2.2, requiring(2))
  expect(await incidents()).toEqual([{ open: true, bad: ['2026-03-06'], how: undefined }])
  const [incident] = await listIncidents(fresh.database.pool, new Date())
  expect(incident?.facts.failure.message).toBe(
    'MAE of 2026-03-06 is 2.2 (95 %: 1.7 to 2.7), at most 2 is required; it is worse on each of the last 6 measured nights, although the interval includes the bound',
  )
})

test('a bound that is taken out of model.yaml closes it', async () => {
  await measured('2026-03-01', 3, requiring(2))
  await measured('2026-03-02', 3, requiring(2))
  await measured('2026-03-02', 3, requiring())
  expect(await incidents()).toEqual([{ open: false, bad: [], how: 'no longer required' }])
})
