import { expect, test } from 'vitest'
import { barLine } from '../../../src/cli/terminal/progress-bar.ts'

const said = (title: string) => ({
  title,
  text: '8 of 21 nights published',
  detail: '1,200 nights an hour, about 40 s left',
})

test.each([
  [
    120,
    'backfill 4 of lapse',
    'backfill 4 of lapse  ========------------ 38%  8 of 21 nights published, 1,200 nights an hour, about 40 s left',
  ],
  [
    102,
    'backfill 4 of lapse',
    'backfill 4 of lapse  ====------ 38%  8 of 21 nights published, 1,200 nights an hour, about 40 s left',
  ],
  [
    90,
    'backfill 4 of lapse',
    'backfill 4 of lapse  38%  8 of 21 nights published, 1,200 nights an hour, about 40 s left',
  ],
  [80, 'backfill 4 of lapse', 'backfill 4 of lapse  ====------ 38%  1,200 nights an hour, about 40 s left'],
  [
    80,
    'backfill 4 of probability_of_leaving_within_thirty_days_of_prepaid_clients',
    '38%  8 of 21 nights published, 1,200 nights an hour, about 40 s left',
  ],
])('a terminal of %i columns shows the time left of %s', (columns, title, line) => {
  expect(barLine(said(title), 8 / 21, columns)).toBe(line)
  expect(line.length).toBeLessThan(columns)
})

test('what has no rate says what it does', () => {
  expect(barLine({ title: 'score lapse 2026-11-22', text: 'published' }, 1, 80)).toBe(
    'score lapse 2026-11-22  ==================== 100%  published',
  )
})
