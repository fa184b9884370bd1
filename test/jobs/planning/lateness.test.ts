import { describe, expect, it } from 'vitest'
import { planReconcile } from '../../../src/jobs/planning/planner.ts'
import { emptyView, endRuns, nightly, projectOf, running, seenAt, slotOf, wake, work } from '../nights.ts'

describe('deadlines', () => {
  const due = (
    now: string,
    over: Partial<ReturnType<typeof slotOf>>,
    view: Partial<ReturnType<typeof slotOf>> = {},
  ) => {
    const times = { due: '2026-11-23T01:00:00Z', deadline: '2026-11-23T05:00:00Z' }
    const base = seenAt(emptyView(projectOf([nightly()]), now), now, '2026-01-01T00:00:00Z')
    const features = slotOf('features', 'activity', '2026-11-23', {
      ...times,
      run: 'f',
      state: 'published',
      published_run: 'f',
      ...view,
    })
    return {
      ...base,
      slots: [features, slotOf('scores', 'churn', '2026-11-23', { ...times, run: 's', ...over })],
    }
  }
  const at = '2026-11-23T05:00:00Z'

  const rows: [
    why: string,
    now: string,
    scores: Partial<ReturnType<typeof slotOf>>,
    features: Partial<ReturnType<typeof slotOf>>,
    late: string[],
  ][] = [
    ['say nothing a second before', '2026-11-23T04:59:59Z', { state: 'running' }, {}, []],
    [
      'open an incident at the time, though it still runs',
      at,
      { state: 'running' },
      {},
      ['late scores churn 2026-11-23 open scores churn: it is running'],
    ],
    ['say nothing where it is published', at, { state: 'published', published_run: 's' }, {}, []],
    [
      'say nothing where a repeated run failed: the partition is there',
      at,
      { state: 'failed', published_run: 's' },
      {},
      [],
    ],
    ['are told once', at, { state: 'running', late: true }, {}, []],
    [
      'join the incident of a held slot',
      at,
      { state: 'held' },
      {},
      ['late scores churn 2026-11-23 join scores churn: it is held'],
    ],
    [
      'join the incident of a failed slot',
      at,
      { state: 'failed' },
      {},
      ['late scores churn 2026-11-23 join scores churn: it is failed'],
    ],
    ['say nothing of what a person skipped', at, { state: 'skipped' }, {}, []],
    ['say nothing of what no schedule expects', at, { state: 'running', schedule: null }, {}, []],
    [
      'tell of data that is still waited for',
      at,
      { state: 'expected', run: null },
      { state: 'waiting', published_run: null },
      [
        'late features activity 2026-11-23 none: it is waiting',
        'late scores churn 2026-11-23 open features activity: it is waiting',
      ],
    ],
    [
      'join the incident of the view that holds the scores up',
      at,
      { state: 'expected', run: null },
      { state: 'held', published_run: null },
      [
        'late features activity 2026-11-23 none: it is held',
        'late scores churn 2026-11-23 join features activity: it waits: features activity 2026-11-23 is held',
      ],
    ],
  ]
  for (const [why, now, scores, features, late] of rows) {
    it(why, () => {
      expect(
        work(planReconcile(due(now, scores, features))).filter((line) => line.startsWith('late')),
      ).toEqual(late)
    })
  }

  it('open the view’s own incident where no scores depend on it', () => {
    const schedule = nightly({ score: [], refresh: ['activity'] })
    const view = running([schedule], '2026-11-22T12:00:00Z')
    const begun = wake(view, '2026-11-23T01:00:00Z').view
    expect(work(wake(begun, at).actions)).toEqual([
      'late features activity 2026-11-23 open features activity: it is queued',
    ])
  })

  it('are told even if nothing ever ran, and the night still runs', () => {
    const { view, actions } = wake(running([nightly()], '2026-11-22T12:00:00Z'), '2026-11-23T05:30:00Z')
    expect(work(actions)).toEqual([
      'late features activity 2026-11-23 none: it has not started',
      'late scores churn 2026-11-23 open scores churn: it waits: features activity 2026-11-23 is expected',
      'start features activity 2026-11-23',
      'note scores churn 2026-11-23: waits for features activity 2026-11-23, which is being refreshed',
    ])
    const scores = wake(endRuns(view, 'features'), '2026-11-23T05:40:00Z')
    expect(work(scores.actions)).toEqual(['start scores churn 2026-11-23'])
  })
})
