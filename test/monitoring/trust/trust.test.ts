import { expect, test } from 'vitest'
import type { BriefRun } from '../../../src/ledger/nights/latest.ts'
import type { Slot } from '../../../src/ledger/nights/slots.ts'
import type { ComparedProfile, MeasuredReport } from '../../../src/monitoring/evidence.ts'
import { type Answer, trust } from '../../../src/monitoring/trust/trust.ts'
import type { OpenIncident, TrustFacts } from '../../../src/monitoring/trust/trust-facts.ts'

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

const compared = (more: Partial<ComparedProfile> = {}): ComparedProfile => ({
  reference: 'holdout of d1',
  note: null,
  rows: 100,
  columns: 3,
  compared: 3,
  why: null,
  ...more,
})

const facts = (more: Partial<TrustFacts> = {}, last: Slot | undefined = slot()): TrustFacts => ({
  now: NOW,
  timezone: 'UTC',
  latest: { last, published: last?.published_run == null ? undefined : last, next: undefined },
  features: undefined,
  run: run(),
  published: run(),
  champion: 1,
  evidence: { run: 'r2', profile: compared(), moved: [] },
  parity: { differing: 0, values: 300, late: 0 },
  outcome: undefined,
  limits: undefined,
  open: [],
  ...more,
})

const incident = (kind: OpenIncident['kind'], ...bad: string[]): OpenIncident => ({ id: 7, kind, bad })

function poorVersion(version: number): OpenIncident {
  const quality = { persist: '2 of 3', version, live: null, rows: 100, positives: 9, broken: [] }
  return { ...incident('quality'), facts: { quality } }
}

const moved = { column: 'spend', score: false, alerting: false, value: 0.31, threshold: 0.1 }

test('a night that is on time, looks like its reference and agrees with training is trusted', () => {
  expect(trust(facts())).toEqual({
    answer: 'yes',
    face: 'published',
    missing: undefined,
    reasons: [
      { face: 'published', text: 'Published 2026-03-03 02:05 UTC, on time (promised by 06:00).' },
      { face: 'published', text: 'No drift: it matches the holdout of d1.' },
      { face: 'published', text: 'Served as trained: 300 values agree.' },
    ],
  })
})

test.each<[string, TrustFacts, Answer, string]>([
  [
    'late',
    facts({}, slot({ published_at: '2026-03-03T06:30:00.000Z' })),
    'yes',
    '2026-03-03 06:30 UTC, 30 min after the promised 06:00',
  ],
  [
    'moved for one night',
    facts({ evidence: { run: 'r2', profile: compared(), moved: [moved] } }),
    'yes',
    'One unusual night, not a trend: spend (0.31, allowed 0.1)',
  ],
  [
    'moved again and again',
    facts({
      evidence: {
        run: 'r2',
        profile: compared(),
        moved: [{ ...moved, alerting: true }],
      },
    }),
    'no',
    'Its input has drifted: spend (0.31, allowed 0.1)',
  ],
  ['not profiled', facts({ evidence: undefined }), 'yes', 'Not compared with the training data'],
  [
    'other than trained',
    facts({ parity: { differing: 3, values: 300, late: 0 } }),
    'no',
    'Training computes values that differ',
  ],
  ['worse than required', facts({ open: [incident('quality')] }), 'no', 'worse than required'],
  ['worse than required by the same version', facts({ open: [poorVersion(1)] }), 'no', 'worse than required'],
  [
    'worse than required by an earlier version',
    facts({ published: run({ version: 2 }), champion: 2, open: [poorVersion(1)] }),
    'check',
    'The scores of version 1 were worse than required (incident #7); those of version 2 have not been measured',
  ],
  [
    'released by hand',
    facts({ published: run({ trigger: 'release', requested_by: 'ann', reason: 'the orders are real' }) }),
    'yes',
    'Its scores were released by ann: the orders are real',
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

test.each<[string, TrustFacts, Answer, string]>([
  [
    'without features',
    facts({ features: features('held', { failed_checks: ['spend is 902'] }) }, open({ state: 'expected' })),
    'check',
    'Its features were held until someone decides: spend is 902',
  ],
  [
    'held',
    facts({ run: run({ state: 'held', failed_checks: ['plan: x is not legal'] }) }, open({ state: 'held' })),
    'check',
    'plan: x is not legal',
  ],
  [
    'failed',
    facts({ run: run({ state: 'failed' }) }, open({ state: 'failed', reason: 'out of memory' })),
    'check',
    'out of memory',
  ],
  [
    'late',
    facts({}, open({ state: 'waiting', waits_for: 'calls' })),
    'check',
    'Late, promised by 06:00: calls',
  ],
  [
    'running',
    facts({ now: new Date('2026-03-03T03:00:00Z') }, open({ state: 'running' })),
    'yes',
    'being computed, promised by 06:00',
  ],
  ['skipped', facts({}, open({ state: 'skipped', reason: 'a holiday' })), 'check', 'given up: a holiday'],
])('the answer is about the list that readers have while a night is %s', (_, given, answer, text) => {
  const before = slot({ partition: '2026-03-02', published_at: '2026-03-02T02:00:00.000Z' })
  const found = trust({ ...given, latest: { ...given.latest, published: before } })
  expect(found.answer).toBe(answer)
  expect(found.missing).toMatchObject({ partition: '2026-03-03', text: expect.stringContaining(text) })
  expect(found.reasons).toContainEqual({
    face: 'published',
    text: expect.stringContaining('2026-03-02 02:00'),
  })
  const none = trust(given)
  expect(none.answer).toBe(answer === 'yes' ? 'not yet' : 'no')
  expect(none.reasons).toEqual([{ face: 'expected', text: 'Readers have no scores yet.' }])
})

test('a night that failed when it was computed again keeps its earlier list, with a doubt', () => {
  const found = trust(
    facts({ run: run({ state: 'failed' }) }, slot({ state: 'failed', reason: 'out of memory' })),
  )
  expect(found.answer).toBe('check')
  expect(found.missing?.text).toBe(
    'The night failed: out of memory. Readers keep the earlier output of this night.',
  )
})

test.each<[string, OpenIncident, Answer, string]>([
  ['drift', incident('drift', '2026-03-01'), 'check', 'incident #7'],
  ['parity', incident('parity', '2026-03-01'), 'no', 'Training computes values that differ'],
  [
    'a check of this night',
    incident('unchecked', '2026-03-03'),
    'check',
    'Incident #7 about this night is open: check not done.',
  ],
  ['a failure of this night', incident('resource', '2026-03-02', '2026-03-03'), 'check', 'Incident #7'],
  ['a failure of an earlier night', incident('resource', '2026-03-02'), 'yes', 'on time'],
  ['a retraining', incident('retrain'), 'yes', 'on time'],
])('a list against which an incident is open has no yes: %s', (_, open, answer, text) => {
  const found = trust(facts({ open: [open] }))
  expect(found.answer).toBe(answer)
  expect(found.reasons.some(({ face }) => face === 'published')).toBe(answer === 'yes')
  expect(found.face).toBe({ yes: 'published', no: 'failed', check: 'doubt' }[String(answer)])
  expect(found.reasons.map((reason) => reason.text).join('\n')).toContain(text)
})

test.each<[string, number | null, number | undefined, Answer, string]>([
  ['promoted since', 2, 3, 'yes', 'Version 3 is live now and computes the next list.'],
  [
    'rolled back since',
    2,
    1,
    'check',
    'Version 2, which computed it, was replaced by the earlier version 1.',
  ],
  ['without a live version', 2, undefined, 'check', 'Version 2, which computed it, is no longer live.'],
])('a list is judged with the version that computed it: %s', (_, version, champion, answer, text) => {
  const found = trust(facts({ published: run({ version }), champion }))
  expect(found.answer).toBe(answer)
  expect(found.reasons.map((reason) => reason.text)).toContain(text)
})

test('before the first night there is no answer yet', () => {
  const given = facts()
  expect(trust({ ...given, latest: { last: undefined, published: undefined, next: undefined } }).answer).toBe(
    'not yet',
  )
})

const FEW = 'not enough rows: there are 3, at least 50 are needed'

test.each<[string, Partial<ComparedProfile>, string]>([
  ['too few rows', { rows: 3, compared: 0, why: FEW }, `Not compared: ${FEW}.`],
  ['no rows', { rows: 0, compared: 0, why: 'no rows' }, 'Not compared: the night has no rows.'],
  [
    'nothing to compare with',
    { reference: null, note: 'the baseline is gone', columns: 0, compared: 0 },
    'Not compared: the baseline is gone.',
  ],
])('a night with %s is no yes, since nothing was compared', (_, profile, text) => {
  const found = trust(facts({ evidence: { run: 'r2', profile: compared(profile), moved: [] } }))
  expect([found.answer, found.face]).toEqual(['unknown', 'expected'])
  expect(found.reasons).toContainEqual({ face: 'expected', text })
})

test('an incident that is open over a night without drift is told', () => {
  const told = {
    face: 'doubt',
    text: 'The drift of earlier nights is still open (incident #7).',
  }
  const open = [incident('drift')]
  const quiet = trust(facts({ open, evidence: { run: 'r2', profile: compared({}), moved: [] } }))
  expect(quiet.reasons).toContainEqual(told)
  const moved = [{ column: 'age', score: false, alerting: true, value: 0.4, threshold: 0.1 }]
  const alerts = trust(facts({ open, evidence: { run: 'r2', profile: compared({}), moved } }))
  expect(alerts.reasons).not.toContainEqual(told)
})

test('where some columns could not be compared, the answer says how many could', () => {
  const profile = compared({ compared: 2, why: 'all null; no rows' })
  expect(trust(facts({ evidence: { run: 'r2', profile, moved: [] } })).reasons).toContainEqual({
    face: 'published',
    text: 'No drift in the 2 of 3 columns that could be compared with the holdout of d1; the others: all null; no rows.',
  })
})

const report = (more: Partial<MeasuredReport> = {}): MeasuredReport => ({
  kind: 'classification',
  rows: 200,
  positives: 32,
  scored: 200,
  unlabelled: 0,
  metrics: { auc: 0.77 },
  intervals: { auc: { low: 0.74, high: 0.8 } },
  treated: { known: true, rows: 0, measured_on: 'all', biased: false, note: null },
  realized: { value: 0.16, low: 0.14, high: 0.18 },
  predicted: 0.165,
  ...more,
})
const LIMIT = { retrain: undefined, evaluation: { require: { auc: { min: 0.72 } }, segments: [], k: 10 } }
const measuredAs = (more: Partial<MeasuredReport>, limits?: TrustFacts['limits']) =>
  trust(
    facts({
      limits,
      outcome: {
        model: 'churn',
        measured: { partition: '2026-02-01', report: report(more) },
        next: null,
      },
    }),
  ).reasons.filter(({ text }) => text.includes('2026-02-01'))

test.each<[string, Partial<MeasuredReport>, TrustFacts['limits'], [string, string][]]>([
  [
    'without a limit is neither good nor bad',
    {},
    undefined,
    [['expected', 'AUC 0.77 (0.74 to 0.8) on the night of 2026-02-01; no bound is set to judge it.']],
  ],
  [
    'that is over the limit is good',
    {},
    LIMIT,
    [['published', 'AUC 0.77 (0.74 to 0.8) on the night of 2026-02-01; at least 0.72 is required.']],
  ],
  [
    'below the limit is a doubt',
    { metrics: { auc: 0.71 } },
    LIMIT,
    [['doubt', 'AUC 0.71 (0.74 to 0.8) on the night of 2026-02-01; at least 0.72 is required.']],
  ],
  [
    'whose interval holds a coin is a doubt, whatever the limit',
    { metrics: { auc: 0.5382 }, intervals: { auc: { low: 0.4768, high: 0.5994 } } },
    { ...LIMIT, evaluation: { ...LIMIT.evaluation, require: { auc: { min: 0.5 } } } },
    [
      [
        'doubt',
        'AUC 0.5382 (0.4768 to 0.5994) on the night of 2026-02-01; at least 0.5 is required. That may be no better than guessing, which gives 0.5.',
      ],
    ],
  ],
  [
    'of predictions that did not come true is a doubt',
    { realized: { value: 0.087, low: 0.079, high: 0.095 }, predicted: 0.23 },
    LIMIT,
    [
      ['doubt', '8.7 % was realized on the night of 2026-02-01 (7.9 % to 9.5 %), 23 % was predicted.'],
      ['published', 'AUC 0.77 (0.74 to 0.8) on the night of 2026-02-01; at least 0.72 is required.'],
    ],
  ],
  [
    'that the campaign colours says nothing',
    { treated: { known: true, rows: 9, measured_on: 'all', biased: true, note: null }, predicted: 0.5 },
    LIMIT,
    [
      [
        'expected',
        'AUC 0.77 (0.74 to 0.8) on the night of 2026-02-01, influenced by the campaign: customers who were contacted may have behaved differently than predicted.',
      ],
    ],
  ],
  [
    'of three rows gives no doubt, whatever it is',
    {
      rows: 3,
      positives: 1,
      metrics: { auc: 0 },
      // As nights were recorded before intervals had a rule.
      intervals: { auc: { low: 0, high: 0 } },
      realized: { value: 0.333, low: 0.333, high: 0.333 },
      predicted: 0.9,
    },
    LIMIT,
    [['expected', 'AUC 0 on the night of 2026-02-01, on 3 rows, 1 of them positive: too few to judge it.']],
  ],
  [
    'of many rows with few that came true is still held against what was predicted',
    {
      rows: 1500,
      positives: 3,
      intervals: { auc: { low: null, high: null } },
      realized: { value: 0.002, low: 0.0007, high: 0.0059 },
      predicted: 0.05,
    },
    LIMIT,
    [
      ['doubt', '0.2 % was realized on the night of 2026-02-01 (<0.1 % to 0.6 %), 5.0 % was predicted.'],
      [
        'expected',
        'AUC 0.77 on the night of 2026-02-01, on 1,500 rows, 3 of them positive: too few to judge it.',
      ],
    ],
  ],
  [
    'without an interval on many rows is held against a coin all the same',
    { metrics: { auc: 0.5 }, intervals: { auc: { low: null, high: null } } },
    undefined,
    [
      [
        'doubt',
        'AUC 0.5 on the night of 2026-02-01; no bound is set to judge it. That may be no better than guessing, which gives 0.5.',
      ],
    ],
  ],
  [
    'of a night whose rows have no label for the most part is a doubt, and no check',
    { scored: 1500, unlabelled: 1300 },
    LIMIT,
    [
      ['doubt', '1,300 of 1,500 rows have no label on the night of 2026-02-01: their outcome is not known.'],
      ['expected', 'AUC 0.77 (0.74 to 0.8) on the night of 2026-02-01; at least 0.72 is required.'],
    ],
  ],
  [
    'of no label at all is said to be none',
    { rows: 0, metrics: { auc: null }, intervals: {}, realized: null, predicted: null },
    LIMIT,
    [['expected', 'Nothing could be measured for 2026-02-01: 0 rows have a label.']],
  ],
])('a figure %s', (_, more, limits, wanted) => {
  expect(measuredAs(more, limits).map(({ face, text }) => [face, text])).toEqual(wanted)
})

const DUE =
  'The outcome of 2026-02-02 is not measured yet: it is due because its label window has ended, but it has not been checked yet.'

test.each([
  ['2026-03-04T00:00:00Z', false, null, 'The outcome of 2026-02-02 will be known on 2026-03-04.'],
  [
    '2026-03-02T00:00:00Z',
    true,
    'its label window ends at 2026-03-02T00:00:00Z, but the newest event of source calls is at 2026-03-01T11:00:00Z',
    'The outcome of 2026-02-02 is not measured yet: its label window ends at 2026-03-02 00:00 UTC, but the newest event of source calls is at 2026-03-01 11:00 UTC.',
  ],
  [
    '2026-03-02T00:00:00Z',
    false,
    'its label window ends at 2026-03-02T00:00:00Z, which is in the future',
    DUE,
  ],
  // As it is recorded when the night is published.
  ['2026-03-02T00:00:00Z', false, 'its label window ends at 2026-03-02T00:00:00Z', DUE],
])(
  'a night that matures at %s, looked at since: %s, is told with what keeps it',
  (matures_at, looked, note, text) => {
    const next = { partition: '2026-02-02', matures_at, note, looked }
    const outcome = { model: 'churn', measured: null, next }
    const said = trust(facts({ outcome })).reasons.map((reason) => reason.text)
    expect(said).toContain(`Realized outcomes are not known yet. ${text}`)
  },
)
