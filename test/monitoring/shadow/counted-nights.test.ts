import { expect, test } from 'vitest'
import { judgeNights, type NightInShadow } from '../../../src/monitoring/shadow/counted-nights.ts'
import { breachesOf, windowOver } from '../../../src/monitoring/shadow/shadow-window.ts'
import { figuresWith } from './figures.ts'

const CHALLENGE = { started_at: '2026-11-01T09:00:00.000Z', stopped_at: null }
const RIVAL = { kind: 'champion', version: 1 } as const

/** A complete night that ran on schedule at 02:00. */
function night(date: string, over: Partial<NightInShadow> = {}): NightInShadow {
  return {
    partition: date,
    as_of: `${date}T00:00:00.000Z`,
    due: `${date}T02:00:00.000Z`,
    first: { at: `${date}T02:03:00.000Z`, trigger: 'schedule', backfilled: false },
    backfilled: false,
    scored_at: `${date}T02:05:00.000Z`,
    failure: null,
    against: 'champion',
    against_version: 1,
    state: 'compared',
    note: null,
    figures: figuresWith({}),
    realized: null,
    realized_note: null,
    ...over,
  }
}

const why = (
  given: NightInShadow,
  challenge: { started_at: string; stopped_at: string | null } = CHALLENGE,
) => judgeNights([given], [challenge], RIVAL, 0.99)[0]?.why

test('a complete night that ran on schedule counts', () => {
  expect(why(night('2026-11-02'))).toBeNull()
  // A night that failed at first and was retried in the morning ran on schedule.
  const retried = { at: '2026-11-02T08:00:00.000Z', trigger: 'retry', backfilled: false } as const
  expect(why(night('2026-11-02', { first: retried }))).toBeNull()
})

const first = (at: string, trigger: 'manual' | 'schedule' | 'backfill', backfilled = false) => ({
  first: { at, trigger, backfilled },
})

test.each<[string, Partial<NightInShadow>, string]>([
  ['is a backfill', first('2026-11-02T02:03:00.000Z', 'backfill', true), 'backfilled'],
  ['has a backfill in the place of its scores', { backfilled: true }, 'backfilled'],
  ['no schedule expected', { due: null }, 'no schedule expected it'],
  [
    'was due before the shadow began',
    { due: '2026-11-01T02:00:00.000Z' },
    'the version was not in shadow when it was due, 2026-11-01T02:00:00.000Z',
  ],
  [
    'was run by hand before it was due',
    first('2026-11-02T01:00:00.000Z', 'schedule'),
    'run by hand, not by its schedule',
  ],
  ['was run by hand', first('2026-11-02T03:00:00.000Z', 'manual'), 'run by hand, not by its schedule'],
  [
    'was caught up days later',
    first('2026-11-05T02:00:00.000Z', 'schedule'),
    'published at 2026-11-05T02:00:00.000Z, after the next night was due: it was made up later',
  ],
  [
    'was scored days later',
    { scored_at: '2026-11-05T02:00:00.000Z' },
    'scored at 2026-11-05T02:00:00.000Z, after the next night was due: it was made up later',
  ],
  ['is not published', { first: null }, 'not published'],
  [
    'the challenger failed on',
    { scored_at: null, failure: 'scoring took longer than 30 min and was ended' },
    'not scored: scoring took longer than 30 min and was ended',
  ],
  ['is not scored yet', { scored_at: null }, 'not scored yet'],
  ['is not compared yet', { state: null, against: null }, 'not compared yet'],
  ['could not be compared', { state: 'failed', note: 'the files differ' }, 'not compared: the files differ'],
  [
    'was compared with a former champion',
    { against_version: 7 },
    'compared with version 7, not with version 1',
  ],
  [
    'was compared with a current process',
    { against: 'current', against_version: null },
    'compared with the current process, not with version 1',
  ],
  [
    'lacks rows',
    { figures: figuresWith({ coverage: 0.5 }) },
    'not complete: only 100 of 100 rows have scores on both sides',
  ],
])('a night that %s does not count', (_, over, expected) => {
  expect(why(night('2026-11-02', over))).toBe(expected)
})

test('a night counts only within the time in shadow', () => {
  const ended = { started_at: '2026-11-01T09:00:00.000Z', stopped_at: '2026-11-03T12:00:00.000Z' }
  expect(why(night('2026-11-03'), ended)).toBeNull()
  expect(why(night('2026-11-04'), ended)).toContain('was not in shadow when it was due')
})

test('an hour counts until the next is due', () => {
  const hour = (at: string) =>
    night('2026-11-02', {
      partition: '2026-11-02T05Z',
      due: '2026-11-02T05:05:00.000Z',
      first: { at: '2026-11-02T05:06:00.000Z', trigger: 'schedule', backfilled: false },
      scored_at: at,
    })
  expect(why(hour('2026-11-02T05:20:00.000Z'))).toBeNull()
  expect(why(hour('2026-11-02T06:20:00.000Z'))).toContain('made up later')
})

test('without anything to compare with, the record says so and the night counts', () => {
  const alone = night('2026-11-02', { against: 'none', against_version: null, state: 'none', figures: null })
  expect(judgeNights([alone], [CHALLENGE], { kind: 'none', version: null }, 0.99)[0]?.counts).toBe(true)
  // Once there is a champion, it counts no more.
  expect(why(alone)).toBe('compared with nothing, not with version 1')
})

const judged = (figures: Parameters<typeof figuresWith>[0][]) =>
  judgeNights(
    figures.map((each, index) => night(`2026-11-0${index + 2}`, { figures: figuresWith(each) })),
    [CHALLENGE],
    RIVAL,
    0.99,
  )

test('the window has the mean and the worst night of each figure', () => {
  const window = windowOver(
    judged([
      { rank: 0.9, flips: [1, 3], ks: 0.1 },
      { rank: 0.8, flips: [2, 0], ks: 0.3 },
    ]),
  )
  expect(window).toMatchObject({
    nights: 2,
    from: '2026-11-02',
    to: '2026-11-03',
    rank_correlation: { mean: expect.closeTo(0.85, 12), worst: 0.8 },
    flips: { mean: expect.closeTo(0.03, 12), worst: 0.04, to_positive: 3, to_negative: 3 },
    distance: { mean: expect.closeTo(0.2, 12), worst: 0.3 },
  })
  expect(windowOver([])).toBeUndefined()
})

test('every night has to meet every bound; the sentence names the worst', () => {
  const nights = judged([{ rank: 0.9 }, { rank: 0.7 }, { rank: 0.6, flips: [5, 6] }])
  const bounds = { min_coverage: 0.99 }
  expect(breachesOf(nights, bounds)).toEqual([])
  expect(breachesOf(nights, { ...bounds, min_rank_correlation: 0.6, max_flips: 0.11 })).toEqual([])
  expect(breachesOf(nights, { ...bounds, min_rank_correlation: 0.8, max_flips: 0.1 })).toEqual([
    'the decisions that change: 11 % on 2026-11-04; shadow.require.max_flips is 0.1',
    'the rank correlation: 0.6 on 2 nights, worst on 2026-11-04; shadow.require.min_rank_correlation is 0.8',
  ])
})

test('a bound on a figure that cannot be computed is not met', () => {
  // All scores of the challenger are equal.
  const nights = judged([{ rank: null, overlap: 0.1, ks: 0.9 }])
  expect(
    breachesOf(nights, {
      min_coverage: 0.99,
      min_rank_correlation: -1,
      min_top_overlap: 0.5,
      max_distance: 0.2,
    }),
  ).toEqual([
    'the rank correlation of 2026-11-02 cannot be computed, and shadow.require.min_rank_correlation is -1',
    'the overlap of the highest scores: 10 % on 2026-11-02; shadow.require.min_top_overlap is 0.5',
    'the distance of the distributions: 0.9 on 2026-11-02; shadow.require.max_distance is 0.2',
  ])
})
