import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../src/pipeline/engine/failure.ts'
import type { Source } from '../../src/project/project.ts'
import { type CaseView, compute, duration, makeFolder, readRows, writeParquet } from './feature-case.ts'

const NEW_YORK = { timezone: 'America/New_York' }
const AUCKLAND = { timezone: 'Pacific/Auckland' }

const DAYS = `SELECT unnest([DATE '2026-11-20', DATE '2026-11-21', DATE '2026-11-22']) AS day, 7 AS id`
const SQL = `SELECT id, string_agg(strftime(day, '%d'), ' ' ORDER BY day) AS seen FROM t GROUP BY id`

function events(source: object = {}): CaseView {
  return {
    sql: SQL,
    sources: { t: { kind: 'events', path: 'data/**/*.parquet', event_time: 'day', ...source } },
  }
}

describe('dates of a column', () => {
  it('are local days of the project, west and east of UTC', async () => {
    const root = makeFolder()
    await writeParquet(join(root, 'data/d.parquet'), DAYS)
    for (const at of [NEW_YORK, AUCKLAND, { timezone: 'UTC' }]) {
      const { rows, facts } = await compute(root, events(), '2026-11-22', at)
      expect(rows[0]?.seen, at.timezone).toBe('20 21')
      // What is seen is not the whole file, and no later night may take its sum over.
      expect(facts.inputs[0]?.visible).toMatchObject({ rows: 2, whole: false })
    }
  })

  it('are days of the declared zone of the source, and of a single column', async () => {
    const root = makeFolder()
    await writeParquet(join(root, 'data/d.parquet'), DAYS)
    const seen = async (source: object, at: { timezone: string }) =>
      (await compute(root, events(source), '2026-11-22', at)).rows[0]?.seen
    // When 2026-11-22 begins in New York that day is not over in UTC, and in Auckland not even the day before is.
    expect(await seen({ timezone: 'UTC' }, NEW_YORK)).toBe('20 21')
    expect(await seen({ timezone: 'UTC' }, AUCKLAND)).toBe('20')
    expect(await seen({ timezones: { Day: 'UTC' } }, AUCKLAND)).toBe('20')
    expect(await seen({ timezone: 'UTC', timezones: { day: 'local' } }, NEW_YORK)).toBe('20 21')
    expect(await seen({ timezone: 'UTC', timezones: { day: 'Pacific/Auckland' } }, NEW_YORK)).toBe('20 21')
  })

  it('are fresh, and counted in days, by the same midnights', async () => {
    const root = makeFolder()
    await writeParquet(join(root, 'data/d.parquet'), DAYS)
    const fresh = { rows: undefined, fresh: { t: duration('24h') } }
    const { facts } = await compute(root, { ...events(), expect: fresh }, '2026-11-22', {
      ...NEW_YORK,
      waits: true,
    })
    expect(facts.checks.find(({ kind }) => kind === 'fresh')?.observed).toBe('2026-11-21T05:00:00Z')
    expect(facts.inputs[0]?.newest).toBe('2026-11-22T05:00:00Z')
  })

  it('begin and end the rows of a history as local days', async () => {
    const root = makeFolder()
    await writeParquet(
      join(root, 'data/h.parquet'),
      `SELECT * FROM (VALUES (1, 'old', DATE '2026-11-01', DATE '2026-11-21'), (1, 'new', DATE '2026-11-21', DATE '2026-11-22'),
                             (1, 'next', DATE '2026-11-22', NULL)) t(id, plan, valid_from, valid_to)`,
    )
    const view: CaseView = {
      sql: 'SELECT id, plan, valid_to FROM t',
      sources: {
        t: {
          kind: 'history',
          path: 'data/*.parquet',
          key: ['id'],
          valid_from: 'valid_from',
          valid_to: 'valid_to',
        },
      },
    }
    for (const at of [NEW_YORK, AUCKLAND]) {
      const { rows } = await compute(root, view, '2026-11-22', at)
      expect(rows, at.timezone).toEqual([{ id: '1', plan: 'new', valid_to: null }])
    }
  })
})

describe('dates at an hour of the day', () => {
  const HOURS: [asOf: string, seen: string][] = [
    ['2026-11-22T04Z', '20'],
    ['2026-11-22T05Z', '20 21'],
    ['2026-11-22T15Z', '20 21'],
    ['2026-11-23T04Z', '20 21'],
    ['2026-11-23T05Z', '20 21 22'],
  ]

  it('are seen once their day is over, of a column and of folders', async () => {
    const column = makeFolder()
    await writeParquet(join(column, 'data/d.parquet'), DAYS)
    const folders = makeFolder()
    for (const day of ['2026-11-20', '2026-11-21', '2026-11-22'])
      await writeParquet(join(folders, `data/day=${day}/a.parquet`), 'SELECT 7 AS id')
    for (const [asOf, seen] of HOURS)
      for (const root of [column, folders])
        expect((await compute(root, events(), asOf, NEW_YORK)).rows[0]?.seen, asOf).toBe(seen)
  })

  it('arrive, begin and end with their day', async () => {
    const root = makeFolder()
    await writeParquet(
      join(root, 'data/h.parquet'),
      `SELECT * FROM (VALUES (1, 'old', DATE '2026-11-01', DATE '2026-11-22', DATE '2026-11-01'), (1, 'new', DATE '2026-11-22', NULL, DATE '2026-11-22'),
                             (2, 'late', DATE '2026-11-01', NULL, DATE '2026-11-22')) t(id, plan, since, until, arrived)`,
    )
    const t: Source = {
      kind: 'history',
      path: 'data/*.parquet',
      key: ['id'],
      valid_from: 'since',
      valid_to: 'until',
    }
    const plans = async (asOf: string, source: Source) =>
      (await compute(root, { sql: 'SELECT id, plan, until FROM t', sources: { t: source } }, asOf, NEW_YORK))
        .rows
    const late = { id: '2', plan: 'late', until: null }
    expect(await plans('2026-11-22T15Z', t)).toEqual([{ id: '1', plan: 'old', until: null }, late])
    expect(await plans('2026-11-23T05Z', t)).toEqual([{ id: '1', plan: 'new', until: null }, late])
    const arriving: Source = { ...t, available_at: 'arrived', cutoff: duration('1h') }
    expect(await plans('2026-11-22T15Z', arriving)).toEqual([{ id: '1', plan: 'old', until: null }])
    expect(await plans('2026-11-23T04Z', arriving)).toEqual([{ id: '1', plan: 'old', until: null }, late])
  })
})

describe('dates of folders', () => {
  it('are local days of the project, and wall times in them are of UTC unless the source says otherwise', async () => {
    const root = makeFolder()
    for (const day of ['2026-11-20', '2026-11-21', '2026-11-22'])
      await writeParquet(join(root, `data/day=${day}/a.parquet`), 'SELECT 7 AS id')
    expect((await compute(root, events(), '2026-11-22', NEW_YORK)).rows[0]?.seen).toBe('20 21')
    const snapshots: CaseView = {
      sql: `SELECT id, strftime(day, '%d') AS seen FROM t`,
      sources: { t: { kind: 'snapshots', path: 'data/**/*.parquet', snapshot_at: 'day' } },
    }
    for (const at of [NEW_YORK, AUCKLAND]) {
      const { rows, facts } = await compute(root, snapshots, '2026-11-22', at)
      expect(rows, at.timezone).toEqual([{ id: '7', seen: '21' }])
      expect(facts.inputs.map(({ path }) => path)).toEqual(['data/day=2026-11-21/a.parquet'])
    }
    const hours = makeFolder()
    for (const hour of ['2026-11-22T04:00', '2026-11-22T05:00'])
      await writeParquet(join(hours, `data/day=${hour}/a.parquet`), 'SELECT 7 AS id')
    const sql = 'SELECT id, day AS seen FROM t'
    // 05:00 in UTC is midnight in New York.
    const utc = await compute(hours, { ...snapshots, sql }, '2026-11-22', NEW_YORK)
    expect(utc.rows[0]?.seen).toBe('2026-11-22T04:00')
    const local = {
      t: { kind: 'snapshots', path: 'data/**/*.parquet', snapshot_at: 'day', timezone: 'Etc/GMT+4' },
    } as const
    await expect(compute(hours, { sql, sources: local }, '2026-11-22', NEW_YORK)).resolves.toMatchObject({
      rows: [],
    })
  })
})

describe('a zone of a single column', () => {
  const sql = 'SELECT id, ts, born, signed, zoned FROM t'
  const write = (root: string) =>
    writeParquet(
      join(root, 'data/a.parquet'),
      `SELECT 1 AS id, TIMESTAMP '2026-07-01 00:00:00' AS ts, TIMESTAMP '1980-05-01 00:00:00' AS born,
              TIMESTAMP '2026-07-01 00:00:00' AS signed, TIMESTAMPTZ '1980-05-01 00:00:00+00' AS zoned`,
    )
  const view = (timezones: Record<string, string>): CaseView => ({
    sql,
    sources: { t: { kind: 'events', path: 'data/*.parquet', event_time: 'ts', timezones } },
  })

  it('keeps a birthday a birthday, and converts the others', async () => {
    const root = makeFolder()
    await write(root)
    const zones = { born: 'local', signed: 'Asia/Tokyo', zoned: 'local' }
    const { rows } = await compute(root, view(zones), '2026-11-22', NEW_YORK)
    expect(rows).toEqual([
      {
        id: '1',
        ts: '2026-06-30 20:00:00',
        born: '1980-05-01 00:00:00',
        signed: '2026-06-30 11:00:00',
        zoned: '1980-05-01 00:00:00',
      },
    ])
    const plain = await compute(root, view({}), '2026-11-22', NEW_YORK)
    expect(plain.rows[0]).toMatchObject({ born: '1980-04-30 20:00:00', zoned: '1980-04-30 20:00:00' })
  })

  it('cuts the declared time by its own zone', async () => {
    const root = makeFolder()
    await writeParquet(
      join(root, 'data/a.parquet'),
      `SELECT 1 AS id, unnest([TIMESTAMPTZ '2026-11-21 23:59:59+00', TIMESTAMPTZ '2026-11-22 00:00:00+00']) AS ts`,
    )
    const of = (timezones: Record<string, string>): CaseView => ({
      sql: `SELECT id, string_agg(strftime(ts, '%d %H:%M:%S'), ', ' ORDER BY ts) AS seen FROM t WHERE ts >= $as_of - INTERVAL 6 HOUR GROUP BY id`,
      sources: { t: { kind: 'events', path: 'data/*.parquet', event_time: 'ts', timezones } },
    })
    const at = async (zones: Record<string, string>) =>
      (await compute(root, of(zones), '2026-11-22', NEW_YORK)).rows[0]?.seen
    expect(await at({ ts: 'local' })).toBe('21 23:59:59')
    expect(await at({})).toBe('21 18:59:59, 21 19:00:00')
  })

  it.each([
    [
      { bron: 'local' },
      'expected timezones to name columns, got: bron; its columns are: id, ts, born, signed, zoned; did you mean born?',
    ],
    [{ id: 'local' }, 'expected timezones to name columns of times, got: id INTEGER; remove it'],
    [
      { zoned: 'Europe/Berlin' },
      'expected timezones.zoned to be local or UTC, got: Europe/Berlin; zoned is TIMESTAMP WITH TIME ZONE, which says its zone itself: remove it',
    ],
  ])('is refused where %o cannot be meant', async (zones, message) => {
    const root = makeFolder()
    await write(root)
    const error: unknown = await compute(root, view(zones), '2026-11-22', NEW_YORK).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(Failure)
    expect(error).toMatchObject({ failureClass: 'contract', message: `source t: ${message}` })
  })
})

describe('a date that has no midnight', () => {
  const HOURS = (zone: string) =>
    `SELECT 1 AS id, ((TIMESTAMP '${zone}' - to_minutes(30 + 60 * i::INTEGER))) AS ts FROM range(72) t(i)`
  const sql = `SELECT id, strftime($as_of, '%d %H:%M') AS night, count(*) FILTER (ts >= $as_of - INTERVAL 1 DAY) AS d1, count(*) FILTER (ts >= $as_of - INTERVAL 2 DAY) AS d2, max(ts)::VARCHAR AS last FROM t GROUP BY id`
  const view: CaseView = {
    sql,
    sources: { t: { kind: 'events', path: 'data/*.parquet', event_time: 'ts' } },
  }

  it.each([
    ['America/Sao_Paulo', '2018-11-04', '2018-11-04 03:00', '03 23:30'],
    ['Africa/Cairo', '2024-04-26', '2024-04-25 22:00', '25 23:30'],
    ['Asia/Beirut', '2026-03-29', '2026-03-28 22:00', '28 23:30'],
    ['America/Havana', '2024-03-10', '2024-03-10 05:00', '09 23:30'],
    ['Asia/Amman', '2021-03-26', '2021-03-25 22:00', '25 23:30'],
  ])('is called by it in %s, and its days have their hours', async (timezone, night, begins, last) => {
    const root = makeFolder()
    await writeParquet(
      join(root, 'data/a.parquet'),
      `${HOURS(`${begins}:00`)} UNION ALL SELECT 2, TIMESTAMP '${begins}:00'`,
    )
    const { rows } = await compute(root, view, night, { timezone })
    // The row at the very instant, 01:00 by the clock, is not before the as-of.
    expect(rows).toEqual([
      {
        id: '1',
        night: `${night.slice(8)} 00:00`,
        d1: '24',
        d2: '48',
        last: `${night.slice(0, 8)}${last}:00`,
      },
    ])
    const next = `${night.slice(0, 8)}${String(Number(night.slice(8)) + 1).padStart(2, '0')}`
    const after = await compute(root, view, next, { timezone })
    expect(after.rows[1]).toMatchObject({ id: '2', d1: '1', last: `${night} 01:00:00` })
  })

  it('cuts local days and fresh ones by the instant at which it begins', async () => {
    const root = makeFolder()
    await writeParquet(
      join(root, 'data/d.parquet'),
      `SELECT 7 AS id, unnest([DATE '2018-11-02', DATE '2018-11-03', DATE '2018-11-04']) AS day`,
    )
    const at = { timezone: 'America/Sao_Paulo', waits: true }
    const fresh = { rows: undefined, fresh: { t: duration('1d') } }
    const { rows, facts } = await compute(root, { ...events(), expect: fresh }, '2018-11-04', at)
    expect(rows[0]?.seen).toBe('02 03')
    const next = await compute(root, { ...events(), expect: fresh }, '2018-11-05', at)
    expect(next.rows[0]?.seen).toBe('02 03 04')
    expect(await readRows(facts.file.path)).toHaveLength(1)
  })
})
