import { describe, expect, test } from 'vitest'
import type { FailureFacts, IncidentFailure } from '../../../src/alerts/incidents/incident-facts.ts'
import type { Incident } from '../../../src/alerts/incidents/incident-record.ts'
import { recover } from '../../../src/alerts/incidents/report-recovery.ts'
import { threadSubject } from '../../../src/alerts/letters/subject-line.ts'
import { INCIDENT_KINDS, type IncidentKind } from '../../../src/failures/incident-kinds.ts'
import { drifting, facts, outage, recovery } from '../sample.ts'
import { incident, NOW } from './letter-case.ts'

const subjectOf = (changes: Partial<FailureFacts>) => threadSubject([incident(facts(changes))])
const failure = (of: Partial<IncidentFailure>): IncidentFailure => ({
  class: 'late-data',
  message: 'm',
  anchor: '#a',
  evidence: {},
  ...of,
})
const late = (...sources: string[]) =>
  failure({ evidence: { late: sources.map((source) => ({ source, newest: null, needed: 'now' })) } })

describe('the subject of a mail says model, night and what is missing', () => {
  test.each<[string, Partial<FailureFacts>]>([
    ['churn 2026-11-22 not published: calls are late (#12)', {}],
    ['churn 2026-11-22 not published: usage is late (#12)', { failure: late('usage') }],
    ['churn 2026-11-22 not published: status is late (#12)', { failure: late('status') }],
    ['churn 2026-11-22 not published: calls and usage are late (#12)', { failure: late('calls', 'usage') }],
    [
      'churn 2026-11-22 not published: calls are late (#12)',
      { failure: failure({ evidence: { source: 'calls', path: 'data/calls/*.parquet' } }) },
    ],
    [
      'churn 2026-11-22 not published: the features that are to be scored are not published (#12)',
      { failure: failure({ evidence: { view: 'activity' } }) },
    ],
    ['churn 2026-11-22T03Z not published: calls are late (#12)', { partition: '2026-11-22T03Z' }],
    ['churn 2026-11-22 not computed again: calls are late (#12)', { isPublished: true }],
    [
      'churn 2026-11-22 not published: the time ran out (#12)',
      { failure: failure({ class: 'resource', evidence: { ended: 'timeout' } }) },
    ],
    [
      'churn 2026-11-22 not published by 06:00 CET: no worker has taken it (#12)',
      { failure: failure({ class: 'deadline' }), state: 'queued' },
    ],
    [
      'churn 2026-11-22 not checked for drift (#12)',
      { failure: failure({ class: 'unchecked', evidence: { monitor: 'drift' } }), state: 'published' },
    ],
    [
      'features of activity 2026-11-22 differ from those of training (#12)',
      {
        subject: 'activity',
        subjectKind: 'view',
        failure: failure({ class: 'parity' }),
        state: 'published',
        waiting: [{ model: 'churn', consumers: [], lastGood: undefined }],
      },
    ],
  ])('%s', (subject, changes) => expect(subjectOf(changes)).toBe(subject))

  test('a view is named by the models that wait for it, and by itself if none does', () => {
    const view = { subject: 'activity', subjectKind: 'view' } as const
    const waiting = ['churn', 'upsell'].map((model) => ({ model, consumers: [], lastGood: undefined }))
    expect(subjectOf({ ...view, waiting })).toBe(
      'churn and upsell 2026-11-22 not published: calls are late (#12)',
    )
    expect(subjectOf({ ...view, waiting: [] })).toBe(
      'features of activity 2026-11-22 not published: calls are late (#12)',
    )
  })

  test('what is held back is named by its expectation, and none of the data is in it', () => {
    const check = (id: string, kind: string) => ({
      ...{ id, kind, column: 'plan', passed: false, observed: 'secret plan', bound: 0.05 },
      ...{ message: 'column plan: expected basic, got: secret plan', samples: [{ plan: 'secret plan' }] },
    })
    const held = {
      state: 'held',
      failure: failure({ class: 'contract', message: 'got: secret plan' }),
    } as const
    const nulls = check('columns.plan.max_null_rate', 'column.max_null_rate')
    expect(subjectOf({ ...held, checks: [nulls] })).toBe(
      'churn 2026-11-22 held back: columns.plan.max_null_rate failed (#12)',
    )
    expect(subjectOf({ ...held, checks: [nulls, nulls, nulls] })).toBe(
      'churn 2026-11-22 held back: columns.plan.max_null_rate and 2 more failed (#12)',
    )
    expect(subjectOf({ ...held, checks: [check('score.range', 'score.range')] })).toBe(
      'churn 2026-11-22 held back: scores are outside their range (#12)',
    )
  })

  test('drift names what moved', () => {
    const four = drifting('churn', { price: 3, plan: 2, calls: 1, tenure: 1 })
    expect(threadSubject([incident(four)])).toBe('churn 2026-11-22 drifted: price, plan and 2 more (#12)')
  })

  test('a thread that begins when all is over says so, unless the night was given up', () => {
    const closed = (how: 'published' | 'skipped', by?: string): Incident => {
      const open = incident(facts())
      return { ...open, ...recover(open, recovery({ how, by }), NOW), closedAt: NOW }
    }
    expect(threadSubject([closed('published')])).toBe(
      'Resolved: churn 2026-11-22 not published: calls are late (#12)',
    )
    expect(threadSubject([closed('skipped', 'the schedule')])).toBe(
      'churn 2026-11-22 not computed: skipped by the schedule (#12)',
    )
    expect(threadSubject([closed('skipped', 'ann@example.com')])).toBe(
      'churn 2026-11-22 not computed: skipped (#12)',
    )
  })

  test('of several incidents says what they have in common', () => {
    const of = (...all: Incident[]) => {
      const [first, ...rest] = all
      if (first === undefined) throw new Error('no incident')
      return threadSubject([first, ...rest])
    }
    const lost = 'not published: a connection, a lock or a process was lost'
    const outages = Array.from({ length: 40 }, (_, index) => incident(outage(index + 1), index + 20))
    expect(of(...outages)).toBe(`40 models 2026-11-22 ${lost} (#20 to #59)`)
    expect(of(...outages.slice(0, 2))).toBe(`model-01 and model-02 2026-11-22 ${lost} (#20 to #21)`)
    const [one] = outages
    if (one === undefined) throw new Error('no incident')
    expect(of(one, incident(facts(), 21))).toBe(
      'model-01 and churn 2026-11-22 not published: 2 causes (#20 to #21)',
    )
    expect(of(incident(facts(), 20), incident(drifting('stay', { spend: 1 }), 21))).toBe(
      'churn and stay 2026-11-22: 2 incidents (#20 to #21)',
    )
    expect(of(incident(facts(), 20), incident(facts({ subject: 'ltv', partition: '2026-11-21' }), 21))).toBe(
      'churn and ltv not published: calls are late (#20 to #21)',
    )
  })

  test.each(INCIDENT_KINDS)('of %s is one line that keeps its id, however long the names', (kind) => {
    const subject = subjectOf({
      subject: 'x\r\n'.repeat(200),
      failure: failure({ class: kind as IncidentKind }),
    })
    expect(subject).toMatch(/^[^\r\n]{20,160}\.\.\. \(#12\)$/)
  })
})
