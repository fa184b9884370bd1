import type { FailureFacts, RecoveryFacts } from '../../src/alerts/facts.ts'
import type { AlertSettings } from '../../src/alerts/settings.ts'

export const SETTINGS: AlertSettings = {
  project: 'telco',
  timezone: 'Europe/Berlin',
  from: 'nightshift@example.com',
  group: 30_000,
  repeat: 4 * 3_600_000,
}

/** A late source at night, as a worker would report it. */
export function facts(changes: Partial<FailureFacts> = {}): FailureFacts {
  return {
    project: 'telco',
    timezone: 'Europe/Berlin',
    subject: 'churn',
    subjectKind: 'model',
    description: 'Probability that a customer cancels within 30 days',
    owner: 'churn-team@example.com',
    onCall: ['oncall@example.com'],
    consumers: ['CRM campaign "Stay" (daily 07:00)', 'Call centre desktop'],
    failure: {
      class: 'late-data',
      message:
        'source calls is late: its newest row is of 2026-11-20T22:58:12Z, needed is 2026-11-21T21:00:00Z or later',
      anchor: '#late-data',
      evidence: {
        late: [{ source: 'calls', newest: '2026-11-20T22:58:12Z', needed: '2026-11-21T21:00:00Z' }],
        missing_file: 'data/calls/day=2026-11-21/part-0.parquet',
      },
    },
    state: 'failed',
    partition: '2026-11-22',
    run: 'kf7x2m9q',
    slot: 'churn:2026-11-22',
    schedule: 'nightly',
    since: '2026-11-22T01:00:04Z',
    deadline: '2026-11-22T05:00:00Z',
    waitedUntil: '2026-11-22T03:00:00Z',
    attempts: [1, 2, 3].map((number) => ({
      number,
      startedAt: `2026-11-22T01:0${number}:04Z`,
      endedAt: `2026-11-22T01:0${number}:41Z`,
      outcome: 'failed',
      message: number === 1 ? 'source calls: no file matches data/calls/day=2026-11-21/*.parquet' : undefined,
    })),
    checks: [],
    lastGood: {
      partition: '2026-11-21',
      publishedAt: '2026-11-21T01:07:30Z',
      path: 'warehouse/scores/churn/as_of=2026-11-21/scores.parquet',
      rows: 5012,
      version: 3,
    },
    baseUrl: 'https://nightshift.example.com',
    runbook: 'models/churn/RUNBOOK.md',
    ...changes,
  }
}

/** Facts about one of many models that a lost Redis takes down. */
export function outage(index: number, changes: Partial<FailureFacts> = {}): FailureFacts {
  const subject = `model-${String(index).padStart(2, '0')}`
  const run = `kd${String(index).padStart(3, '0')}qx7`
  return facts({
    subject,
    run,
    slot: `${subject}:2026-11-22`,
    failure: {
      class: 'transient',
      message: `connect ECONNREFUSED 10.0.0.7:6379 (run ${run})`,
      anchor: '#transient',
      evidence: {},
    },
    ...changes,
  })
}

export function recovery(changes: Partial<RecoveryFacts> = {}): RecoveryFacts {
  return {
    subject: 'churn',
    subjectKind: 'model',
    partition: '2026-11-22',
    kinds: undefined,
    how: 'published',
    run: 'zz9plural',
    rows: 5020,
    by: undefined,
    lastGood: undefined,
    ...changes,
  }
}
