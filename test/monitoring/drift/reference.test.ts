import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Database, transaction } from '../../../src/ledger/connection/database.ts'
import { ensureSlot } from '../../../src/ledger/nights/ensure-slot.ts'
import { findRun, type Run } from '../../../src/ledger/nights/run-records.ts'
import { createRun } from '../../../src/ledger/nights/run-transitions.ts'
import { recordProfile } from '../../../src/monitoring/drift/record.ts'
import { referenceOf } from '../../../src/monitoring/drift/reference.ts'
import type { Baseline, Profile } from '../../../src/pipeline/profile/profile.ts'
import type { DriftReference } from '../../../src/project/project.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { freshDatabase } from '../../database/fresh.ts'
import { projectOf } from '../../jobs/nights.ts'

const ZONE = 'Europe/Berlin'
let database: Database
let drop: () => Promise<void>
let tonight: Run

/** 100 rows of one column, `low` of them below the only edge. */
function profileOf(low: number, edge = 5): Profile {
  return {
    rows: 100,
    entities: 100,
    left_out: [],
    columns: [
      {
        kind: 'number',
        column: 'spend',
        type: 'FLOAT',
        score: false,
        rows: 100,
        nulls: 0,
        distinct: 10,
        infinite: 0,
        min: 0,
        max: 10,
        mean: 5,
        sd: 1,
        quantiles: null,
        edges: [edge],
        counts: [low, 100 - low],
      },
    ],
  }
}

const baseline = (more: Partial<Baseline> = {}): Baseline => ({
  text: 'holdout of 3f2a9c0b1d',
  kind: 'holdout',
  dataset: '3f2a9c0b1d',
  rows: 100,
  profile: profileOf(50),
  by_as_of: [],
  ...more,
})

async function publish(date: string, profile: Profile | undefined, backfilled = false): Promise<Run> {
  const settings = { attempts: 1, backoff_ms: 1000, timeout_ms: 60_000, wait_until: null }
  return transaction(database, async (client) => {
    const slot = await ensureSlot(client, 'scores', 'churn', parseAsOf(date, ZONE))
    const id = await createRun(client, slot, { trigger: 'schedule', version: 1, settings })
    await client.query(`update nightshift.runs set state = 'published', rows = 100 where id = $1`, [id])
    await client.query(
      `update nightshift.slots set state = 'published', published_run = $2, published_at = now() where id = $1`,
      [slot.id, id],
    )
    const run = await findRun(client, id)
    if (run === undefined) throw new Error('the run is not there')
    if (profile !== undefined) {
      const night = { run: id, model: 'churn', version: 1, as_of: run.as_of, partition: date, backfilled }
      await recordProfile(
        client,
        { ...night, rows: 100, profile, reference: null, note: null, estimate: null, seconds: 0 },
        [],
      )
    }
    return run
  })
}

beforeAll(async () => {
  const fresh = await freshDatabase()
  database = fresh.database
  drop = fresh.drop
  // Four Thursdays over a change of clocks, of which one was back-filled and one was counted on other edges.
  await publish('2026-10-15', profileOf(10))
  await publish('2026-10-22', profileOf(20), true)
  await publish('2026-10-29', profileOf(30))
  await publish('2026-11-05', profileOf(40, 7))
  await publish('2026-11-06', profileOf(60))
  tonight = await publish('2026-11-12', undefined)
})
afterAll(() => drop())

const reference = (given: DriftReference, of = baseline(), run = tonight) => {
  const project = { ...projectOf([]), timezone: ZONE, warehouse: '/nowhere' }
  const { churn } = project.models
  if (churn === undefined) throw new Error('the project has no such model')
  const model = { ...churn, drift: { ...churn.drift, reference: given } }
  return referenceOf(database.pool, project, { model, version: { version: 1, view: 'activity' }, run }, of)
}

describe('what a night is compared with', () => {
  it('is the holdout of its version, by as-of', async () => {
    const by_as_of = [{ as_of: '2026-09-01', profile: profileOf(50) }]
    expect(await reference({ kind: 'holdout' }, baseline({ by_as_of }))).toMatchObject({
      note: null,
      reference: { text: 'holdout of 3f2a9c0b1d', parts: [{ rows: 100 }], note: null },
    })
  })

  it('is the first night of a version without one, and of that night nothing', async () => {
    const first = baseline({
      kind: 'night',
      night: '2026-11-06',
      text: 'first night 2026-11-06',
      dataset: null,
    })
    expect(await reference({ kind: 'holdout' }, first)).toMatchObject({
      reference: {
        note: 'version 1 has no holdout; the reference is its first night, 2026-11-06',
        files: ['/nowhere/features/activity/as_of=2026-11-06/features.parquet'],
      },
    })
    const itself = baseline({
      kind: 'night',
      night: '2026-11-12',
      text: 'first night 2026-11-12',
      dataset: null,
    })
    expect(await reference({ kind: 'holdout' }, itself)).toMatchObject({ reference: undefined })
  })

  it('is a window of nights as one, without those counted on other edges', async () => {
    const found = await reference({ kind: 'window', from: '2026-10-15', to: '2026-11-06' })
    expect(found.reference?.profile).toMatchObject({ rows: 400, columns: [{ counts: [120, 280] }] })
    expect(found.reference?.parts).toHaveLength(4)
    expect(found.reference).toMatchObject({
      text: 'nights 2026-10-15 to 2026-11-06 (2026-10-15, 2026-10-22, 2026-10-29, 2026-11-06)',
      note: '1 of 5 nights are left out because they were counted on different edges',
    })
  })

  it('is the same weekday of the last weeks, without nights of backfills', async () => {
    const found = await reference({ kind: 'same_weekday', weeks: 4 })
    expect(found.reference).toMatchObject({
      text: 'same weekday of the last 4 weeks (2026-10-15, 2026-10-29)',
      profile: { columns: [{ counts: [40, 160] }] },
      note: '1 of 3 nights are left out because they were counted on different edges',
    })
  })

  it('is without the nights on which a column drifted, as long as it has others', async () => {
    const { rows } = await database.pool.query(
      `select run from nightshift.profiles where partition = '2026-10-29'`,
    )
    const drift = (column: string) =>
      database.pool.query(
        `insert into nightshift.drift (run, model, as_of, partition, position, column_name, is_score, figures, drifted, alerting)
         select run, model, as_of, partition, 0, $2, false, '{}', true, false from nightshift.profiles where run = $1`,
        [rows[0].run, column],
      )
    try {
      await drift('spend')
      const found = await reference({ kind: 'same_weekday', weeks: 4 })
      expect(found.reference?.profile).toMatchObject({ columns: [{ counts: [10, 90] }] })
      expect(found.reference?.note).toContain('drifted columns are left out: spend without 2026-10-29')
      expect(found.reference?.files).toEqual(['/nowhere/features/activity/as_of=2026-10-15/features.parquet'])
      // The only night there is: a change that stays is the usual one day.
      const last = await reference({ kind: 'same_weekday', weeks: 1 }, baseline(), {
        ...tonight,
        partition: '2026-11-05',
      })
      expect(last.reference?.profile).toMatchObject({ columns: [{ counts: [30, 70] }] })
      // A window is named night by night.
      const window = await reference({ kind: 'window', from: '2026-10-15', to: '2026-10-30' })
      expect(window.reference?.profile).toMatchObject({ columns: [{ counts: [60, 240] }] })
    } finally {
      await database.pool.query('delete from nightshift.drift')
    }
  })

  it('is no window that the night itself is in, and one with gaps says so', async () => {
    expect(await reference({ kind: 'window', from: '2026-11-01', to: '2026-11-30' })).toEqual({
      reference: undefined,
      note: 'this is one of the reference nights 2026-11-01 to 2026-11-30',
    })
    const failed = parseAsOf('2026-10-16', ZONE)
    await transaction(database, (client) => ensureSlot(client, 'scores', 'churn', failed))
    const found = await reference({ kind: 'window', from: '2026-10-15', to: '2026-10-30' })
    expect(found.reference?.note).toBe('1 of its 4 nights are missing')
    await database.pool.query(`delete from nightshift.slots where partition = '2026-10-16'`)
  })

  it('is nothing where no such night is there, which is said', async () => {
    expect(await reference({ kind: 'same_weekday', weeks: 1 })).toEqual({
      reference: undefined,
      note: 'no reference: all available nights of the same weekday of the last week (1) were left out because they were counted on different edges',
    })
    expect(await reference({ kind: 'window', from: '2026-01-01', to: '2026-01-31' })).toEqual({
      reference: undefined,
      note: 'no reference: none of the nights 2026-01-01 to 2026-01-31 is available',
    })
  })
})
