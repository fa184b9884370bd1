import type { AlertSettings } from '../../src/alerts/delivery/alert-settings.ts'
import type { FailureFacts, MovedColumn, RecoveryFacts } from '../../src/alerts/incidents/incident-facts.ts'
import { NO_FIGURES } from '../../src/pipeline/drift/measures.ts'
import { categoryProfile, normal, numberProfile } from '../charts/sample.ts'

export const SETTINGS: AlertSettings = {
  project: 'telco',
  timezone: 'Europe/Berlin',
  from: 'nightshift@example.com',
  group: 30_000,
  repeat: 4 * 3_600_000,
  escalate: undefined,
  webhooks: [],
  baseUrl: 'https://nightshift.example.com',
  isScheduled: true,
  command: 'npx nightshift',
  host: 'scores-1',
  folder: '/srv/telco',
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
        'source calls is late: its newest row is of 2026-11-20T22:58:12Z, required is 2026-11-21T21:00:00Z or later',
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

/** A night whose columns moved: `shifts` has the PSI of each, against a threshold of 0.1; the score stays. */
export function drifting(
  subject: string,
  shifts: Record<string, number>,
  changes: Partial<FailureFacts> = {},
): FailureFacts {
  const moved = Object.entries(shifts).map(([column, psi]) => movedColumn(column, psi))
  const score = { ...movedColumn('score', 0.02), score: true, drifted: false, fired: [] }
  const [spend, later] = [normal(400, 40, 9, 1), normal(400, 52, 9, 2)]
  return facts({
    subject,
    state: 'published',
    run: `run-${subject}`,
    failure: { class: 'drift', message: `${Object.keys(shifts)[0]} moved`, anchor: '#drift', evidence: {} },
    drift: {
      reference: 'holdout of 3f2a9c0b1d',
      note: null,
      rows: 400,
      persist: '2 of 3',
      moved,
      score,
      slices: [],
      segments: [],
      // As many as the ledger keeps of an incident.
      pictures: [...moved.slice(0, 2), score].map(({ column, score: isScore }) =>
        column === 'plan'
          ? {
              reference: categoryProfile(column, { basic: 300, pro: 100 }),
              tonight: categoryProfile(column, { basic: 100, pro: 300 }),
            }
          : {
              reference: numberProfile(column, spend, { score: isScore }),
              tonight: numberProfile(column, isScore ? spend : later, { score: isScore }),
            },
      ),
    },
    ...changes,
  })
}

function movedColumn(column: string, psi: number): MovedColumn {
  return {
    column,
    score: false,
    rows: 400,
    ...NO_FIGURES,
    psi,
    null_rate: 0,
    unseen_rate: null,
    reference: { rows: 400, null_rate: 0, mean: 40 },
    mean: 52,
    statistic: 'psi',
    threshold: 0.1,
    threshold_from: 'min_effect',
    p: 0.001,
    drifted: true,
    fired: ['distribution'],
    note: null,
    since: '2026-11-21',
    nights: 2,
  }
}
