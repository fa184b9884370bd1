import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type CaseView, compute, duration, makeFolder, writeParquet } from '../feature-case.ts'

/** Times of all rows that a view sees, as a list in one row. */
const SEEN = "SELECT 1 AS id, string_agg(strftime(ts, '%m-%d %H:%M:%S.%f'), ', ' ORDER BY ts) AS seen FROM t"

async function seen(
  root: string,
  view: Pick<CaseView, 'sources'> & { sql?: string },
  asOf: string,
  more = {},
): Promise<unknown> {
  const { rows } = await compute(root, { sql: SEEN, ...view }, asOf, more)
  return rows[0]?.seen
}

describe('events', () => {
  it('shows what happened before the as-of, and not what happened at it', async () => {
    const root = makeFolder()
    await writeParquet(
      join(root, 'data/a.parquet'),
      `SELECT unnest([TIMESTAMP '2026-11-21 23:59:59.999999', TIMESTAMP '2026-11-22 00:00:00', TIMESTAMP '2026-11-22 00:00:01', NULL]) AS ts`,
    )
    const sources: CaseView['sources'] = { t: { kind: 'events', path: 'data/*.parquet', event_time: 'ts' } }
    expect(await seen(root, { sources }, '2026-11-22')).toBe('11-21 23:59:59.999999')
  })

  it('hides what arrived after the cutoff, and what had not arrived when the run read', async () => {
    const root = makeFolder()
    await writeParquet(
      join(root, 'data/a.parquet'),
      `SELECT TIMESTAMP '2026-11-21 10:00:00' + to_minutes(i::INTEGER) AS ts, ['2026-11-21 12:00:00', '2026-11-22 04:00:00', '2026-11-22 04:00:00.000001', '2026-11-22 03:00:00', NULL][i + 1]::TIMESTAMP AS arrived FROM range(5) t(i)`,
    )
    const sources: CaseView['sources'] = {
      t: {
        kind: 'events',
        path: 'data/*.parquet',
        event_time: 'ts',
        available_at: 'arrived',
        cutoff: duration('4h'),
      },
    }
    const all = '11-21 10:00:00.000000, 11-21 10:01:00.000000, 11-21 10:03:00.000000'
    expect(await seen(root, { sources }, '2026-11-22')).toBe(all)
    const early = { knownAt: '2026-11-22T02:30:00Z' }
    expect(await seen(root, { sources }, '2026-11-22', early)).toBe('11-21 10:00:00.000000')
    expect(await seen(root, { sources }, '2026-11-22', { knownAt: '2026-11-22T03:00:00Z' })).toBe(
      '11-21 10:00:00.000000, 11-21 10:03:00.000000',
    )
  })

  it('shows a date once its day is over in the source zone', async () => {
    const root = makeFolder()
    await writeParquet(
      join(root, 'data/a.parquet'),
      `SELECT DATE '2026-11-20' + i::INTEGER AS ts FROM range(4) t(i)`,
    )
    const sql = `SELECT 1 AS id, string_agg(ts::VARCHAR, ', ' ORDER BY ts) AS seen, any_value(typeof(ts) ORDER BY ts) AS type FROM t`
    const at = (timezone: string): CaseView => ({
      sql,
      sources: { t: { kind: 'events', path: 'data/*.parquet', event_time: 'ts', timezone } },
    })
    const berlin = { timezone: 'Europe/Berlin' }
    const [own] = (await compute(root, at('Europe/Berlin'), '2026-11-22', berlin)).rows
    expect(own).toEqual({ id: '1', seen: '2026-11-20, 2026-11-21', type: 'DATE' })
    // In Auckland 2026-11-22 has begun and is not over; in New York 2026-11-21 is not over for six more hours.
    const [auckland] = (await compute(root, at('Pacific/Auckland'), '2026-11-22', berlin)).rows
    expect(auckland?.seen).toBe('2026-11-20, 2026-11-21')
    const [newYork] = (await compute(root, at('America/New_York'), '2026-11-22', berlin)).rows
    expect(newYork?.seen).toBe('2026-11-20')
  })

  it('reads only the files that can hold rows before the as-of, and records only these', async () => {
    const root = makeFolder()
    for (const day of ['20', '21', '22']) {
      await writeParquet(
        join(root, `data/${day}.parquet`),
        `SELECT TIMESTAMP '2026-11-${day} 12:00:00' AS ts`,
      )
    }
    const view: CaseView = {
      sql: SEEN,
      sources: { t: { kind: 'events', path: 'data/*.parquet', event_time: 'ts' } },
    }
    const { facts } = await compute(root, view, '2026-11-22')
    expect(facts.inputs.map(({ path, rows, newest }) => [path, rows, newest])).toEqual([
      ['data/20.parquet', 1, '2026-11-20T12:00:00Z'],
      ['data/21.parquet', 1, '2026-11-21T12:00:00Z'],
    ])
    const before = await compute(root, { ...view, expect: { rows: { min: 0 }, fresh: {} } }, '2026-01-01')
    expect(before.facts.inputs).toEqual([])
    expect(before.rows[0]?.seen).toBeNull()
  })
})

describe('history', () => {
  const CUSTOMERS = (rows: string) => `SELECT * FROM (VALUES ${rows}) t(id, plan, valid_from, valid_to)`
  const sql = `SELECT id, plan, strftime(valid_from, '%m-%d') AS began, valid_to FROM t`
  const sources: CaseView['sources'] = {
    t: {
      kind: 'history',
      path: 'data/*.parquet',
      key: ['id'],
      valid_from: 'valid_from',
      valid_to: 'valid_to',
    },
  }
  const at = (month: string, day: string) => `TIMESTAMP '2026-${month}-${day} 00:00:00'`

  it('shows a customer who will cancel as one whose end nobody knows', async () => {
    const root = makeFolder()
    await writeParquet(
      join(root, 'data/a.parquet'),
      CUSTOMERS(`(1, 'basic', ${at('01', '01')}, ${at('11', '22')})`),
    )
    const night = async (asOf: string) =>
      (await compute(root, { sql, sources, expect: { rows: { min: 0 }, fresh: {} } }, asOf)).rows
    expect(await night('2026-11-21')).toEqual([{ id: '1', plan: 'basic', began: '01-01', valid_to: null }])
    // At the very moment of the end it has not happened yet.
    expect(await night('2026-11-22')).toEqual([{ id: '1', plan: 'basic', began: '01-01', valid_to: null }])
    expect(await night('2026-11-23')).toEqual([])
    expect(await night('2026-01-01')).toEqual([])
  })

  it('shows of each key the latest row that began before the as-of', async () => {
    const root = makeFolder()
    await writeParquet(
      join(root, 'data/a.parquet'),
      CUSTOMERS(
        `(1, 'basic', ${at('01', '01')}, ${at('11', '22')}), (1, 'pro', ${at('11', '22')}, NULL), (2, 'plus', ${at('03', '01')}, NULL), (3, 'pro', ${at('12', '01')}, NULL)`,
      ),
    )
    const plans = async (asOf: string) =>
      (await compute(root, { sql, sources }, asOf)).rows.map(({ id, plan }) => `${id} ${plan}`)
    // A key does not vanish for the moment at which one row ends and the next begins.
    expect(await plans('2026-11-22')).toEqual(['1 basic', '2 plus'])
    expect(await plans('2026-11-23')).toEqual(['1 pro', '2 plus'])
    expect(await plans('2026-02-01')).toEqual(['1 basic'])
  })

  it('takes a correction once it has arrived, and not before', async () => {
    const root = makeFolder()
    await writeParquet(
      join(root, 'data/a.parquet'),
      `SELECT 1 AS id, plan, TIMESTAMP '2026-01-01' AS valid_from, arrived FROM (VALUES ('basic', TIMESTAMP '2026-01-01 01:00:00'), ('pro', TIMESTAMP '2026-05-01 01:00:00')) v(plan, arrived)`,
    )
    const view: CaseView = {
      sql: 'SELECT id, plan FROM t',
      sources: {
        t: {
          kind: 'history',
          path: 'data/*.parquet',
          key: [],
          valid_from: 'valid_from',
          available_at: 'arrived',
          cutoff: duration('2h'),
        },
      },
    }
    expect((await compute(root, view, '2026-05-01')).rows).toEqual([{ id: '1', plan: 'pro' }])
    expect((await compute(root, view, '2026-05-01', { knownAt: '2026-05-01T00:59:59Z' })).rows).toEqual([
      { id: '1', plan: 'basic' },
    ])
    expect((await compute(root, view, '2026-04-30')).rows).toEqual([{ id: '1', plan: 'basic' }])
  })

  it('decides between rows of one start by their values, whatever their order in the files, and not by what lies ahead', async () => {
    const rows = Array.from(
      { length: 40 },
      (_, i) =>
        `(${i % 10}, 'p${Math.floor(i / 10)}', ${at('01', '01')}, ${i < 10 ? at('12', '31') : at('12', '01')})`,
    )
    const results: unknown[] = []
    for (const order of [rows, [...rows].reverse()]) {
      const root = makeFolder()
      await writeParquet(join(root, 'data/a.parquet'), CUSTOMERS(order.join(', ')))
      results.push((await compute(root, { sql, sources }, '2026-11-22')).rows.map(({ plan }) => plan))
    }
    // The row that ends last would be p0: but tonight nobody knows which that is.
    expect(results).toEqual([Array(10).fill('p3'), Array(10).fill('p3')])
  })
})

describe('snapshots', () => {
  const sql = 'SELECT id, stock FROM t'

  it('shows the newest one before the as-of, and not the one of its own midnight', async () => {
    const root = makeFolder()
    for (const day of ['20', '21', '22']) {
      await writeParquet(join(root, `data/date=2026-11-${day}/a.parquet`), `SELECT 1 AS id, ${day} AS stock`)
    }
    mkdirSync(join(root, 'data/date=2026-11-19'))
    const view: CaseView = {
      sql: `${sql}`,
      sources: {
        t: { kind: 'snapshots', path: 'data/*/*.parquet', snapshot_at: 'date', timezone: 'Europe/Berlin' },
      },
    }
    const berlin = { timezone: 'Europe/Berlin' }
    const night = await compute(root, view, '2026-11-22', berlin)
    expect(night.rows).toEqual([{ id: '1', stock: '21' }])
    expect(night.facts.inputs.map(({ path, newest }) => [path, newest])).toEqual([
      ['data/date=2026-11-21/a.parquet', '2026-11-20T23:00:00Z'],
    ])
    expect((await compute(root, view, '2026-11-23', berlin)).rows).toEqual([{ id: '1', stock: '22' }])
    // Within the day its own snapshot may still be to come.
    expect((await compute(root, view, '2026-11-22T00Z', berlin)).rows).toEqual([{ id: '1', stock: '21' }])
  })

  it('takes a column for the time, and dates for midnights of the source zone', async () => {
    const root = makeFolder()
    await writeParquet(
      join(root, 'data/a.parquet'),
      `SELECT i::INTEGER AS id, 10 * day + i AS stock, DATE '2026-11-01' + day::INTEGER AS taken FROM range(3) t(i), range(10) d(day)`,
    )
    const view: CaseView = {
      sql,
      sources: { t: { kind: 'snapshots', path: 'data/*.parquet', snapshot_at: 'taken' } },
    }
    expect((await compute(root, view, '2026-11-05')).rows.map(({ stock }) => stock)).toEqual([
      '30',
      '31',
      '32',
    ])
    // In UTC the fifth begins an hour after it does in Berlin.
    const { rows } = await compute(root, view, '2026-11-05', { timezone: 'Europe/Berlin' })
    expect(rows.map(({ stock }) => stock)).toEqual(['30', '31', '32'])
  })

  it('gives the key its type and lets SQL aggregate it', async () => {
    const root = makeFolder()
    for (const day of ['20', '21']) {
      await writeParquet(
        join(root, `data/date=2026-11-${day}/region=eu/a.parquet`),
        `SELECT 1 AS id, ${day} AS stock`,
      )
    }
    const view: CaseView = {
      sql: 'SELECT id, (SELECT max(date) FROM t) AS newest, region, typeof(date) AS type FROM t',
      sources: { t: { kind: 'snapshots', path: 'data/**/*.parquet', snapshot_at: 'date' } },
    }
    const { rows } = await compute(root, view, '2026-11-22')
    expect(rows).toEqual([{ id: '1', newest: '2026-11-21', region: 'eu', type: 'DATE' }])
  })
})

it('shows everything of a static source', async () => {
  const root = makeFolder()
  await writeParquet(
    join(root, 'data/a.parquet'),
    `SELECT unnest([TIMESTAMP '2020-01-01', TIMESTAMP '2030-01-01']) AS ts`,
  )
  const sources: CaseView['sources'] = { t: { kind: 'static', path: 'data/*.parquet' } }
  expect(await seen(root, { sources }, '2026-11-22')).toBe('01-01 00:00:00.000000, 01-01 00:00:00.000000')
})

it('gives the same features from whole files and from files that end at the as-of', async () => {
  const [whole, ended] = [makeFolder(), makeFolder()]
  const events = `SELECT (hash(i) % 50)::INTEGER AS id, TIMESTAMP '2026-10-01' + to_minutes((hash(i + 1) % 100000)::INTEGER) AS ts, (hash(i) % 1000) / 8 AS cost FROM range(5000) t(i)`
  const history = `SELECT (i % 50)::INTEGER AS id, 'p' || hash(i) % 3 AS plan, TIMESTAMP '2026-09-01' + to_hours((hash(i) % 3000)::INTEGER) AS valid_from, TIMESTAMP '2026-11-01' + to_hours((hash(i) % 1500)::INTEGER) AS valid_to FROM range(300) t(i)`
  const cut = `TIMESTAMP '2026-11-22'`
  await writeParquet(join(whole, 'events.parquet'), events)
  await writeParquet(join(ended, 'events.parquet'), `SELECT * FROM (${events}) WHERE ts < ${cut}`)
  await writeParquet(join(whole, 'history.parquet'), history)
  await writeParquet(
    join(ended, 'history.parquet'),
    `SELECT * REPLACE (CASE WHEN valid_to < ${cut} THEN valid_to END AS valid_to) FROM (${history}) WHERE valid_from < ${cut}`,
  )
  const view: CaseView = {
    sql: `SELECT h.id, h.plan, h.valid_from, h.valid_to, count(e.ts) AS n, sum(e.cost)::FLOAT AS cost, max(e.ts) AS newest
            FROM h LEFT JOIN e USING (id) GROUP BY ALL`,
    sources: {
      e: { kind: 'events', path: 'events.parquet', event_time: 'ts' },
      h: {
        kind: 'history',
        path: 'history.parquet',
        key: ['id'],
        valid_from: 'valid_from',
        valid_to: 'valid_to',
      },
    },
  }
  const full = await compute(whole, view, '2026-11-22')
  expect(full.rows.length).toBeGreaterThan(10)
  expect((await compute(ended, view, '2026-11-22')).rows).toEqual(full.rows)
})
