import { describe, expect, it } from 'vitest'
import { planReconcile } from '../../../src/jobs/planning/planner.ts'
import type { Schedule } from '../../../src/project/project.ts'
import { applyPlan, endRuns, nightly, running, wake, work } from '../nights.ts'

describe('a scheduler that was down for five nights', () => {
  // Last awake on the 17th at noon, back on the 22nd at 11:00: the nights of the 18th to the 22nd are missed, of which
  // the first three were in the ledger already.
  const down = (schedule: Schedule) =>
    wake(running([schedule], '2026-11-17T11:00:00Z'), '2026-11-22T10:00:00Z')
  const nights = ['2026-11-18', '2026-11-19', '2026-11-20', '2026-11-21', '2026-11-22']

  const rows: [policy: Schedule['catch_up'], runs: string[], reason: string][] = [
    [{ policy: 'all', max: 7 }, nights, ''],
    [{ policy: 'all', max: 5 }, nights, ''],
    [
      { policy: 'all', max: 2 },
      ['2026-11-21', '2026-11-22'],
      'catch_up all, max 2: 2 newer nights were missed',
    ],
    [{ policy: 'all', max: 0 }, [], 'catch_up all, max 0: 0 newer nights were missed'],
    [{ policy: 'latest', max: 7 }, ['2026-11-22'], 'catch_up latest: a newer slot is due (2026-11-22)'],
    [{ policy: 'none', max: 7 }, [], 'catch_up none: no scheduler was running when it was due'],
  ]
  for (const [policy, runs, reason] of rows) {
    it(`under ${policy.policy}, max ${policy.max} runs ${runs.length} of them, oldest first, and says why not the others`, () => {
      const { view, actions } = down(nightly({ catch_up: policy, deadline: undefined }))
      const done = work(actions)
      expect(done.filter((line) => line.startsWith('start'))).toEqual(
        runs.map((night) => `start features activity ${night}`),
      )
      const left = nights.filter((night) => !runs.includes(night))
      const skips = done.filter((line) => line.startsWith('skip'))
      expect(skips.map((line) => line.slice(0, line.indexOf(':'))).sort()).toEqual(
        left.flatMap((night) => [`skip features activity ${night}`, `skip scores churn ${night}`]).sort(),
      )
      for (const line of skips) expect(line).toContain(reason)
      // What runs goes on to scores; what was skipped stays so.
      const later = wake(endRuns(view, 'features'), '2026-11-22T10:01:00Z')
      expect(work(later.actions)).toEqual(runs.map((night) => `start scores churn ${night}`))
      expect(work(wake(endRuns(later.view, 'scores'), '2026-11-22T10:02:00Z').actions)).toEqual([])
    })
  }

  it('tells of every night that missed its deadline, also of those that catch-up gives up', () => {
    const { view, actions } = down(nightly({ catch_up: { policy: 'latest', max: 7 } }))
    const told = work(actions).filter((line) => line.startsWith('late scores'))
    expect(told).toEqual([
      ...nights
        .slice(0, 4)
        .map(
          (night) =>
            `late scores churn ${night} open scores churn: it will not be published: catch_up latest: a newer slot is due (2026-11-22)`,
        ),
      'late scores churn 2026-11-22 open scores churn: it waits: features activity 2026-11-22 is expected',
    ])
    expect(work(actions).filter((line) => line.startsWith('late features'))).toEqual(
      nights.map((night) => expect.stringMatching(`late features activity ${night} none`)),
    )
    expect(work(wake(view, '2026-11-22T10:01:00Z').actions)).toEqual([])
  })

  it('tells at once of a night that is given up before its deadline', () => {
    const view = running([nightly({ catch_up: { policy: 'none', max: 7 } })], '2026-11-22T12:00:00Z')
    const { actions } = wake(view, '2026-11-23T03:00:00Z')
    expect(work(actions)).toContain(
      'late scores churn 2026-11-23 open scores churn: it will not be published: catch_up none: no scheduler was running when it was due (2026-11-23T01:00:00.000Z)',
    )
  })

  it('tells of nights without a deadline that are given up, once and of the scores alone', () => {
    const { view, actions } = down(nightly({ catch_up: { policy: 'latest', max: 7 }, deadline: undefined }))
    const told = (of: typeof actions) => work(of).filter((line) => line.startsWith('given up'))
    expect(told(actions)).toEqual(
      nights
        .slice(0, 4)
        .map(
          (night) =>
            `given up scores churn ${night}: it will not be published: catch_up latest: a newer slot is due (2026-11-22)`,
        ),
    )
    expect(told(wake(view, '2026-11-22T10:01:00Z').actions)).toEqual([])
    const paused = nightly({ catch_up: { policy: 'latest', max: 7 }, deadline: undefined, paused: true })
    expect(told(down(paused).actions)).toEqual([])
  })

  it('does not take a restart of some minutes for a missed night', () => {
    const view = running([nightly({ catch_up: { policy: 'none', max: 7 } })], '2026-11-22T12:00:00Z')
    expect(work(wake(view, '2026-11-23T01:09:00Z').actions)[0]).toBe('start features activity 2026-11-23')
  })

  it('never gives up a night that has begun, however long it takes', () => {
    for (const policy of ['latest', 'none'] as const) {
      const schedule = nightly({ catch_up: { policy, max: 7 }, deadline: undefined })
      const begun = wake(running([schedule], '2026-11-22T12:00:00Z'), '2026-11-23T01:00:00Z').view
      const later = wake(begun, '2026-11-24T01:00:30Z')
      expect(
        work(later.actions).filter((line) => line.startsWith('skip')),
        policy,
      ).toEqual([])
      const scores = wake(endRuns(later.view, 'features'), '2026-11-24T01:20:00Z')
      expect(work(scores.actions), policy).toEqual([
        'start scores churn 2026-11-23',
        'start scores churn 2026-11-24',
      ])
    }
  })

  it('decides the same where it died between two of its actions', () => {
    const before = running([nightly({ catch_up: { policy: 'all', max: 2 } })], '2026-11-17T11:00:00Z')
    const now = '2026-11-22T10:00:00Z'
    const whole = planReconcile({ ...before, now })
    const starts = whole.filter(({ type }) => type === 'start-run').length
    // The calendar's actions are one transaction; after it, death may come anywhere.
    const calendar = whole.findIndex(({ type }) => type === 'see-schedule') + 1
    for (let done = calendar; done <= whole.length; done += 1) {
      const torn = applyPlan({ ...before, now }, whole.slice(0, done))
      const rest = planReconcile(torn)
      const started = [...whole.slice(0, done), ...rest].filter(({ type }) => type === 'start-run')
      expect(started.length, `after ${done} of ${whole.length}`).toBe(starts)
      expect(planReconcile(applyPlan(torn, rest)), `after ${done}`).toEqual([])
    }
  })
})
