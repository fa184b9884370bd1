import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import {
  isTimeZone,
  nearestZone,
  offsetAt,
  transitions,
  zoneArithmetic,
} from '../../../src/project/time/zone.ts'

describe('a time zone', () => {
  it.each(['Europe/Berlin', 'UTC', 'Asia/Kolkata', 'Etc/GMT+5', 'America/Argentina/Buenos_Aires'])(
    'is %s',
    (name) => {
      expect(isTimeZone(name)).toBe(true)
    },
  )

  it.each(['Europe/Berln', '+01:00', '', 'Berlin', 'Europe/Berlin ', '2'])('is not %j', (name) => {
    expect(isTimeZone(name)).toBe(false)
  })

  it.each([
    ['Europe/Berln', 'Europe/Berlin'],
    ['Berlin', 'Europe/Berlin'],
    ['new york', 'America/New_York'],
    ['europe/berlin', 'Europe/Berlin'],
    ['nowhere at all', undefined],
  ])('is found from %j', (text, zone) => {
    expect(nearestZone(text)).toBe(zone)
  })
})

describe('transitions', () => {
  it('are the changes of clocks between two instants, with the offsets before and after in seconds', () => {
    expect(transitions('Europe/Berlin', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z')).toEqual([
      { instant: '2026-03-29T01:00:00Z', offsetBefore: 3600, offsetAfter: 7200 },
      { instant: '2026-10-25T01:00:00Z', offsetBefore: 7200, offsetAfter: 3600 },
    ])
  })

  it('leave out those at the ends', () => {
    expect(transitions('Europe/Berlin', '2026-03-29T01:00:00Z', '2026-10-25T01:00:00Z')).toEqual([])
  })

  it('know zones by half hours, by offsets of seconds, and without any', () => {
    expect(transitions('Australia/Lord_Howe', '2026-03-01T00:00:00Z', '2026-05-01T00:00:00Z')).toEqual([
      { instant: '2026-04-04T15:00:00Z', offsetBefore: 39600, offsetAfter: 37800 },
    ])
    expect(transitions('UTC', '1900-01-01T00:00:00Z', '2100-01-01T00:00:00Z')).toEqual([])
    expect(transitions('Europe/Berlin', '1893-01-01T00:00:00Z', '1894-01-01T00:00:00Z')).toEqual([
      { instant: '1893-03-31T23:06:32Z', offsetBefore: 3208, offsetAfter: 3600 },
    ])
  })

  it('agree with the offset at each side', () => {
    for (const { instant, offsetBefore, offsetAfter } of transitions(
      'Africa/Casablanca',
      '2020-01-01T00:00:00Z',
      '2027-01-01T00:00:00Z',
    )) {
      const at = Temporal.Instant.from(instant)
      expect([
        offsetAt('Africa/Casablanca', at.subtract({ seconds: 1 })),
        offsetAt('Africa/Casablanca', at),
      ]).toEqual([offsetBefore, offsetAfter])
    }
  })
})

describe('the arithmetic of a zone', () => {
  it.each([
    'Europe/Berlin',
    'America/New_York',
    'America/Santiago',
    'Asia/Beirut',
    'Australia/Lord_Howe',
    'Asia/Kolkata',
  ])('agrees with Temporal in %s, every half hour around the changes of a year', (zone) => {
    const from = Date.parse('2026-01-01T00:00:00Z')
    const to = Date.parse('2027-01-01T00:00:00Z')
    const arithmetic = zoneArithmetic(zone, from, to)
    const changes = transitions(zone, new Date(from).toISOString(), new Date(to).toISOString())
    const wrong: string[] = []
    for (const middle of [from, ...changes.map(({ instant }) => Date.parse(instant)), to]) {
      for (let at = middle - 172_800_000; at < middle + 172_800_000; at += 1_800_000) {
        const instant = Temporal.Instant.fromEpochMilliseconds(at)
        const wall = instant.toZonedDateTimeISO(zone).toPlainDateTime()
        const wallMs = wall.toZonedDateTime('UTC').epochMilliseconds
        if (arithmetic.toWall(at) !== wallMs) wrong.push(`toWall ${instant}`)
        // Temporal's default names the first of two, as we do.
        if (arithmetic.fromWall(wallMs) !== wall.toZonedDateTime(zone).epochMilliseconds)
          wrong.push(`fromWall ${wall}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('puts what a gap swallowed at the first instant after it', () => {
    const arithmetic = zoneArithmetic('Europe/Berlin', Date.parse('2026-01-01'), Date.parse('2027-01-01'))
    for (const wall of [
      '2026-03-29T02:00:00Z',
      '2026-03-29T02:30:00Z',
      '2026-03-29T02:59:59Z',
      '2026-03-29T03:00:00Z',
    ]) {
      expect(new Date(arithmetic.fromWall(Date.parse(wall))).toISOString()).toBe('2026-03-29T01:00:00.000Z')
    }
  })
})
