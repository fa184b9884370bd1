import { describe, expect, test } from 'vitest'
import type { IncidentKind } from '../../../src/failures/incident-kinds.ts'
import { drifting, facts } from '../sample.ts'

import { incident, text } from './letter-case.ts'

describe('the cause of a mail', () => {
  const causeOf = (message: string, kind: IncidentKind = 'drift') =>
    /^Cause: (.*)$/m.exec(
      text([
        incident(
          drifting('churn', { age: 3 }, { failure: { class: kind, message, anchor: '#', evidence: {} } }),
        ),
      ]),
    )?.[1]
  const moved =
    'capital_gain moved: PSI 0.2946, threshold 0.1; also age, hours_per_week, education_num and 4 more'
  const scores = 'the scores moved too (mean 0.199 before, 0.297 now)'
  const compared = 'compared with the nights of 2026-10-01 to 2026-10-21'

  test('of drift says whole clauses alone, the essentials first', () => {
    expect(causeOf(`age moved: PSI 3, threshold 0.1; ${scores}; ${compared}`)).toBe(
      `age moved: PSI 3, threshold 0.1; ${scores}; ${compared}`,
    )
    expect(causeOf(`${moved}; ${scores}; ${compared}`)).toBe(`${moved}; ${scores}`)
    const long = Array.from({ length: 12 }, (_, index) => `column_number_${index}`).join(', ')
    expect(causeOf(`age moved: PSI 3, threshold 0.1; also ${long}; ${scores}; ${compared}`)).toBe(
      `age moved: PSI 3, threshold 0.1; ${scores}; ${compared}`,
    )
  })

  test('of a column of dates has dates below it', () => {
    const of = drifting('churn', { since: 3 })
    const moved = of.drift?.moved.map((column) => ({
      ...column,
      type: 'DATE',
      mean: 1_663_000_000,
      reference: { ...column.reference, mean: 1_662_000_000 },
    }))
    const told = of.drift && moved && { ...of, drift: { ...of.drift, moved } }
    expect(told && text([incident(told)])).toContain('mean 2022-09-01 before, 2022-09-12 now')
  })

  test('is cut behind a whole word, and a word of its own is cut anywhere', () => {
    expect(causeOf('expected a whole word, '.repeat(20), 'contract')).toBe(
      `${'expected a whole word, '.repeat(7)}expected a whole...`,
    )
    expect(causeOf('x'.repeat(400))).toBe(`${'x'.repeat(177)}...`)
  })
})

describe('a mail says each thing once', () => {
  const count = (text: string, part: string) => text.split(part).length - 1

  test('the cause of late data, with its times in one zone', () => {
    const check = {
      id: 'expect.fresh.calls',
      kind: 'fresh',
      column: undefined,
      passed: false,
      observed: '2026-11-20T22:58:12Z',
      bound: '2026-11-21T21:00:00Z',
      message:
        'source calls: expected its newest row to be no older than 9h at the as-of (2026-11-21T21:00:00Z or later), got: 2026-11-20T22:58:12Z',
      samples: [],
    }
    const mail = text([incident(facts({ checks: [check] }))])
    expect(count(mail, 'source calls is late')).toBe(1)
    expect(count(mail, '23:58')).toBe(1)
    expect(mail).not.toMatch(/\d{2}:\d{2}Z|\d{2}:\d{2}:\d{2}/)
    expect(mail).toContain('Expectation: expect.fresh.calls\n')
    expect(count(mail, 'Readers keep')).toBe(1)
    expect(count(mail, 'https://nightshift.example.com/runs/kf7x2m9q')).toBe(1)
  })

  test('that readers have no scores, and the time of a deadline', () => {
    const waiting = [{ model: 'churn', consumers: [], lastGood: undefined }]
    const view = { subject: 'activity', subjectKind: 'view' as const, models: ['churn'], waiting }
    const late = { class: 'deadline', message: 'it waits for data', anchor: '#deadline' } as const
    const deadline = '2026-11-22T05:00:00Z'
    const of = { ...view, deadline, failure: { ...late, evidence: { deadline } } }
    const mail = text([incident(facts(of))])
    expect(mail).toContain('by the deadline, 2026-11-22 06:00 CET')
    expect(count(mail, 'no scores')).toBe(1)
    expect(mail).not.toMatch(/^(?:Deadline|deadline): /m)
    expect(mail).not.toContain('WHAT STILL HOLDS')
  })

  test('a source that the first lines only count is named', () => {
    const late = [
      { source: 'calls', newest: '2026-11-20T22:58:12Z', needed: '2026-11-21T21:00:00Z' },
      { source: 'usage', newest: null, needed: '2026-11-21T21:00:00Z' },
    ]
    const mail = text([incident(facts({ failure: { ...facts().failure, evidence: { late } } }))])
    expect(mail).toContain('- source usage, newest none, needed 2026-11-21 22:00 CET\n')
    expect(mail).not.toContain('- source calls')
  })

  test('a message that the first lines cut goes on below, and no part of it stands twice', () => {
    const about = (message: string) =>
      text([incident(facts({ failure: { class: 'bug', message, anchor: '#bug', evidence: {} } }))])
    const long = about(`the file ${'x'.repeat(200)} is not a Parquet file of 0.1234567890123 MB`)
    expect(long).toMatch(/Cause: the file x+\.\.\.\n/)
    expect(long).toMatch(/ABOUT THE CAUSE\n> \.\.\.x+ is not a Parquet file of 0\.1235 MB\n/)
    const lines = about(`one engine said:\n  ${'word '.repeat(60)}\n  and the last line`)
    expect(lines).toMatch(/ABOUT THE CAUSE\n> \.\.\. word/)
    expect(count(lines, 'word')).toBe(60)
    expect(count(lines, 'and the last line')).toBe(1)
  })

  test('a problem of a file that is the cause is not repeated as evidence', () => {
    const problem = {
      file: 'features/activity/features.sql',
      line: 1,
      column: 25,
      message: 'expected the name of a column, got: amuont',
      severity: 'error',
    }
    const message = `${problem.file}:1:25: ${problem.message}`
    const failure = {
      class: 'contract' as const,
      message,
      anchor: '#contract',
      evidence: { problems: [problem] },
    }
    expect(text([incident(facts({ failure }))])).not.toContain('ABOUT THE CAUSE')
  })

  test('a drift with its reference and its mean scores, in the first lines if there is room', () => {
    const about = (message: string) =>
      drifting(
        'churn',
        { spend: 0.4 },
        { failure: { class: 'drift', message, anchor: '#drift', evidence: {} } },
      )
    const whole = text([
      incident(
        about(
          'spend moved: PSI 0.4, threshold 0.1; the scores are within the usual range (mean 40 before, 52 now); compared with holdout of 3f2a9c0b1d',
        ),
      ),
    ])
    const [lead = '', details = ''] = whole.split('BEFORE AND AFTER')[0]?.split('WHAT MOVED') ?? []
    expect(lead).toContain('compared with holdout of 3f2a9c0b1d')
    expect(details).not.toMatch(/Compared with|usual range|Mean:/)
    const cut = text([incident(about('spend moved: PSI 0.4, threshold 0.1'))])
    expect(cut).toContain('Compared with: holdout of 3f2a9c0b1d\n')
    expect(cut).toMatch(/They are within the usual range\.\nscore: .*\nMean: 40 before, 52 now\n/)
  })

  test('a missed deadline that joins says that it is new, and no second night', () => {
    const joined = incident(facts())
    const nights = joined.nights.map((night) => ({ ...night, late: true }))
    expect(text([{ ...joined, nights }], 'joined').split('\n')[0]).toBe(
      'Past its deadline: no scores of churn for 2026-11-22 (late-data).',
    )
  })
})
