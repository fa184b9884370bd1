import { describe, expect, it } from 'vitest'
import { planReconcile } from '../../../src/jobs/planning/planner.ts'
import { parseDuration } from '../../../src/project/time/duration.ts'
import {
  addDays,
  applyPlan,
  emptyView,
  endRuns,
  lines,
  liveNight,
  nightly,
  projectOf,
  running,
  seenAt,
  slotOf,
  wake,
  work,
} from '../nights.ts'

describe('the slots of a schedule', () => {
  it('exist at least 48 hours ahead from the moment it is seen, and none before', () => {
    const { actions } = wake(
      emptyView(projectOf([nightly()]), '2026-11-22T12:00:00Z'),
      '2026-11-22T12:00:00Z',
    )
    expect(lines(actions)).toEqual([
      'create features activity 2026-11-23 due 2026-11-23T01:00:00Z',
      'create scores churn 2026-11-23 due 2026-11-23T01:00:00Z',
      'create features activity 2026-11-24 due 2026-11-24T01:00:00Z',
      'create scores churn 2026-11-24 due 2026-11-24T01:00:00Z',
      'create features activity 2026-11-25 due 2026-11-25T01:00:00Z',
      'create scores churn 2026-11-25 due 2026-11-25T01:00:00Z',
      'see-schedule nightly',
    ])
  })

  it('begin at its start, a date of the project; nights before it was seen have no deadline', () => {
    const now = '2026-11-22T12:00:00Z'
    const { actions } = wake(emptyView(projectOf([nightly({ start: '2026-11-21' })]), now), now)
    const [create] = actions
    expect(
      create?.type === 'create-slots' && create.slots.map(({ asOf, deadline }) => [asOf.label, deadline]),
    ).toEqual([
      ['2026-11-21', undefined],
      ['2026-11-21', undefined],
      ['2026-11-22', undefined],
      ['2026-11-22', undefined],
      ['2026-11-23', '2026-11-23T05:00:00Z'],
      ['2026-11-23', '2026-11-23T05:00:00Z'],
      ['2026-11-24', '2026-11-24T05:00:00Z'],
      ['2026-11-24', '2026-11-24T05:00:00Z'],
      ['2026-11-25', '2026-11-25T05:00:00Z'],
      ['2026-11-25', '2026-11-25T05:00:00Z'],
    ])
    expect(work(actions)).toEqual([
      'start features activity 2026-11-21',
      'note scores churn 2026-11-21: waits for features activity 2026-11-21, which is being refreshed',
      'start features activity 2026-11-22',
      'note scores churn 2026-11-22: waits for features activity 2026-11-22, which is being refreshed',
    ])
  })

  it('do not begin before a start that lies ahead', () => {
    const now = '2026-11-22T12:00:00Z'
    const { actions } = wake(emptyView(projectOf([nightly({ start: '2026-11-24T00:00:00Z' })]), now), now)
    expect(lines(actions)[0]).toBe('create features activity 2026-11-24 due 2026-11-24T01:00:00Z')
  })

  it('go with the schedule when it is removed, as far as they lie ahead', () => {
    const view = running([nightly()], '2026-11-22T12:00:00Z')
    const bare = { ...view, project: { ...view.project, schedules: {} } }
    const { view: after, actions } = wake(bare, '2026-11-22T13:00:00Z')
    expect(lines(actions).filter((line) => line.startsWith('remove'))).toHaveLength(6)
    expect(lines(actions)).toContain('forget-schedule nightly')
    expect(after.slots).toEqual([])
  })

  it('adopt a slot that was tried by hand before its night, and leave one alone that is published', () => {
    const now = '2026-11-22T12:00:00Z'
    const failed = slotOf('scores', 'churn', '2026-11-23', { schedule: null, state: 'failed' })
    const done = slotOf('scores', 'churn', '2026-11-24', {
      schedule: null,
      state: 'published',
      published_run: 'x',
    })
    const { view, actions } = wake({ ...emptyView(projectOf([nightly()]), now), slots: [failed, done] }, now)
    expect(lines(actions).filter((line) => line.startsWith('move'))).toEqual([
      'move scores churn 2026-11-23 to 2026-11-23T01:00:00Z',
    ])
    const night = wake(endRuns(wake(view, '2026-11-23T01:00:00Z').view, 'features'), '2026-11-23T01:10:00Z')
    expect(work(night.actions)).toEqual(['start scores churn 2026-11-23'])
    const next = wake(
      endRuns(wake(night.view, '2026-11-24T01:00:00Z').view, 'features'),
      '2026-11-24T06:00:00Z',
    )
    expect(work(next.actions).filter((line) => line.includes('scores churn 2026-11-24'))).toEqual([])
  })
})

describe('a night', () => {
  it('refreshes the view first, then scores, once', () => {
    const before = running([nightly()], '2026-11-22T12:00:00Z')
    const first = wake(before, '2026-11-23T01:00:00Z')
    expect(work(first.actions)).toEqual([
      'start features activity 2026-11-23',
      'note scores churn 2026-11-23: waits for features activity 2026-11-23, which is being refreshed',
    ])
    const second = wake(endRuns(first.view, 'features'), '2026-11-23T01:05:00Z')
    expect(work(second.actions)).toEqual(['start scores churn 2026-11-23'])
    const third = wake(endRuns(second.view, 'scores'), '2026-11-23T05:00:00Z')
    expect(work(third.actions)).toEqual([])
  })

  it('does not begin before its time', () => {
    const before = running([nightly()], '2026-11-22T12:00:00Z')
    expect(work(wake(before, '2026-11-23T00:59:59Z').actions)).toEqual([])
  })

  it('starts with what its schedule says of attempts, time and waiting', () => {
    const { actions } = wake(running([nightly()], '2026-11-22T12:00:00Z'), '2026-11-23T01:00:10Z')
    expect(actions.find(({ type }) => type === 'start-run')).toMatchObject({
      run: {
        trigger: 'schedule',
        version: null,
        settings: {
          attempts: 3,
          backoff_ms: 30_000,
          timeout_ms: 1_800_000,
          wait_until: '2026-11-23T03:00:00.000Z',
        },
      },
    })
  })

  it('shares one refresh among models, and each model waits for its own views alone', () => {
    const schedule = nightly({ score: ['churn', 'upsell', 'fraud'] })
    const before = running([schedule], '2026-11-22T12:00:00Z', {
      churn: 'activity',
      upsell: 'activity',
      fraud: 'payments',
    })
    const first = wake(before, '2026-11-23T01:00:00Z')
    expect(work(first.actions).filter((line) => line.startsWith('start'))).toEqual([
      'start features activity 2026-11-23',
      'start features payments 2026-11-23',
    ])
    const half = endRuns(
      { ...first.view, runs: first.view.runs.filter(({ name }) => name === 'activity') },
      'features',
    )
    const paymentsRun = first.view.runs.filter(({ name }) => name === 'payments')
    const second = wake({ ...half, runs: [...half.runs, ...paymentsRun] }, '2026-11-23T01:02:00Z')
    expect(work(second.actions)).toEqual(['start scores churn 2026-11-23', 'start scores upsell 2026-11-23'])
  })

  it('refreshes the view of a version that was promoted after its slots were made', () => {
    const before = running([nightly()], '2026-11-22T12:00:00Z')
    const promoted = { ...before, views: { churn: ['activity_v2'] } }
    const { actions } = wake(promoted, '2026-11-23T01:00:00Z')
    expect(work(actions)).toContain(
      'note scores churn 2026-11-23: waits for features activity_v2 2026-11-23, which is being refreshed',
    )
    expect(work(actions)).toContain('start features activity_v2 2026-11-23')
  })

  it('refreshes a view for which there is no slot at all', () => {
    const now = '2026-11-23T01:00:00Z'
    const base = seenAt(emptyView(projectOf([nightly()]), now), now)
    const due = slotOf('scores', 'churn', '2026-11-22', { due: '2026-11-22T01:00:00Z' })
    const begun = slotOf('features', 'activity', '2026-11-22', {
      state: 'published',
      run: 'x',
      published_run: 'x',
    })
    const { actions } = wake({ ...base, slots: [due, begun], views: { churn: ['other'] } }, now)
    expect(work(actions)).toContain('start features other 2026-11-22')
  })

  it('fails where nobody has promoted a version, so that somebody is told', () => {
    const view = { ...running([nightly()], '2026-11-22T12:00:00Z'), champions: {} }
    const first = wake(view, '2026-11-23T01:00:00Z')
    const second = wake(endRuns(first.view, 'features'), '2026-11-23T01:05:00Z')
    expect(work(second.actions)).toEqual([
      'fail scores churn 2026-11-23 model: no champion: register a version of churn and promote it',
    ])
    expect(work(wake(second.view, '2026-11-23T01:06:00Z').actions)).toEqual([])
  })

  it('tries for itself where somebody had tried by hand before its time and failed', () => {
    const before = running([nightly()], '2026-11-22T12:00:00Z')
    const tried = before.slots.map((slot) =>
      slot.partition === '2026-11-23' && slot.kind === 'features'
        ? { ...slot, state: 'failed' as const, run: 'byhand', changed_at: '2026-11-22T23:30:00Z' }
        : slot,
    )
    const first = wake({ ...before, slots: tried }, '2026-11-23T01:00:00Z')
    expect(work(first.actions)).toContain('start features activity 2026-11-23')
    const failed = wake(endRuns(first.view, 'features', 'failed'), '2026-11-23T01:10:00Z')
    expect(work(failed.actions).filter((line) => line.startsWith('start'))).toEqual([])
  })

  it('leaves its scores expected and names the view where that has failed, and scores once it is repaired', () => {
    const first = wake(running([nightly()], '2026-11-22T12:00:00Z'), '2026-11-23T01:00:00Z')
    const failed = wake(endRuns(first.view, 'features', 'failed'), '2026-11-23T01:10:00Z')
    expect(work(failed.actions)).toEqual([
      'note scores churn 2026-11-23: waits for features activity 2026-11-23, which is failed',
    ])
    const repaired = failed.view.slots.map((slot) =>
      slot.kind === 'features' && slot.partition === '2026-11-23'
        ? { ...slot, state: 'published' as const, published_run: 'retried' }
        : slot,
    )
    const later = wake({ ...failed.view, slots: repaired }, '2026-11-23T09:00:00Z')
    expect(work(later.actions)).toContain('start scores churn 2026-11-23')
  })

  it('skips the scores where a person skipped the view', () => {
    const first = wake(running([nightly()], '2026-11-22T12:00:00Z'), '2026-11-23T01:00:00Z')
    const skipped = endRuns(first.view, 'features').slots.map((slot) =>
      slot.kind === 'features' && slot.partition === '2026-11-23'
        ? { ...slot, state: 'skipped' as const, published_run: null, reason: 'bank holiday' }
        : slot,
    )
    const { actions } = wake({ ...first.view, runs: [], slots: skipped }, '2026-11-23T01:10:00Z')
    expect(work(actions)).toEqual([
      'skip scores churn 2026-11-23: features activity 2026-11-23 was skipped: bank holiday',
    ])
  })
})

describe('two schedulers', () => {
  it('plan nothing new after one of them has acted, at any moment of a week', () => {
    let view = emptyView(
      projectOf([
        nightly({ start: '2026-11-20' }),
        nightly({ name: 'day', cron: '0 14 * * *', score: [], refresh: ['activity'] }),
      ]),
      '2026-11-22T12:00:00Z',
    )
    for (let hour = 0; hour < 7 * 24; hour += 1) {
      const now = new Date(Date.parse('2026-11-22T12:00:00Z') + hour * 3_600_000).toISOString()
      const { view: after, actions } = wake(view, now)
      expect(planReconcile(after), now).toEqual([])
      // Both read before either acted: the second finds the slots there, and plans what the first did.
      expect(planReconcile({ ...view, now }), now).toEqual(actions)
      view = hour % 3 === 0 ? endRuns(after, 'features') : endRuns(after, 'scores')
    }
    expect(view.slots.filter(({ state }) => state === 'published').length).toBeGreaterThan(16)
  })

  it('started together on a new project create each slot once', () => {
    const now = '2026-11-22T12:00:00Z'
    const view = emptyView(projectOf([nightly()]), now)
    const plans = [planReconcile(view), planReconcile(view)]
    expect(plans[0]).toEqual(plans[1])
    expect(planReconcile(applyPlan(view, plans[0] ?? []))).toEqual([])
  })

  it('leave the slots of the other alone whose clock is ahead', () => {
    // One has created the night that begins in 72 hours; for the other it is 4 s too far to want yet.
    const ahead = wake(running([nightly()], '2026-11-21T12:00:00Z'), '2026-11-22T01:00:02Z')
    expect(lines(ahead.actions)).toContain('create scores churn 2026-11-25 due 2026-11-25T01:00:00Z')
    expect(lines(wake(ahead.view, '2026-11-22T00:59:58Z').actions)).toEqual([])
  })
})

describe('both changes of clocks, lived through hour by hour', () => {
  const rows: [zone: string, from: string][] = [
    ['Europe/Berlin', '2026-03-27T12:00:00Z'],
    ['Europe/Berlin', '2026-10-23T12:00:00Z'],
    ['America/New_York', '2026-03-06T12:00:00Z'],
    ['America/New_York', '2026-10-30T12:00:00Z'],
    ['Australia/Lord_Howe', '2026-10-02T02:00:00Z'],
    ['Australia/Lord_Howe', '2026-04-03T02:00:00Z'],
  ]
  for (const [zone, from] of rows) {
    it(`run one night for each local date in ${zone} from ${from.slice(0, 10)}`, () => {
      const schedule = nightly({ cron: '15 2 * * *', timezone: zone })
      let view = emptyView(projectOf([schedule], { churn: 'activity' }, zone), from)
      for (let hour = 0; hour < 24 * 4; hour += 1) {
        view = liveNight(view, new Date(Date.parse(from) + hour * 3_600_000).toISOString())
      }
      const published = view.slots.filter(({ state, kind }) => state === 'published' && kind === 'scores')
      const dates = published.map(({ partition }) => partition)
      const [first] = dates
      expect(dates).toHaveLength(4)
      expect(dates).toEqual([0, 1, 2, 3].map((day) => addDays(first ?? '', day)))
      expect(view.slots.filter(({ late }) => late)).toEqual([])
    })
  }

  it('run every real hour once on an hourly schedule', () => {
    const schedule = nightly({ cron: '5 * * * *', grain: 'hour', deadline: '+20m' })
    let view = emptyView(projectOf([schedule]), '2026-10-24T22:00:00Z')
    for (let step = 0; step < 6 * 6; step += 1) {
      view = liveNight(view, new Date(Date.parse('2026-10-24T22:00:00Z') + step * 600_000).toISOString())
    }
    const published = view.slots.filter(({ state, kind }) => state === 'published' && kind === 'scores')
    expect(published.map(({ partition }) => partition)).toEqual([
      '2026-10-24T22Z',
      '2026-10-24T23Z',
      '2026-10-25T00Z',
      '2026-10-25T01Z',
      '2026-10-25T02Z',
      '2026-10-25T03Z',
    ])
  })
})

describe('a queue that was wiped', () => {
  it('is given the attempts of the ledger again, and no second run', () => {
    const first = wake(running([nightly()], '2026-11-22T12:00:00Z'), '2026-11-23T01:00:00Z').view
    expect(work(wake(first, '2026-11-23T01:00:05Z').actions)).toEqual([])
    const wiped = wake({ ...first, jobs: new Set() }, '2026-11-23T01:00:10Z')
    expect(work(wiped.actions)).toEqual([
      'enqueue features-activity-2026-11-23-a1: its job is not in the queue',
    ])
    expect(wiped.view.runs).toHaveLength(1)
    expect(work(wake(wiped.view, '2026-11-23T01:00:15Z').actions)).toEqual([])
  })

  it('leaves a running attempt alone, whose worker goes on', () => {
    const first = wake(running([nightly()], '2026-11-22T12:00:00Z'), '2026-11-23T01:00:00Z').view
    const runs = first.runs.map((run) => ({
      ...run,
      state: 'running' as const,
      attempt: 1,
      worker: { id: 'w1', silent_ms: 2000 },
    }))
    expect(work(wake({ ...first, runs, jobs: new Set() }, '2026-11-23T01:01:00Z').actions)).toEqual([])
  })

  it('that does not answer is offered everything that is due: ids make it harmless', () => {
    const first = wake(running([nightly()], '2026-11-22T12:00:00Z'), '2026-11-23T01:00:00Z').view
    expect(work(planReconcile({ ...first, jobs: undefined }))).toEqual([
      'enqueue features-activity-2026-11-23-a1: its job is not in the queue',
    ])
  })
})

describe('slots whose schedule, model or view is gone', () => {
  it('are skipped when nothing of them has begun', () => {
    const view = running([nightly()], '2026-11-22T12:00:00Z')
    const bare = { ...view, project: { ...view.project, schedules: {} } }
    expect(work(wake(bare, '2026-11-23T01:00:00Z').actions)).toEqual([
      'skip features activity 2026-11-23: schedule nightly was removed before it ran',
      'skip scores churn 2026-11-23: schedule nightly was removed before it ran',
    ])
  })
})

it('plans a year of an hourly schedule in the time of four quarters', () => {
  const schedule = nightly({
    cron: '5 * * * *',
    grain: 'hour',
    start: '2025-11-22',
    deadline: '+20m',
    retry: { attempts: 1, backoff: parseDuration('1s'), wait_for_data: parseDuration('0s') },
  })
  const plan = (now: string) => {
    const before = process.cpuUsage()
    const { length } = planReconcile(emptyView(projectOf([schedule]), now))
    return { length, cost: process.cpuUsage(before).user / length }
  }
  plan('2025-12-22T12:00:00Z')
  const quarter = plan('2026-02-20T12:00:00Z')
  const year = plan('2026-11-22T12:00:00Z')
  expect(year.length).toBeGreaterThan(17_000)
  expect(year.length / quarter.length).toBeGreaterThan(3.5)
  // Were it quadratic, an action would cost four times as much.
  expect(year.cost / quarter.cost).toBeLessThan(2.5)
})
