import { expect, test } from 'vitest'
import { outlook, progressOf } from '../../../src/cli/terminal/follow-backfill.ts'
import type { Backfill } from '../../../src/jobs/backfills/backfill-records.ts'

const backfill = (id: number, counts: Partial<Backfill>): Backfill => ({
  id,
  model: `model_${id}`,
  state: 'running',
  from: '2026-03-01',
  to: '2026-03-10',
  nights: 10,
  published: 0,
  failed: 0,
  held: 0,
  skipped: 0,
  active: 0,
  left: 0,
  max_active: 4,
  by: null,
  started_at: '2026-03-11T00:00:00Z',
  ended_at: null,
  changed_by: null,
  changed_at: null,
  ...counts,
})

test('several backfills are one bar: what is over, held and failed, how fast they go, and when the last of them ends', () => {
  const all = [
    backfill(1, { published: 4, held: 1, active: 2, left: 3 }),
    backfill(2, { published: 7, failed: 2, skipped: 1 }),
    backfill(3, { published: 2, left: 8 }),
  ]
  const paces = [
    { nights: 4, seconds: 240 },
    { nights: 7, seconds: 10 },
    { nights: 2, seconds: 60 },
  ]
  expect(progressOf(all, paces)).toEqual({
    title: '3 backfills',
    text: '13 of 30 nights published, 1 held, 2 failed',
    rows: 17,
    total: 30,
    // 60 and 120 nights an hour; the first has 5 left, the third 8: 5 and 4 minutes.
    detail: '180 nights an hour, about 5 min left',
  })
})

test('one is called by its number, and says nothing of its pace before a night has ended', () => {
  const { title, text, detail } = progressOf([backfill(7, { active: 4, left: 6 })], [undefined])
  expect([title, text, detail]).toEqual(['backfill 7 of model_7', '0 of 10 nights published', undefined])
  expect(progressOf([backfill(7, { published: 10 })], [{ nights: 10, seconds: 5 }]).detail).toBeUndefined()
})

test.each([
  [[7], true, 'backfill 7 goes on without you (nightshift backfills); nightshift cancel 7 ends it'],
  [
    [7],
    false,
    'backfill 7 continues once a worker is running (nightshift up), or with nightshift resume 7; nightshift cancel 7 ends it',
  ],
  [
    Array.from({ length: 1000 }, (_, index) => index + 1),
    true,
    '1,000 backfills, 1 to 1000, go on without you (nightshift backfills); nightshift cancel ID ends one',
  ],
  [
    [3, 4],
    false,
    '2 backfills, 3 to 4, continue once a worker is running (nightshift up), or with nightshift resume ID; nightshift cancel ID ends one',
  ],
])('what becomes of backfills %s whose command is left (a worker lives: %s)', (ids, alive, says) => {
  expect(outlook(ids, alive)).toBe(says)
})
