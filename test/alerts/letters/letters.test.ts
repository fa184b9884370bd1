import { describe, expect, test } from 'vitest'
import { recover } from '../../../src/alerts/incidents/report-recovery.ts'
import { facts, recovery } from '../sample.ts'

import { incident, NOW, text } from './letter-case.ts'

describe('the mail about one incident', () => {
  test('says everything that the one who wakes up asks', () => {
    expect(text([incident(facts())])).toBe(`No scores of churn for 2026-11-22 (late-data).
Readers keep the scores of 2026-11-21, published 25 h 53 min ago.
Cause: source calls is late: its newest row is of 2026-11-20 23:58 CET, required is 2026-11-21 22:00 CET or later

Act on incident 12:
  https://nightshift.example.com/incidents/12#act

NEXT THREE COMMANDS
See the run: steps, failed expectations, rows:
  npx nightshift show kf7x2m9q
Once the data is there, re-run the night:
  npx nightshift retry kf7x2m9q
Or give up this night:
  npx nightshift skip churn:2026-11-22 --reason 'the night is not needed'

WHAT FAILED
Model: churn - Probability that a customer cancels within 30 days
Run: kf7x2m9q, failed
  https://nightshift.example.com/runs/kf7x2m9q
Schedule: nightly
Since: 2026-11-22 02:00 CET (2 h 1 min ago)
Deadline: 2026-11-22 06:00 CET (in 1 h 59 min)

WHO IS AFFECTED
- CRM campaign "Stay" (daily 07:00)
- Call centre desktop

WHAT STILL HOLDS
Last good: as_of=2026-11-21, 5,012 rows, version 3, published 2026-11-21 02:07 CET
File: warehouse/scores/churn/as_of=2026-11-21/scores.parquet

ABOUT THE CAUSE
missing file: data/calls/day=2026-11-21/part-0.parquet

WHAT WAS TRIED
- Attempt 1, 2026-11-22 02:01 CET: failed after 37 s: source calls: no file matches data/calls/day=2026-11-21/*.parquet
- Attempt 2, 2026-11-22 02:02 CET: failed after 37 s
- Attempt 3, 2026-11-22 02:03 CET: failed after 37 s

HELP
Runbook: churn, late-data
  https://nightshift.example.com/models/churn/runbook#late-data
Owner: churn-team@example.com

Incident #12, opened 2026-11-22 04:00 CET.
This mail repeats every 4 h until the incident closes. If you are working on it, stop the repeats: npx nightshift ack 12 --by oncall@example.com
`)
  })

  test('about a view is about its models: which are not scored, which scores their readers have, and whose they are', () => {
    const good = facts().lastGood
    const waiting = [
      { model: 'churn', consumers: ['call centre'], lastGood: good },
      { model: 'upsell', consumers: ['shop'], lastGood: undefined },
    ]
    const view = { subject: 'activity', subjectKind: 'view', models: ['churn', 'upsell'], waiting } as const
    const of = facts({ ...view, models: [...view.models] })
    const mail = text([incident(of)])
    expect(mail.split('\n').slice(0, 2)).toEqual([
      'No features of activity for 2026-11-22 (late-data).',
      'churn and upsell are not scored. Their readers keep older scores; the oldest are of 2026-11-21 (churn), published 25 h 53 min ago. Readers of upsell have no scores.',
    ])
    expect(mail).toContain('WHO IS AFFECTED\n- call centre (reads churn)\n- shop (reads upsell)\n')
    expect(mail).toContain(
      'churn: scores of 2026-11-21, version 3, published 2026-11-21 02:07 CET (25 h 53 min ago)\nupsell: no scores\n',
    )
    expect(mail).toContain(
      'Runbook: churn, late-data\n  https://nightshift.example.com/models/churn/runbook#late-data',
    )
    const one = facts({ ...view, models: ['churn'], waiting: waiting.slice(0, 1) })
    expect(text([incident(one)])).toContain(
      '\nchurn is not scored: its readers keep the scores of 2026-11-21, published 25 h 53 min ago.\n',
    )
  })

  test('says of a night that was published before that its output is the earlier one', () => {
    const mail = text([incident(facts({ isPublished: true }))])
    expect(mail.split('\n').slice(0, 2)).toEqual([
      'Scores of churn for 2026-11-22 could not be computed again (late-data).',
      'Readers keep the earlier scores of 2026-11-22.',
    ])
  })

  test('says of scores outside their range what was counted, in figures that people read', () => {
    const check = {
      id: 'score.range',
      kind: 'score.range',
      column: 'score',
      passed: false,
      observed: 1154,
      bound: '0 to 0.2',
      message:
        'expected every score within 0 to 0.2, got: 0.1 to 0.9933071490757153, 1154 of 5012 rows outside',
      samples: [{ customer_id: '17', score: '0.9933071490757153' }],
    }
    const held = facts({ state: 'held', failure: { ...facts().failure, class: 'model' }, checks: [check] })
    const mail = text([incident(held)])
    expect(mail).toContain(
      '- score.range: expected every score within 0 to 0.2, got: 0.1 to 0.9933, 1154 of 5012 rows outside\n- a row: customer_id 17, score 0.9933',
    )
  })

  test('says what was waited for where something waited', () => {
    const [tried] = facts().attempts
    if (tried === undefined) throw new Error('no attempt')
    const waited = facts({ attempts: [{ ...tried, outcome: 'waiting' }] })
    expect(text([incident(waited)])).toContain('- Waited for data until 2026-11-22 04:00 CET.\n')
  })

  test('names the null jump, its bound and sample rows where a run is held', () => {
    const message = 'column plan: null rate 0.62 is above 0.05'
    const check = {
      id: 'plan.max_null_rate',
      kind: 'column.max_null_rate',
      column: 'plan',
      passed: false,
      observed: 0.62,
      bound: 0.05,
      message,
      samples: [{ customer_id: '17', plan: 'null' }],
    }
    const held = facts({
      state: 'held',
      failure: { class: 'contract', message, anchor: '#contract', evidence: { checks: [check] } },
      checks: [check],
    })
    const mail = text([incident(held)])
    expect(mail).toMatch(/^New scores of churn for 2026-11-22 are held back \(contract\)\./)
    expect(mail).toContain('Expectation: plan.max_null_rate\n- a row: customer_id 17, plan null\n')
    expect(mail).toContain(
      "npx nightshift release kf7x2m9q --reason 'the data is right because ...' --by oncall@example.com",
    )
  })

  test('says plainly that readers have nothing, that nobody is named, and offers no link without a base URL', () => {
    const mail = text([
      incident(facts({ lastGood: undefined, consumers: [], baseUrl: undefined, runbook: undefined })),
    ])
    expect(mail).toContain('Nothing was ever published: readers have no scores.')
    expect(mail).toContain('models/churn/model.yaml lists no consumers.')
    expect(mail).not.toContain('http')
    expect(mail).not.toContain('Runbook')
  })

  test('speaks of another night once the newest one is good again', () => {
    const two = incident(facts({ partition: '2026-11-23', run: 'second22' }))
    const first = incident(facts()).nights[0]
    const nights = first === undefined ? two.nights : [first, ...two.nights]
    const left = recover({ ...two, nights }, recovery({ partition: '2026-11-23' }), NOW)
    expect(left?.facts).toMatchObject({ partition: '2026-11-22', run: 'kf7x2m9q' })
    expect(recover({ ...two, nights }, recovery({ partition: '2026-11-30' }), NOW)).toBeUndefined()
  })
})
