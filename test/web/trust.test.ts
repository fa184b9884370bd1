import { expect, test } from 'vitest'
import type { BriefRun } from '../../src/jobs/latest.ts'
import type { Slot } from '../../src/jobs/slots.ts'
import { type TrustFacts, trust } from '../../src/web/trust.ts'

const NOW = new Date('2026-03-03T07:00:00Z')

const slot = (more: Partial<Slot> = {}): Slot => ({
  id: 1,
  kind: 'scores',
  name: 'churn',
  as_of: '2026-03-03T00:00:00.000Z',
  partition: '2026-03-03',
  state: 'published',
  schedule: 'nightly',
  due: '2026-03-03T02:00:00.000Z',
  deadline: '2026-03-03T06:00:00.000Z',
  wait_until: null,
  waits_for: null,
  late: false,
  reason: null,
  request: null,
  run: 'r2',
  published_run: 'r2',
  published_at: '2026-03-03T02:05:00.000Z',
  changed_at: '2026-03-03T02:05:00.000Z',
  ...more,
})

const run = (more: Partial<BriefRun> = {}): BriefRun => ({
  id: 'r2',
  state: 'published',
  trigger: 'schedule',
  version: 1,
  rows: 100,
  reason: null,
  requested_by: null,
  failure: null,
  features_run: 'f2',
  failed_checks: [],
  ...more,
})

const facts = (more: Partial<TrustFacts> = {}, last: Slot | undefined = slot()): TrustFacts => ({
  now: NOW,
  timezone: 'UTC',
  latest: { last, published: last?.published_run == null ? undefined : last, next: undefined },
  features: undefined,
  run: run(),
  published: run(),
  evidence: { run: 'r2', profile: { reference: 'holdout of d1', note: null, columns: 3 }, moved: [] },
  parity: { differing: 0, values: 300, late: 0 },
  outcome: undefined,
  open: [],
  ...more,
})

const moved = { column: 'spend', score: false, alerting: false, value: 0.31, threshold: 0.1 }

test('a night that is on time, looks like its reference and agrees with training is trusted', () => {
  expect(trust(facts())).toEqual({
    answer: 'yes',
    face: 'published',
    partition: '2026-03-03',
    reasons: [
      { face: 'published', text: 'Published 2026-03-03 02:05 UTC, on time (promised by 06:00).' },
      { face: 'published', text: 'No drift: it looks like the holdout of d1.' },
      { face: 'published', text: 'Served as trained: 300 values agree.' },
    ],
  })
})

test.each<[string, TrustFacts, 'yes' | 'no' | 'not yet', string]>([
  [
    'late',
    facts({}, slot({ published_at: '2026-03-03T06:30:00.000Z' })),
    'yes',
    '2026-03-03 06:30 UTC, 30 min after the promised 06:00',
  ],
  [
    'moved for one night',
    facts({ evidence: { run: 'r2', profile: { reference: 'x', note: null, columns: 3 }, moved: [moved] } }),
    'yes',
    'One odd night, not a trend: spend (0.31, allowed 0.1)',
  ],
  [
    'moved again and again',
    facts({
      evidence: {
        run: 'r2',
        profile: { reference: 'x', note: null, columns: 3 },
        moved: [{ ...moved, alerting: true }],
      },
    }),
    'no',
    'Its input no longer looks like before: spend (0.31, allowed 0.1)',
  ],
  ['not profiled', facts({ evidence: undefined }), 'yes', 'Not compared with what the model was trained on'],
  [
    'other than trained',
    facts({ parity: { differing: 3, values: 300, late: 0 } }),
    'no',
    'Training computes other values',
  ],
  ['worse than required', facts({ open: [{ id: 1, kind: 'quality' }] }), 'no', 'worse than required'],
  [
    'released by hand',
    facts({ published: run({ trigger: 'release', requested_by: 'ann', reason: 'the orders are real' }) }),
    'yes',
    'Released by ann: the orders are real',
  ],
])('published, %s', (_, given, answer, text) => {
  const found = trust(given)
  expect(found.answer).toBe(answer)
  expect(found.reasons.map((reason) => reason.text).join('\n')).toContain(text)
})

const open = (more: Partial<Slot>) => slot({ published_run: null, published_at: null, ...more })

const features = (state: Slot['state'], more: Partial<BriefRun> = {}) => ({
  slot: open({ kind: 'features', name: 'activity', state }),
  run: run({ id: 'f2', ...more }),
})

test.each<[string, TrustFacts, 'no' | 'not yet', string]>([
  [
    'without features',
    facts({ features: features('held', { failed_checks: ['spend is 902'] }) }, open({ state: 'expected' })),
    'no',
    'Its features were held back until somebody decides: spend is 902',
  ],
  [
    'held',
    facts({ run: run({ state: 'held', failed_checks: ['plan: x is not legal'] }) }, open({ state: 'held' })),
    'no',
    'plan: x is not legal',
  ],
  [
    'failed',
    facts({ run: run({ state: 'failed' }) }, open({ state: 'failed', reason: 'out of memory' })),
    'no',
    'out of memory',
  ],
  ['late', facts({}, open({ state: 'waiting', waits_for: 'calls' })), 'no', 'Late, promised by 06:00: calls'],
  [
    'running',
    facts({ now: new Date('2026-03-03T03:00:00Z') }, open({ state: 'running' })),
    'not yet',
    'being computed, promised by 06:00',
  ],
  ['skipped', facts({}, open({ state: 'skipped', reason: 'a holiday' })), 'no', 'given up: a holiday'],
])('a night that is %s is told with what readers have', (_, given, answer, text) => {
  const before = slot({ partition: '2026-03-02', published_at: '2026-03-02T02:00:00.000Z' })
  const found = trust({ ...given, latest: { ...given.latest, published: before } })
  expect(found.answer).toBe(answer)
  expect(found.reasons.map((reason) => reason.text).join('\n')).toContain(text)
  expect(found.reasons.at(-1)?.text).toMatch(/^Readers keep the scores of 2026-03-02, \d+ h.* old\.$/)
})

test('before the first night there is no answer yet', () => {
  const given = facts()
  expect(trust({ ...given, latest: { last: undefined, published: undefined, next: undefined } }).answer).toBe(
    'not yet',
  )
})
