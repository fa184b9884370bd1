import { existsSync, readFileSync } from 'node:fs'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ConfigurationError } from '../../../src/project/files/problem.ts'
import { clockWarnings, doubleTicks } from '../../../src/project/rules/clock-warnings.ts'
import { nextTicks, ticksBetween } from '../../../src/project/time/cron.ts'

const golden = new URL('../../../../shared/golden/clock.json', import.meta.url)
const Golden = z.array(
  z.object({
    cron: z.string(),
    timezone: z.string(),
    from: z.string(),
    next: z.array(z.string()),
    why: z.string(),
  }),
)

describe('golden instants of the clock rule', () => {
  if (!existsSync(golden)) {
    console.warn(`skipped: ${golden.pathname} is not there`)
    it.skip('match (../shared/golden/clock.json is not there)', () => {})
    return
  }
  for (const each of Golden.parse(JSON.parse(readFileSync(golden, 'utf8')))) {
    it(`${each.cron} in ${each.timezone} from ${each.from}: ${each.why}`, () => {
      expect(nextTicks(each, each.from, each.next.length)).toEqual(each.next)
    })
  }
})

describe('ticks around changes of clocks', () => {
  // Ticks as `instant` and, where a change moved or doubled the wall time, `instant (gap|overlap wall time)`.
  const rows: [why: string, cron: string, timezone: string, from: string, to: string, ticks: string[]][] = [
    [
      'a time in a gap runs at the first instant after it',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-03-28T12:00Z',
      '2026-03-30T12:00Z',
      ['2026-03-29T01:00:00Z (gap 2026-03-29 02:30)', '2026-03-30T00:30:00Z'],
    ],
    [
      'a time that exists twice runs at the first',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T12:00Z',
      '2026-10-26T12:00Z',
      ['2026-10-25T00:30:00Z (overlap 2026-10-25 02:30)', '2026-10-26T01:30:00Z'],
    ],
    [
      'a gap in New York',
      '15 2 * * *',
      'America/New_York',
      '2026-03-07T12:00Z',
      '2026-03-09T12:00Z',
      ['2026-03-08T07:00:00Z (gap 2026-03-08 02:15)', '2026-03-09T06:15:00Z'],
    ],
    [
      'an overlap in New York',
      '59 1 * * *',
      'America/New_York',
      '2026-10-31T12:00Z',
      '2026-11-02T12:00Z',
      ['2026-11-01T05:59:00Z (overlap 2026-11-01 01:59)', '2026-11-02T06:59:00Z'],
    ],
    [
      'a gap of half an hour on Lord Howe',
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-02T16:00Z',
      '2026-10-04T16:00Z',
      ['2026-10-03T15:30:00Z (gap 2026-10-04 02:15)', '2026-10-04T15:15:00Z'],
    ],
    [
      'an overlap of half an hour on Lord Howe',
      '45 1 * * *',
      'Australia/Lord_Howe',
      '2026-04-03T16:00Z',
      '2026-04-05T16:00Z',
      ['2026-04-04T14:45:00Z (overlap 2026-04-05 01:45)', '2026-04-05T15:15:00Z'],
    ],
    [
      'a midnight that does not exist in Santiago',
      '0 0 * * *',
      'America/Santiago',
      '2026-09-05T12:00Z',
      '2026-09-07T12:00Z',
      ['2026-09-06T04:00:00Z (gap 2026-09-06 00:00)', '2026-09-07T03:00:00Z'],
    ],
    [
      'a midnight that does not exist in Beirut',
      '0 0 * * *',
      'Asia/Beirut',
      '2026-03-28T12:00Z',
      '2026-03-30T12:00Z',
      ['2026-03-28T22:00:00Z (gap 2026-03-29 00:00)', '2026-03-29T21:00:00Z'],
    ],
    [
      'a gap that leads over midnight keeps the night of its own date',
      '30 23 * * *',
      'America/Nuuk',
      '2026-03-28T12:00Z',
      '2026-03-30T12:00Z',
      ['2026-03-29T01:00:00Z (gap 2026-03-28 23:30)', '2026-03-30T00:30:00Z'],
    ],
    [
      'a date that Apia never had has no tick',
      '0 2 * * *',
      'Pacific/Apia',
      '2011-12-29T00:00Z',
      '2011-12-31T00:00Z',
      ['2011-12-29T12:00:00Z', '2011-12-30T12:00:00Z'],
    ],
    [
      'several times within a gap are one tick, where croner would drop the night',
      '0,30 2 * * *',
      'Europe/Berlin',
      '2026-03-29T00:00Z',
      '2026-03-29T12:00Z',
      ['2026-03-29T01:00:00Z (gap 2026-03-29 02:00)'],
    ],
    [
      'a step over minutes of one hour is a night like any other',
      '*/30 2 * * *',
      'Europe/Berlin',
      '2026-10-25T00:00Z',
      '2026-10-25T12:00Z',
      ['2026-10-25T00:00:00Z (overlap 2026-10-25 02:00)', '2026-10-25T00:30:00Z (overlap 2026-10-25 02:30)'],
    ],
    [
      'a step over hours that meets a skipped midnight still runs',
      '0 */6 * * *',
      'America/Santiago',
      '2026-09-06T00:00Z',
      '2026-09-06T12:00Z',
      ['2026-09-06T04:00:00Z (gap 2026-09-06 00:00)', '2026-09-06T09:00:00Z'],
    ],
    [
      'every 15 minutes goes through a gap without a double',
      '*/15 * * * *',
      'Europe/Berlin',
      '2026-03-29T00:45Z',
      '2026-03-29T01:30Z',
      ['2026-03-29T00:45:00Z', '2026-03-29T01:00:00Z', '2026-03-29T01:15:00Z'],
    ],
    [
      'hourly at a quarter past runs once in each real hour of a gap',
      '15 * * * *',
      'Europe/Berlin',
      '2026-03-29T00:00Z',
      '2026-03-29T03:00Z',
      ['2026-03-29T00:15:00Z', '2026-03-29T01:15:00Z', '2026-03-29T02:15:00Z'],
    ],
    [
      'hourly runs in both passes of an overlap',
      '30 * * * *',
      'Europe/Berlin',
      '2026-10-25T00:00Z',
      '2026-10-25T03:00Z',
      ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-10-25T02:30:00Z'],
    ],
    [
      'hourly as a range of all hours is hourly',
      '30 0-23 * * *',
      'Europe/Berlin',
      '2026-10-25T00:00Z',
      '2026-10-25T03:00Z',
      ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-10-25T02:30:00Z'],
    ],
    [
      'hourly through half an hour that is skipped loses no hour',
      '0 * * * *',
      'Australia/Lord_Howe',
      '2026-10-03T14:00Z',
      '2026-10-03T17:00Z',
      ['2026-10-03T14:30:00Z', '2026-10-03T15:30:00Z (gap 2026-10-04 02:00)', '2026-10-03T16:00:00Z'],
    ],
  ]
  for (const [why, cron, timezone, from, to, ticks] of rows) {
    it(`${cron} in ${timezone}: ${why}`, () => {
      const found = ticksBetween({ cron, timezone }, from, to)
      expect(
        found.map((tick) => (tick.change ? `${tick.at} (${tick.change} ${tick.wall})` : tick.at)),
      ).toEqual(ticks)
    })
  }

  it('ticks daily once on every local date of years in which clocks change, in any zone', () => {
    const zones = [
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'America/Santiago',
      'Asia/Beirut',
      'America/Nuuk',
      'Africa/Casablanca',
      'Asia/Kolkata',
    ]
    for (const timezone of zones) {
      for (const cron of ['0 0 * * *', '30 1 * * *', '30 2 * * *', '5 3 * * *', '30 23 * * *']) {
        const start = Temporal.PlainDate.from('2025-01-01').toZonedDateTime(timezone)
        const end = start.add({ years: 2 })
        const ticks = ticksBetween(
          { cron, timezone },
          start.toInstant().toString(),
          end.toInstant().toString(),
        )
        const dates = ticks.map((tick) =>
          Temporal.Instant.from(tick.within).toZonedDateTimeISO(timezone).toPlainDate().toString(),
        )
        expect(new Set(dates).size, `${cron} ${timezone}`).toBe(730)
        expect(ticks.length, `${cron} ${timezone}`).toBe(730)
        expect(dates, `${cron} ${timezone}`).toEqual(ticks.map((tick) => tick.wall.slice(0, 10)))
      }
    }
  })

  it('ticks hourly once in every real hour of a year, whatever the clocks do', () => {
    for (const timezone of ['Europe/Berlin', 'America/New_York', 'Asia/Beirut', 'America/Nuuk']) {
      const ticks = ticksBetween({ cron: '20 * * * *', timezone }, '2026-01-01T00:00Z', '2027-01-01T00:00Z')
      expect(ticks.length, timezone).toBe(8760)
      expect(new Set(ticks.map(({ at }) => Math.floor(Date.parse(at) / 3_600_000))).size, timezone).toBe(8760)
    }
  })
})

describe('the bounds', () => {
  it('include the start and exclude the end', () => {
    const clock = { cron: '0 2 * * *', timezone: 'UTC' }
    expect(ticksBetween(clock, '2026-01-01T02:00Z', '2026-01-03T02:00Z').map(({ at }) => at)).toEqual([
      '2026-01-01T02:00:00Z',
      '2026-01-02T02:00:00Z',
    ])
    expect(nextTicks(clock, '2026-01-01T02:00:00.001Z', 1)).toEqual(['2026-01-02T02:00:00Z'])
  })

  it('include a gap that begins at the start', () => {
    const clock = { cron: '30 2 * * *', timezone: 'Europe/Berlin' }
    expect(nextTicks(clock, '2026-03-29T01:00:00Z', 1)).toEqual(['2026-03-29T01:00:00Z'])
    expect(nextTicks(clock, '2026-03-29T01:00:01Z', 1)).toEqual(['2026-03-30T00:30:00Z'])
  })

  it('hold the second pass of an overlap back when the range begins within it', () => {
    const clock = { cron: '30 2 * * *', timezone: 'Europe/Berlin' }
    expect(nextTicks(clock, '2026-10-25T01:10:00Z', 1)).toEqual(['2026-10-26T01:30:00Z'])
  })

  it('end where a date never comes', () => {
    expect(nextTicks({ cron: '0 0 30 2 *', timezone: 'Europe/Berlin' }, '2026-01-01T00:00Z', 1)).toEqual([])
  })

  it('refuse what is no cron expression of five fields, and say what is one', () => {
    expect(() => nextTicks({ cron: '0 0 2 * * *', timezone: 'UTC' }, '2026-01-01T00:00Z', 1)).toThrow(
      ConfigurationError,
    )
    expect(() => nextTicks({ cron: '61 2 * * *', timezone: 'UTC' }, '2026-01-01T00:00Z', 1)).toThrow(
      /expected five fields .* got: 61 2 \* \* \*/,
    )
  })
})

describe('what validate says about a clock', () => {
  const year = ['2026-01-01T00:00Z', '2027-01-01T00:00Z'] as const

  it('names the dates of a year that fall into a gap or an overlap', () => {
    const warnings = clockWarnings({ cron: '30 2 * * *', timezone: 'Europe/Berlin' }, ...year)
    expect(warnings.map(({ date, kind, at }) => [date, kind, at])).toEqual([
      ['2026-03-29', 'gap', '2026-03-29T01:00:00Z'],
      ['2026-10-25', 'overlap', '2026-10-25T00:30:00Z'],
    ])
    expect(warnings[0]?.message).toContain('2026-03-29 02:30 does not exist in Europe/Berlin')
    expect(warnings[0]?.message).toContain('2026-03-29 03:00 +02:00')
    expect(warnings[1]?.message).toContain('exists twice on 2026-10-25')
  })

  it('has nothing to say about times that always exist once, nor about hourly ticks', () => {
    expect(clockWarnings({ cron: '0 4 * * *', timezone: 'Europe/Berlin' }, ...year)).toEqual([])
    expect(clockWarnings({ cron: '30 2 * * *', timezone: 'Asia/Kolkata' }, ...year)).toEqual([])
    expect(clockWarnings({ cron: '*/5 * * * *', timezone: 'Europe/Berlin' }, ...year)).toEqual([])
  })

  it('looks no further than the range', () => {
    const clock = { cron: '30 2 * * *', timezone: 'Europe/Berlin' }
    expect(clockWarnings(clock, '2026-03-30T00:00Z', '2026-10-24T00:00Z')).toEqual([])
  })

  it('finds two ticks on one as-of', () => {
    const doubles = doubleTicks(
      { cron: '0 2,14 * * *', timezone: 'Europe/Berlin' },
      'day',
      'Europe/Berlin',
      ...year,
    )
    expect(doubles).toHaveLength(3)
    expect(doubles[0]).toMatchObject({
      asOf: { label: '2026-01-01' },
      first: '2026-01-01T01:00:00Z',
      second: '2026-01-01T13:00:00Z',
    })
    expect(
      doubleTicks({ cron: '*/30 * * * *', timezone: 'UTC' }, 'hour', 'UTC', ...year)[0]?.asOf.label,
    ).toBe('2026-01-01T00Z')
  })

  it('finds the one night of the year on which a foreign zone ticks twice on a date of the project', () => {
    const doubles = doubleTicks({ cron: '30 22 * * *', timezone: 'UTC' }, 'day', 'Europe/Berlin', ...year)
    expect(doubles.map(({ asOf, first, second }) => [asOf.label, first, second])).toEqual([
      ['2026-10-25', '2026-10-24T22:30:00Z', '2026-10-25T22:30:00Z'],
    ])
  })

  it('takes neither a nightly nor an hourly schedule for a double, in any zone', () => {
    for (const timezone of ['Europe/Berlin', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/Nuuk']) {
      expect(doubleTicks({ cron: '30 2 * * *', timezone }, 'day', timezone, ...year)).toEqual([])
      expect(doubleTicks({ cron: '10 * * * *', timezone }, 'hour', timezone, ...year)).toEqual([])
    }
  })
})
