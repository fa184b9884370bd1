import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import { ConfigurationError } from '../../../src/project/files/problem.ts'
import { addDays, asOfContaining, asOfRange, momentAfter, parseAsOf } from '../../../src/project/time/asof.ts'
import { parseDuration } from '../../../src/project/time/duration.ts'
import { labelWindow } from '../../../src/project/time/label-window.ts'

const BERLIN = 'Europe/Berlin'
const at = (text: string) => Temporal.Instant.from(text)

describe('a date as an as-of', () => {
  it('is the local midnight that begins it', () => {
    expect(parseAsOf('2026-11-22', BERLIN)).toEqual({
      label: '2026-11-22',
      instant: '2026-11-21T23:00:00Z',
      local: '2026-11-22 00:00:00',
    })
  })

  it.each([
    ['the clocks go forward', '2026-03-29', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'],
    ['the clocks go back', '2026-10-25', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z'],
  ])('is a day of 23 or 25 hours where %s in Berlin', (_, date, begins, ends) => {
    const asOf = parseAsOf(date, BERLIN)
    expect(asOf.instant).toBe(begins)
    expect(addDays(asOf, 1, BERLIN).instant).toBe(ends)
  })

  it.each([
    ['America/Santiago', '2025-09-07', '2025-09-07T04:00:00Z'],
    ['Asia/Beirut', '2026-03-29', '2026-03-28T22:00:00Z'],
    ['Africa/Cairo', '2024-04-26', '2024-04-25T22:00:00Z'],
    ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00Z'],
  ])('begins at one where %s skips that midnight, and is called by it', (zone, date, instant) => {
    expect(parseAsOf(date, zone)).toEqual({ label: date, instant, local: `${date} 00:00:00` })
    const hour = `${instant.slice(0, 13)}Z`
    expect(parseAsOf(hour, zone).local).toBe(`${date} 01:00:00`)
  })

  it('begins at the first of two midnights', () => {
    expect(parseAsOf('2026-11-01', 'America/Havana').instant).toBe('2026-11-01T04:00:00Z')
  })

  it('is refused where the zone skipped the whole date', () => {
    expect(() => parseAsOf('2011-12-30', 'Pacific/Apia')).toThrow('2011-12-30 does not exist in Pacific/Apia')
  })

  it.each([
    '2026-02-29',
    '2026-1-1',
    '22.11.2026',
    '2026-11-22T03',
    '2026-11-22T24Z',
    '2026-11-22T03:00Z',
    'today',
    '',
  ])('is refused with what is legal: %j', (text) => {
    expect(() => parseAsOf(text, BERLIN)).toThrow(ConfigurationError)
    expect(() => parseAsOf(text, BERLIN)).toThrow(`or an hour such as 2026-11-22T03Z, got: ${text}`)
  })

  it.each(['0000-01-01', '0999-12-31', '9001-01-01', '9999-12-31T23Z'])(
    'is refused where databases and ISO 8601 part: %s',
    (text) => {
      expect(() => parseAsOf(text, BERLIN)).toThrow(`expected a year from 1000 to 9000, got: ${text}`)
    },
  )
})

describe('an hour as an as-of', () => {
  it('is named by its start in UTC, in a zone at half past as well', () => {
    expect(parseAsOf('2026-11-22T03Z', BERLIN).local).toBe('2026-11-22 04:00:00')
    expect(parseAsOf('2026-11-22T03Z', 'Asia/Kolkata').local).toBe('2026-11-22 08:30:00')
    const containing = asOfContaining(at('2026-11-22T03:45:00Z'), 'Asia/Kolkata', 'hour')
    expect(containing).toEqual(parseAsOf('2026-11-22T03Z', 'Asia/Kolkata'))
  })

  it('is two where a change of clocks repeats the hour', () => {
    const first = asOfContaining(at('2026-10-25T00:59:59Z'), BERLIN, 'hour')
    const second = asOfContaining(at('2026-10-25T01:00:00Z'), BERLIN, 'hour')
    expect([first.label, second.label]).toEqual(['2026-10-25T00Z', '2026-10-25T01Z'])
    expect([first.local, second.local]).toEqual(['2026-10-25 02:00:00', '2026-10-25 02:00:00'])
  })
})

describe('the as-of that contains an instant', () => {
  it.each([
    [BERLIN, '2026-11-21T22:59:59Z', '2026-11-21'],
    [BERLIN, '2026-11-21T23:00:00Z', '2026-11-22'],
    [BERLIN, '2026-10-25T22:59:59Z', '2026-10-25'],
    ['America/Santiago', '2025-09-07T03:59:59Z', '2025-09-06'],
    ['America/Santiago', '2025-09-07T04:00:00Z', '2025-09-07'],
    // Beirut's clocks go from 24:00 back to 23:00: the second 23:30 is still the day before.
    ['Asia/Beirut', '2026-10-24T21:30:00Z', '2026-10-24'],
  ])('in %s at %s is the day %s', (zone, instant, label) => {
    expect(asOfContaining(at(instant), zone, 'day')).toEqual(parseAsOf(label, zone))
  })
})

describe('days after an as-of', () => {
  it('are calendar days, back as well as forth', () => {
    const asOf = parseAsOf('2026-10-24', BERLIN)
    expect(addDays(asOf, 2, BERLIN)).toEqual(parseAsOf('2026-10-26', BERLIN))
    expect(addDays(asOf, -365, BERLIN)).toEqual(parseAsOf('2025-10-24', BERLIN))
  })

  it('land on the midnight by name, at the instant that the date begins', () => {
    const zone = 'America/Santiago'
    const skipped = addDays(parseAsOf('2025-09-06', zone), 1, zone)
    expect(skipped).toEqual(parseAsOf('2025-09-07', zone))
    expect(addDays(skipped, 1, zone)).toEqual(parseAsOf('2025-09-08', zone))
    expect(addDays(skipped, -1, zone)).toEqual(parseAsOf('2025-09-06', zone))
  })

  it('keep the local time of an hour', () => {
    expect(addDays(parseAsOf('2026-03-28T03Z', BERLIN), 1, BERLIN).label).toBe('2026-03-29T02Z')
  })

  it('end a label window by the calendar, and by the clock for hours', () => {
    const asOf = parseAsOf('2026-10-01', BERLIN)
    expect(momentAfter(asOf, parseDuration('30d'), BERLIN)).toEqual({
      instant: '2026-10-30T23:00:00Z',
      local: '2026-10-31 00:00:00',
    })
    expect(momentAfter(asOf, parseDuration('2w'), BERLIN).local).toBe('2026-10-15 00:00:00')
    expect(momentAfter(asOf, parseDuration('720h'), BERLIN).local).toBe('2026-10-30 23:00:00')
  })

  it.each([
    ['America/Sao_Paulo', '2018-11-04', '2018-11-03'],
    ['Africa/Cairo', '2024-04-26', '2024-04-25'],
    ['Asia/Beirut', '2026-03-29', '2026-03-28'],
  ])('keep the midnight by name in %s, from a day that skips it and to one', (zone, skipped, before) => {
    const [to, from] = [parseAsOf(skipped, zone), parseAsOf(before, zone)]
    const { instant, local } = to
    expect(momentAfter(from, parseDuration('1d'), zone)).toEqual({ instant, local })
    expect(momentAfter(to, { days: -1, ms: -86_400_000 }, zone)).toEqual({
      instant: from.instant,
      local: from.local,
    })
  })

  it('count a lag in days from the hour at which the window ends', () => {
    const asOf = parseAsOf('2026-11-02', BERLIN)
    const { end, complete } = labelWindow(
      asOf,
      { horizon: parseDuration('36h'), lag: parseDuration('1d') },
      BERLIN,
    )
    expect([end.local, complete]).toEqual(['2026-11-03 12:00:00', '2026-11-04T11:00:00Z'])
  })
})

describe('a range of as-ofs', () => {
  const range = (from: string, to: string, zone = BERLIN, grain?: 'day' | 'hour') =>
    asOfRange(parseAsOf(from, zone), parseAsOf(to, zone), zone, grain).map(({ label }) => label)

  it('includes both ends', () => {
    expect(range('2026-10-24', '2026-10-26')).toEqual(['2026-10-24', '2026-10-25', '2026-10-26'])
    expect(range('2026-10-24', '2026-10-24')).toEqual(['2026-10-24'])
    expect(range('2026-11-22T23Z', '2026-11-23T01Z')).toEqual([
      '2026-11-22T23Z',
      '2026-11-23T00Z',
      '2026-11-23T01Z',
    ])
  })

  it('leaves out a date that the zone skipped', () => {
    expect(range('2011-12-29', '2011-12-31', 'Pacific/Apia')).toEqual(['2011-12-29', '2011-12-31'])
  })

  it('has all hours of dates, of the last one too', () => {
    const hours = range('2026-10-25', '2026-10-25', BERLIN, 'hour')
    expect(hours).toHaveLength(25)
    expect([hours[0], hours.at(-1)]).toEqual(['2026-10-24T22Z', '2026-10-25T22Z'])
    expect(range('2026-03-29', '2026-03-29', BERLIN, 'hour')).toHaveLength(23)
  })

  it('is refused where its order is wrong or a date is mixed with an hour', () => {
    expect(() => range('2026-10-25', '2026-10-24')).toThrow('got: 2026-10-25 and 2026-10-24')
    expect(() => range('2026-10-25', '2026-10-25T03Z')).toThrow('two dates or two hours')
    expect(() => range('2026-10-25T03Z', '2026-10-25T04Z', BERLIN, 'day')).toThrow('to be dates')
  })
})
