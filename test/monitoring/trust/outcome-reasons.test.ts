import { expect, test } from 'vitest'
import type { MeasuredReport } from '../../../src/monitoring/evidence.ts'
import { trust } from '../../../src/monitoring/trust/trust.ts'
import type { TrustFacts } from '../../../src/monitoring/trust/trust-facts.ts'
import { facts } from './trust-case.ts'

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
