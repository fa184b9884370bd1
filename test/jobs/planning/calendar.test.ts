import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import {
  deadlineAfter,
  expandSlots,
  mergeSlots,
  newestDue,
  nextTicks,
  type PlannedSlot,
} from '../../../src/jobs/planning/calendar.ts'
import { ConfigurationError } from '../../../src/project/files/problem.ts'
import type { Schedule } from '../../../src/project/project.ts'
import { nightly, projectOf } from '../nights.ts'

const text = (slot: PlannedSlot) =>
  `${slot.kind} ${slot.name} ${slot.asOf.label} ${slot.asOf.instant} due ${slot.due} by ${slot.deadline ?? 'never'}`

function expand(schedule: Schedule, from: string, to: string, timezone = 'Europe/Berlin'): string[] {
  return expandSlots(projectOf([schedule], { churn: 'activity' }, timezone), schedule, from, to).map(text)
}

describe('expandSlots', () => {
  it('gives each night a slot for the view and one for the model, as of the local midnight before the tick', () => {
    expect(expand(nightly(), '2026-11-22T00:00Z', '2026-11-24T00:00Z')).toEqual([
      'features activity 2026-11-22 2026-11-21T23:00:00Z due 2026-11-22T01:00:00Z by 2026-11-22T05:00:00Z',
      'scores churn 2026-11-22 2026-11-21T23:00:00Z due 2026-11-22T01:00:00Z by 2026-11-22T05:00:00Z',
      'features activity 2026-11-23 2026-11-22T23:00:00Z due 2026-11-23T01:00:00Z by 2026-11-23T05:00:00Z',
      'scores churn 2026-11-23 2026-11-22T23:00:00Z due 2026-11-23T01:00:00Z by 2026-11-23T05:00:00Z',
    ])
  })

  // [zone, range, (as-of, due, deadline) of the night before, of and after the change]
  const changes: [zone: string, change: string, from: string, to: string, nights: string[]][] = [
    [
      'Europe/Berlin',
      'gap',
      '2026-03-27T23:00Z',
      '2026-03-30T22:00Z',
      [
        '2026-03-28 2026-03-27T23:00:00Z due 2026-03-28T01:30:00Z by 2026-03-28T05:00:00Z',
        '2026-03-29 2026-03-28T23:00:00Z due 2026-03-29T01:00:00Z by 2026-03-29T04:00:00Z',
        '2026-03-30 2026-03-29T22:00:00Z due 2026-03-30T00:30:00Z by 2026-03-30T04:00:00Z',
      ],
    ],
    [
      'Europe/Berlin',
      'overlap',
      '2026-10-23T22:00Z',
      '2026-10-26T23:00Z',
      [
        '2026-10-24 2026-10-23T22:00:00Z due 2026-10-24T00:30:00Z by 2026-10-24T04:00:00Z',
        '2026-10-25 2026-10-24T22:00:00Z due 2026-10-25T00:30:00Z by 2026-10-25T05:00:00Z',
        '2026-10-26 2026-10-25T23:00:00Z due 2026-10-26T01:30:00Z by 2026-10-26T05:00:00Z',
      ],
    ],
    [
      'America/New_York',
      'gap',
      '2026-03-07T05:00Z',
      '2026-03-10T04:00Z',
      [
        '2026-03-07 2026-03-07T05:00:00Z due 2026-03-07T07:30:00Z by 2026-03-07T11:00:00Z',
        '2026-03-08 2026-03-08T05:00:00Z due 2026-03-08T07:00:00Z by 2026-03-08T10:00:00Z',
        '2026-03-09 2026-03-09T04:00:00Z due 2026-03-09T06:30:00Z by 2026-03-09T10:00:00Z',
      ],
    ],
    [
      'America/New_York',
      'overlap',
      '2026-10-31T04:00Z',
      '2026-11-03T05:00Z',
      [
        '2026-10-31 2026-10-31T04:00:00Z due 2026-10-31T06:30:00Z by 2026-10-31T10:00:00Z',
        '2026-11-01 2026-11-01T04:00:00Z due 2026-11-01T07:30:00Z by 2026-11-01T11:00:00Z',
        '2026-11-02 2026-11-02T05:00:00Z due 2026-11-02T07:30:00Z by 2026-11-02T11:00:00Z',
      ],
    ],
    [
      'Australia/Sydney',
      'gap',
      '2026-10-02T14:00Z',
      '2026-10-05T13:00Z',
      [
        '2026-10-03 2026-10-02T14:00:00Z due 2026-10-02T16:30:00Z by 2026-10-02T20:00:00Z',
        '2026-10-04 2026-10-03T14:00:00Z due 2026-10-03T16:00:00Z by 2026-10-03T19:00:00Z',
        '2026-10-05 2026-10-04T13:00:00Z due 2026-10-04T15:30:00Z by 2026-10-04T19:00:00Z',
      ],
    ],
    [
      'Australia/Sydney',
      'overlap',
      '2026-04-03T13:00Z',
      '2026-04-06T14:00Z',
      [
        '2026-04-04 2026-04-03T13:00:00Z due 2026-04-03T15:30:00Z by 2026-04-03T19:00:00Z',
        '2026-04-05 2026-04-04T13:00:00Z due 2026-04-04T15:30:00Z by 2026-04-04T20:00:00Z',
        '2026-04-06 2026-04-05T14:00:00Z due 2026-04-05T16:30:00Z by 2026-04-05T20:00:00Z',
      ],
    ],
  ]
  for (const [zone, change, from, to, nights] of changes) {
    it(`gives each local date of ${zone} one night around a${change === 'gap' ? ' gap' : 'n overlap'}`, () => {
      const schedule = nightly({ cron: '30 2 * * *', timezone: zone })
      expect(expand(schedule, from, to, zone)).toEqual(
        nights.flatMap((night) => [`features activity ${night}`, `scores churn ${night}`]),
      )
    })
  }

  it('moves only the tick by the schedule’s own zone: the as-of is the project’s date', () => {
    const schedule = nightly({ timezone: 'America/New_York', deadline: undefined })
    expect(expand(schedule, '2026-11-22T00:00Z', '2026-11-23T00:00Z')).toEqual([
      'features activity 2026-11-22 2026-11-21T23:00:00Z due 2026-11-22T07:00:00Z by never',
      'scores churn 2026-11-22 2026-11-21T23:00:00Z due 2026-11-22T07:00:00Z by never',
    ])
  })

  it('keeps the date of a night whose gap leads over midnight', () => {
    const schedule = nightly({
      cron: '30 23 * * *',
      timezone: 'America/Nuuk',
      score: [],
      refresh: ['activity'],
    })
    const slots = expand(schedule, '2026-03-28T03:00Z', '2026-03-31T00:00Z', 'America/Nuuk')
    expect(slots).toEqual([
      'features activity 2026-03-28 2026-03-28T02:00:00Z due 2026-03-29T01:00:00Z by 2026-03-29T07:00:00Z',
      'features activity 2026-03-29 2026-03-29T01:00:00Z due 2026-03-30T00:30:00Z by 2026-03-30T07:00:00Z',
    ])
  })

  it('names hours in UTC and gives the hour that a change of clocks repeats two slots', () => {
    const schedule = nightly({
      cron: '5 * * * *',
      grain: 'hour',
      score: [],
      refresh: ['activity'],
      deadline: '+20m',
    })
    expect(expand(schedule, '2026-10-25T00:00Z', '2026-10-25T03:00Z')).toEqual([
      'features activity 2026-10-25T00Z 2026-10-25T00:00:00Z due 2026-10-25T00:05:00Z by 2026-10-25T00:25:00Z',
      'features activity 2026-10-25T01Z 2026-10-25T01:00:00Z due 2026-10-25T01:05:00Z by 2026-10-25T01:25:00Z',
      'features activity 2026-10-25T02Z 2026-10-25T02:00:00Z due 2026-10-25T02:05:00Z by 2026-10-25T02:25:00Z',
    ])
  })

  it('refreshes a view once that several models share', () => {
    const schedule = nightly({ score: ['churn', 'upsell', 'fraud'] })
    const project = projectOf([schedule], { churn: 'activity', upsell: 'activity', fraud: 'payments' })
    const slots = expandSlots(project, schedule, '2026-11-22T00:00Z', '2026-11-23T00:00Z')
    expect(slots.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'features activity',
      'features payments',
      'scores churn',
      'scores fraud',
      'scores upsell',
    ])
  })

  it('refreshes every view that the live versions of a model need', () => {
    const project = projectOf([nightly()])
    const slots = expandSlots(project, nightly(), '2026-11-22T00:00Z', '2026-11-23T00:00Z', {
      churn: ['activity', 'activity_v2'],
    })
    expect(slots.map(({ name }) => name)).toEqual(['activity', 'activity_v2', 'churn'])
  })

  it('leaves out a model that the project no longer has', () => {
    const project = projectOf([nightly({ score: ['churn', 'gone'] })])
    const slots = expandSlots(
      project,
      nightly({ score: ['churn', 'gone'] }),
      '2026-11-22T00:00Z',
      '2026-11-23T00:00Z',
    )
    expect(slots.map(({ name }) => name)).toEqual(['activity', 'churn'])
  })
})

describe('mergeSlots', () => {
  const at = (schedule: string, due: string, deadline?: string): PlannedSlot => ({
    kind: 'features',
    name: 'activity',
    asOf: { label: '2026-11-22', instant: '2026-11-21T23:00:00Z', local: '2026-11-22 00:00:00' },
    schedule,
    due,
    deadline,
  })

  it('lets the earliest due win and keeps the earliest deadline that was promised', () => {
    const early = at('early', '2026-11-22T01:00:00Z', '2026-11-22T09:00:00Z')
    const late = at('late', '2026-11-22T03:00:00Z', '2026-11-22T05:00:00Z')
    const expected = [{ ...early, deadline: '2026-11-22T05:00:00Z' }]
    expect(mergeSlots([early, late])).toEqual(expected)
    expect(mergeSlots([late, early])).toEqual(expected)
  })

  it('lets a paused schedule own a slot only where no other wants it', () => {
    const early = at('early', '2026-11-22T01:00:00Z')
    const late = at('late', '2026-11-22T03:00:00Z')
    expect(mergeSlots([early, late], new Set(['early']))).toEqual([late])
    expect(mergeSlots([late, early], new Set(['early']))).toEqual([late])
    expect(mergeSlots([early], new Set(['early']))).toEqual([early])
  })
})

describe('deadlineAfter', () => {
  const rows: [
    why: string,
    deadline: string | undefined,
    timezone: string,
    tick: string,
    at: string | undefined,
  ][] = [
    ['later on the same day', '06:00', 'Europe/Berlin', '2026-11-22T01:00:00Z', '2026-11-22T05:00:00Z'],
    [
      'on the next day where the tick is after it',
      '06:00',
      'Europe/Berlin',
      '2026-11-22T21:00:00Z',
      '2026-11-23T05:00:00Z',
    ],
    [
      'on the next day where the tick is at it',
      '02:00',
      'Europe/Berlin',
      '2026-11-22T01:00:00Z',
      '2026-11-23T01:00:00Z',
    ],
    [
      'at the first instant after the gap it falls into',
      '02:45',
      'Europe/Berlin',
      '2026-03-28T23:30:00Z',
      '2026-03-29T01:00:00Z',
    ],
    ['at the first of two', '02:45', 'Europe/Berlin', '2026-10-24T23:30:00Z', '2026-10-25T00:45:00Z'],
    ['in the schedule’s zone', '6:00', 'America/New_York', '2026-11-22T07:00:00Z', '2026-11-22T11:00:00Z'],
    ['so long after the tick', '+20m', 'Europe/Berlin', '2026-11-22T01:05:00Z', '2026-11-22T01:25:00Z'],
    ['never', undefined, 'Europe/Berlin', '2026-11-22T01:05:00Z', undefined],
  ]
  for (const [why, deadline, timezone, tick, at] of rows) {
    it(`lies ${why}`, () => {
      expect(deadlineAfter(nightly({ deadline, timezone }), tick)).toBe(at)
    })
  }

  it('refuses what is neither a local time nor a time after the tick', () => {
    expect(() => deadlineAfter(nightly({ deadline: '6 am' }), '2026-11-22T01:00:00Z')).toThrow(
      ConfigurationError,
    )
    expect(() => deadlineAfter(nightly({ deadline: '+soon' }), '2026-11-22T01:00:00Z')).toThrow(/got: \+soon/)
  })
})

it('nextTicks says when a schedule runs next', () => {
  expect(nextTicks(nightly(), '2026-03-28T12:00:00Z', 3)).toEqual([
    '2026-03-29T01:00:00Z',
    '2026-03-30T00:00:00Z',
    '2026-03-31T00:00:00Z',
  ])
})

describe('newestDue', () => {
  const project = projectOf([nightly()], { churn: 'activity' }, 'Europe/Berlin')
  const due = (name: string, now: string) => newestDue(project, name, Temporal.Instant.from(now))

  it('is the night whose time has come, of a model and of its view', () => {
    expect(due('churn', '2026-11-23T00:59Z')).toBe('2026-11-22')
    expect(due('churn', '2026-11-23T01:01Z')).toBe('2026-11-23')
    expect(due('activity', '2026-11-23T01:01Z')).toBe('2026-11-23')
  })

  it('does not exist for what no schedule names', () => {
    expect(due('other', '2026-11-23T01:01Z')).toBeUndefined()
  })
})
