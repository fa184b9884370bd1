import type { BriefRun } from '../../../src/ledger/nights/latest.ts'
import type { Slot } from '../../../src/ledger/nights/slots.ts'
import type { ComparedProfile } from '../../../src/monitoring/evidence.ts'
import type { OpenIncident, TrustFacts } from '../../../src/monitoring/trust/trust-facts.ts'

export const NOW = new Date('2026-03-03T07:00:00Z')

export const slot = (more: Partial<Slot> = {}): Slot => ({
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

export const run = (more: Partial<BriefRun> = {}): BriefRun => ({
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

export const compared = (more: Partial<ComparedProfile> = {}): ComparedProfile => ({
  reference: 'holdout of d1',
  note: null,
  rows: 100,
  columns: 3,
  compared: 3,
  why: null,
  ...more,
})

export const facts = (more: Partial<TrustFacts> = {}, last: Slot | undefined = slot()): TrustFacts => ({
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

export const incident = (kind: OpenIncident['kind'], ...bad: string[]): OpenIncident => ({ id: 7, kind, bad })

export function poorVersion(version: number): OpenIncident {
  const quality = { persist: '2 of 3', version, live: null, rows: 100, positives: 9, broken: [] }
  return { ...incident('quality'), facts: { quality } }
}

export const moved = { column: 'spend', score: false, alerting: false, how: 'PSI 0.31, threshold 0.1' }
