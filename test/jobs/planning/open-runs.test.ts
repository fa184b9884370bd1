import { describe, expect, it } from 'vitest'
import type { LedgerView } from '../../../src/jobs/planning/ledger-view.ts'
import { planReconcile } from '../../../src/jobs/planning/planner.ts'
import { emptyView, nightly, openRun, projectOf, seenAt, slotOf, work } from '../nights.ts'

/** Shards that are open, each with how long its worker is silent; null: it has none. */
const split = (age_ms: number, ...open: [number, number | null][]) => ({
  run: 'r1',
  attempt: 1,
  shards: 4,
  age_ms,
  open: open.map(([shard, silent_ms]) => ({ shard, silent_ms })),
})

describe('open runs', () => {
  const now = '2026-11-23T02:00:00Z'
  const slot = slotOf('features', 'activity', '2026-11-23', {
    state: 'running',
    run: 'r1',
    due: '2026-11-23T01:00:00Z',
  })
  const view = (
    over: Partial<ReturnType<typeof openRun>>,
    jobs: LedgerView['jobs'] = new Set(['r1-a1']),
  ): LedgerView => ({
    ...seenAt(emptyView(projectOf([nightly()]), now), now),
    slots: [slot],
    runs: [openRun(slot, 'r1', over)],
    jobs,
  })

  const rows: [why: string, run: Partial<ReturnType<typeof openRun>>, jobs: string[], lines: string[]][] = [
    [
      'an attempt that its worker named 10 s ago lives',
      { state: 'running', attempt: 1, worker: { id: 'w', silent_ms: 10_000 } },
      ['r1-a1'],
      [],
    ],
    [
      'an attempt that its worker has not named for longer is lost',
      { state: 'running', attempt: 1, worker: { id: 'w', silent_ms: 10_001 } },
      ['r1-a1'],
      ['lost r1 attempt 1: no heartbeat from its worker w for 10 s'],
    ],
    [
      'an attempt whose worker signed off is lost',
      { state: 'running', attempt: 2, worker: { id: 'w', silent_ms: undefined } },
      ['r1-a2'],
      ['lost r1 attempt 2: its worker w is gone'],
    ],
    [
      "an attempt in shards is in nobody's hands; its shards are added once the worker that split it had its time",
      { state: 'running', attempt: 1, split: split(9_999, [1, null], [2, null]) },
      [],
      [],
    ],
    [
      'shards that nobody has, or whose worker is silent, get a job where they have none',
      { state: 'running', attempt: 1, split: split(10_000, [1, null], [2, 10_001], [3, 10_000], [4, null]) },
      ['r1-a1-s4'],
      ['enqueue shards 1, 2 of r1: shards of it are not in the queue'],
    ],
    [
      'the join gets its job once all shards are done',
      { state: 'running', attempt: 1, split: split(10_000) },
      [],
      ['enqueue the join of r1: all its shards are done'],
    ],
    ['and only one', { state: 'running', attempt: 1, split: split(10_000) }, ['r1-a1-join'], []],
    [
      'a worker that names it is left to publish',
      { state: 'publishing', attempt: 1, worker: { id: 'w', silent_ms: 100 } },
      [],
      [],
    ],
    [
      'what nobody works on any more is published by whoever plans',
      { state: 'publishing', attempt: 1, worker: { id: 'w', silent_ms: 60_000 } },
      [],
      [
        'finish features activity 2026-11-23: no heartbeat from its worker w for 60 s while it was publishing',
      ],
    ],
    [
      'a publication that was refused waits for its time',
      { state: 'publishing', attempt: 1, next_attempt_at: '2026-11-23T02:00:01Z' },
      [],
      [],
    ],
    [
      'and is tried again then, whoever works',
      {
        state: 'publishing',
        attempt: 1,
        next_attempt_at: '2026-11-23T02:00:00Z',
        worker: { id: 'w', silent_ms: 100 },
      },
      [],
      ['finish features activity 2026-11-23: it could not be published, and its next try is due'],
    ],
    [
      'a backoff is waited for',
      { state: 'queued', attempt: 1, next_attempt_at: '2026-11-23T02:00:01Z' },
      [],
      [],
    ],
    [
      'a backoff that is over gets its attempt',
      { state: 'queued', attempt: 1, next_attempt_at: '2026-11-23T02:00:00Z' },
      ['r1-a1'],
      ['enqueue r1-a2: its next attempt is due'],
    ],
    [
      'an attempt that is in the queue is not put there again',
      { state: 'queued', attempt: 1, next_attempt_at: now },
      ['r1-a2'],
      [],
    ],
    [
      'a wait for data is waited for',
      { state: 'waiting', attempt: 3, next_attempt_at: '2026-11-23T02:05:00Z' },
      [],
      [],
    ],
    [
      'a wait for data that is over is looked at again',
      { state: 'waiting', attempt: 3, next_attempt_at: '2026-11-23T01:59:00Z' },
      [],
      ['enqueue r1-a4: its wait for data has ended'],
    ],
  ]
  for (const [why, run, jobs, expected] of rows) {
    it(why, () => {
      expect(work(planReconcile(view(run, new Set(jobs))))).toEqual(expected)
    })
  }

  it('finishes a slot in publishing that no run speaks for', () => {
    const left = { ...view({}), slots: [{ ...slot, state: 'publishing' as const }], runs: [] }
    expect(work(planReconcile(left))).toEqual([
      'finish features activity 2026-11-23: it was interrupted while publishing',
    ])
  })
})
