import { join } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import {
  ALL_TIME,
  dateBound,
  fromLocal,
  pieces,
  rawBound,
  readInstant,
  showInstant,
  toLocal,
} from '../../../src/pipeline/cut/wall-time.ts'
import { type CaseView, compute, makeFolder, writeParquet } from '../feature-case.ts'

const MINUTE = 60_000_000n
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Pacific/Apia',
  'Africa/Casablanca',
]

/** What Temporal says of a wall time: an independent implementation, 25 µs a call. */
function instantOf(zone: string, wall: bigint): bigint {
  const plain = Temporal.Instant.fromEpochMilliseconds(Number(wall / 1000n))
    .toZonedDateTimeISO('UTC')
    .toPlainDateTime()
  return BigInt(plain.toZonedDateTime(zone).epochMilliseconds) * 1000n
}

function wallOf(zone: string, instant: bigint): bigint {
  const zoned = Temporal.Instant.fromEpochMilliseconds(Number(instant / 1000n)).toZonedDateTimeISO(zone)
  return BigInt(zoned.toPlainDateTime().toZonedDateTime('UTC').epochMilliseconds) * 1000n
}

describe('pieces', () => {
  it('agree with Temporal between any two zones, through every change of clocks', () => {
    const range = { min: readInstant('2010-11-01T00:00Z'), max: readInstant('2012-05-01T00:00Z') }
    let compared = 0
    for (const from of ZONES) {
      for (const to of ZONES.filter((zone) => zone !== from)) {
        const parts = pieces(from, to, range)
        for (let raw = range.min; raw < range.max; raw += 7013n * MINUTE) {
          const part = parts.findLast((each) => each.from === undefined || raw >= each.from)
          if (raw + (part?.add ?? 0n) !== wallOf(to, instantOf(from, raw)))
            expect.fail(`${from} to ${to} at ${showInstant(raw)}`)
          compared++
        }
      }
    }
    expect(compared).toBeGreaterThan(6000)
  })

  it('are one where no clock changes within the range, and none where the zones are one', () => {
    const summer = { min: readInstant('2026-06-01T00:00Z'), max: readInstant('2026-07-01T00:00Z') }
    expect(pieces('UTC', 'Europe/Berlin', summer)).toEqual([{ from: undefined, add: 120n * MINUTE }])
    expect(pieces('Europe/Berlin', 'Europe/Berlin', ALL_TIME)).toEqual([{ from: undefined, add: 0n }])
  })

  it('stop at 2100, where 9999-12-31 is a way to say never', () => {
    const parts = pieces('UTC', 'Europe/Berlin', {
      min: readInstant('2026-01-01T00:00Z'),
      max: readInstant('9999-12-31T00:00Z'),
    })
    expect(parts.length).toBeGreaterThan(140)
    expect(parts.length).toBeLessThan(160)
  })
})

describe('a bound on raw values', () => {
  it('lies exactly where instants do, also within hours that come twice or never', () => {
    for (const zone of ZONES) {
      for (const change of [
        '2011-03-27T01:00Z',
        '2011-10-30T01:00Z',
        '2011-03-13T07:00Z',
        '2011-11-06T06:00Z',
        '2011-10-16T03:00Z',
        '2011-12-30T10:00Z',
        '2011-04-02T15:00Z',
      ]) {
        for (let offset = -150n; offset <= 150n; offset += 15n) {
          const instant = readInstant(change) + offset * MINUTE
          const { below, except } = rawBound(zone, instant)
          for (let near = -200n; near <= 200n; near += 25n) {
            const raw = toLocal(zone, instant) + near * MINUTE
            const isBefore = raw < below && !(except !== undefined && raw >= except.from && raw < except.to)
            if (isBefore !== instantOf(zone, raw) < instant)
              expect.fail(`${zone}: ${showInstant(raw)} at ${showInstant(instant)}`)
            if (fromLocal(zone, raw) !== instantOf(zone, raw))
              expect.fail(`${zone}: the instant of ${showInstant(raw)}`)
          }
        }
      }
    }
  })

  it('counts a date once its day is over', () => {
    const day = (date: string) => BigInt(Date.parse(date) / 86_400_000)
    expect(dateBound('Europe/Berlin', readInstant('2026-11-21T23:00:00Z'))).toBe(day('2026-11-22'))
    expect(dateBound('Europe/Berlin', readInstant('2026-11-21T23:00:00.000001Z'))).toBe(day('2026-11-22'))
    expect(dateBound('UTC', readInstant('2026-11-21T23:00:00Z'))).toBe(day('2026-11-21'))
  })
})

describe('a project in Berlin over files in UTC', () => {
  const COLUMNS = `1 AS id, string_agg(strftime(ts, '%d %H:%M') || ' ' || hour(ts) || ' ' || ts::DATE::VARCHAR, ', ' ORDER BY n) AS seen,
    max(date_diff('day', ts, $as_of)) AS days, min(ts) AS first, any_value(typeof(ts) ORDER BY n) AS type`
  const view = (kind: 'naive' | 'instant' | 'nanos'): CaseView => ({
    sql: `SELECT ${COLUMNS} FROM t`,
    sources: { t: { kind: 'events', path: `${kind}.parquet`, event_time: 'ts' } },
  })
  const write = async (times: string[]): Promise<string> => {
    const root = makeFolder()
    const rows = times.map((time, index) => `(${index}, TIMESTAMP '${time}')`).join(', ')
    const from = `FROM (VALUES ${rows}) v(n, ts)`
    await writeParquet(join(root, 'naive.parquet'), `SELECT n, ts ${from}`)
    await writeParquet(
      join(root, 'instant.parquet'),
      `SELECT n, make_timestamptz(epoch_us(ts)) AS ts ${from}`,
    )
    await writeParquet(join(root, 'nanos.parquet'), `SELECT n, ts::TIMESTAMP_NS AS ts ${from}`)
    return root
  }
  const night = async (root: string, kind: 'naive' | 'instant' | 'nanos', asOf: string) =>
    (await compute(root, view(kind), asOf, { timezone: 'Europe/Berlin' })).rows[0]

  for (const kind of ['naive', 'instant', 'nanos'] as const) {
    it(`has the hours, days and cut of its own clock on both sides of spring (${kind})`, async () => {
      const root = await write([
        '2026-03-28 22:59:59',
        '2026-03-28 23:00:00',
        '2026-03-29 00:59:59',
        '2026-03-29 01:00:00',
        '2026-03-29 21:59:59',
        '2026-03-29 22:00:00',
      ])
      expect(await night(root, kind, '2026-03-29')).toMatchObject({
        seen: '28 23:59 23 2026-03-28',
        days: '1',
        type: 'TIMESTAMP',
      })
      // The day of the change is 23 hours long: it ends at 22:00 in UTC.
      expect(await night(root, kind, '2026-03-30')).toMatchObject({
        seen: '28 23:59 23 2026-03-28, 29 00:00 0 2026-03-29, 29 01:59 1 2026-03-29, 29 03:00 3 2026-03-29, 29 23:59 23 2026-03-29',
        days: '2',
        first: '2026-03-28 23:59:59',
      })
    })

    it(`has the hours, days and cut of its own clock on both sides of autumn (${kind})`, async () => {
      const root = await write([
        '2026-10-24 21:59:59',
        '2026-10-24 22:00:00',
        '2026-10-25 00:30:00',
        '2026-10-25 01:30:00',
        '2026-10-25 22:59:59',
        '2026-10-25 23:00:00',
      ])
      expect(await night(root, kind, '2026-10-25')).toMatchObject({
        seen: '24 23:59 23 2026-10-24',
        days: '1',
      })
      // Half past two comes twice, and the day is 25 hours long.
      expect(await night(root, kind, '2026-10-26')).toMatchObject({
        seen: '24 23:59 23 2026-10-24, 25 00:00 0 2026-10-25, 25 02:30 2 2026-10-25, 25 02:30 2 2026-10-25, 25 23:59 23 2026-10-25',
        days: '2',
      })
    })
  }

  it('reads naive times of a source that names another zone as that zone counts', async () => {
    const root = await write(['2026-03-28 18:59:59', '2026-03-28 19:00:00'])
    const base = view('naive')
    const newYork: CaseView = {
      ...base,
      sources: {
        t: { kind: 'events', path: 'naive.parquet', event_time: 'ts', timezone: 'America/New_York' },
      },
    }
    const { rows } = await compute(root, newYork, '2026-03-29', { timezone: 'Europe/Berlin' })
    // New York changed its clocks three weeks before: midnight in Berlin is 19:00 there.
    expect(rows[0]?.seen).toBe('28 23:59 23 2026-03-28')
  })

  it('keeps infinity, and times beyond any statistics', async () => {
    const root = makeFolder()
    await writeParquet(
      join(root, 'naive.parquet'),
      `SELECT 1 AS n, TIMESTAMP '2026-05-01' AS ts, unnest(['infinity', '-infinity', '9999-12-31', '2026-07-01', NULL])::TIMESTAMP AS until`,
    )
    const sql = `SELECT row_number() OVER (ORDER BY until) AS id, until FROM t`
    const { rows } = await compute(root, { ...view('naive'), sql }, '2026-06-01', {
      timezone: 'Europe/Berlin',
    })
    expect(rows.map(({ until }) => until)).toEqual([
      '-infinity',
      '2026-07-01 02:00:00',
      '9999-12-31 01:00:00',
      'infinity',
      null,
    ])
  })

  it('gives the same rows whether or not the query’s own window is pushed into the scan', async () => {
    const root = makeFolder()
    await writeParquet(
      join(root, 'naive.parquet'),
      `SELECT i AS n, TIMESTAMP '2026-10-20' + to_minutes(i::INTEGER) AS ts FROM range(14400) t(i)`,
    )
    const count = async (where: string) => {
      const sql = `SELECT 1 AS id, count(*) AS n, min(ts) AS first, max(ts) AS last FROM t ${where}`
      return (await compute(root, { ...view('naive'), sql }, '2026-10-28', { timezone: 'Europe/Berlin' }))
        .rows[0]
    }
    // `+ INTERVAL 0 DAY` hides the column from the search for windows.
    for (const [pushed, hidden] of [
      ['ts >= $as_of - INTERVAL 3 DAY', 'ts + INTERVAL 0 DAY >= $as_of - INTERVAL 3 DAY'],
      [
        `ts BETWEEN TIMESTAMP '2026-10-25 02:15:00' AND TIMESTAMP '2026-10-25 02:45:00'`,
        `ts + INTERVAL 0 DAY BETWEEN TIMESTAMP '2026-10-25 02:15:00' AND TIMESTAMP '2026-10-25 02:45:00'`,
      ],
      [`'2026-10-24' > ts`, `'2026-10-24' > ts + INTERVAL 0 DAY`],
      [`ts = '2026-10-25 02:30:00'`, `ts + INTERVAL 0 DAY = '2026-10-25 02:30:00'`],
    ]) {
      const found = await count(`WHERE ${pushed}`)
      expect(Number(found?.n), pushed).toBeGreaterThan(0)
      expect(found, pushed).toEqual(await count(`WHERE ${hidden}`))
    }
  })
})

it('an instant is shown as Temporal shows it', () => {
  for (const instant of [
    0n,
    1n,
    -1n,
    999_999n,
    -62_198_755_200_000_000n,
    1_795_967_900_660_000n,
    253_402_300_800_000_000n,
  ]) {
    const expected = Temporal.Instant.fromEpochMilliseconds(0).add({
      seconds: Number(instant / 1_000_000n),
      microseconds: Number(instant % 1_000_000n),
    })
    expect(showInstant(instant)).toBe(expected.toString())
  }
})
