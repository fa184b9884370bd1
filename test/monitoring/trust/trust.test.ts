import { expect, test } from 'vitest'
import type { BriefRun } from '../../../src/ledger/nights/latest.ts'
import type { Slot } from '../../../src/ledger/nights/slots.ts'
import type { ComparedProfile } from '../../../src/monitoring/evidence.ts'
import { type Answer, trust } from '../../../src/monitoring/trust/trust.ts'
import type { OpenIncident, TrustFacts } from '../../../src/monitoring/trust/trust-facts.ts'
import { compared, facts, incident, moved, poorVersion, run, slot } from './trust-case.ts'

test('a night that is on time, looks like its reference and agrees with training is trusted', () => {
  expect(trust(facts())).toEqual({
    answer: 'yes',
    face: 'published',
    why: '',
    missing: undefined,
    reasons: [
      { face: 'published', text: 'Published 2026-03-03 02:05 UTC, on time (promised by 06:00).' },
      { face: 'published', text: 'No drift: it matches the holdout of d1.' },
      { face: 'published', text: 'Served as trained: 300 values agree.' },
    ],
  })
})

const releasedFeatures = (id: string) => ({
  slot: slot({ kind: 'features', name: 'activity' }),
  run: run({ id, trigger: 'release', requested_by: 'ann', reason: '1901 is a company' }),
})

test('who released features that the list was not computed from is not said', () => {
  expect(JSON.stringify(trust(facts({ features: releasedFeatures('f3') })))).not.toContain('released')
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
    'One unusual night, not a trend: spend (PSI 0.31, threshold 0.1)',
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
    'Its input has drifted: spend (PSI 0.31, threshold 0.1)',
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
  [
    'from features released by hand',
    facts({ features: releasedFeatures('f2') }),
    'yes',
    'Its features were released by ann: 1901 is a company',
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

const waiting = {
  slot: open({ kind: 'features', name: 'activity', state: 'waiting', waits_for: 'source calls is late' }),
  run: run({ id: 'f2', state: 'waiting' }),
}

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
    'late with its features',
    facts({ features: waiting }, open({ state: 'expected', reason: 'waits for features activity' })),
    'check',
    'Late, promised by 06:00: source calls is late',
  ],
  [
    'waiting with its features',
    facts({ now: new Date('2026-03-03T03:00:00Z'), features: waiting }, open({ state: 'expected' })),
    'yes',
    'It waits, promised by 06:00: source calls is late',
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
  const moved = [{ column: 'age', score: false, alerting: true, how: 'PSI 0.4, threshold 0.1' }]
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
