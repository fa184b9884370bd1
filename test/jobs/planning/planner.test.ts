import { describe, expect, it } from 'vitest'
import type { LedgerView } from '../../../src/jobs/planning/ledger-view.ts'
import { planReconcile } from '../../../src/jobs/planning/planner.ts'
import type { Schedule } from '../../../src/project/project.ts'
import { parseDuration } from '../../../src/project/time/duration.ts'
import {
  applyPlan,
  emptyView,
  endRuns,
  lines,
  nightly,
  openRun,
  projectOf,
  seenAt,
  slotOf,
  wake,
  work,
} from '../nights.ts'

/** A ledger that a scheduler has kept since long before: the slots of the next days are there. */
function running(schedules: Schedule[], now: string, models?: Record<string, string>): LedgerView {
  const view = seenAt(emptyView(projectOf(schedules, models), now), now, '2026-01-01T00:00:00Z')
  return wake(view, now).view
}

function withSchedule(view: LedgerView, schedule: Schedule): LedgerView {
  return {
    ...view,
    project: { ...view.project, schedules: { ...view.project.schedules, [schedule.name]: schedule } },
  }
}

/** One night as it goes: view, then model, each published. */
function liveNight(view: LedgerView, now: string): LedgerView {
  const features = wake(view, now).view
  const scores = wake(endRuns(features, 'features'), now).view
  return endRuns(scores, 'scores')
}

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

describe('a schedule edited at noon', () => {
  const noon = '2026-11-22T11:00:00Z'
  const morning = () => liveNight(running([nightly()], '2026-11-21T12:00:00Z'), '2026-11-22T01:00:00Z')

  it('moves the nights ahead and leaves the last one as it was', () => {
    const view = withSchedule(morning(), nightly({ cron: '30 3 * * *', deadline: '07:00' }))
    const { view: after, actions } = wake(view, noon)
    expect(lines(actions)).toContain('move features activity 2026-11-23 to 2026-11-23T02:30:00Z')
    expect(lines(actions)).toContain('move scores churn 2026-11-24 to 2026-11-24T02:30:00Z')
    const last = after.slots.find(({ kind, partition }) => kind === 'scores' && partition === '2026-11-22')
    expect(last).toMatchObject({
      state: 'published',
      due: '2026-11-22T01:00:00Z',
      deadline: '2026-11-22T05:00:00Z',
    })
    expect(planReconcile(after)).toEqual([])
  })

  it('does not create the nights that its new ticks would have had before', () => {
    const weekly = seenAt(
      emptyView(projectOf([nightly({ cron: '0 2 * * 0' })]), noon),
      '2026-11-20T12:00:00Z',
    )
    const { view } = wake(weekly, '2026-11-20T12:00:00Z')
    const { actions } = wake(withSchedule(view, nightly()), '2026-11-25T11:00:00Z')
    const created = lines(actions).filter((line) => line.startsWith('create scores'))
    expect(created[0]).toBe('create scores churn 2026-11-26 due 2026-11-26T01:00:00Z')
  })

  it('while the scheduler was down fills in the past as it was expected then', () => {
    const view = withSchedule(morning(), nightly({ cron: '30 3 * * *', deadline: undefined }))
    const { view: after } = wake(view, '2026-11-29T11:00:00Z')
    const nights = after.slots
      .filter(({ kind }) => kind === 'scores')
      .map(({ partition, due, deadline }) => [partition, due, deadline])
    expect(nights).toContainEqual(['2026-11-28', '2026-11-28T01:00:00Z', '2026-11-28T05:00:00Z'])
    expect(nights).toContainEqual(['2026-11-30', '2026-11-30T02:30:00Z', null])
  })

  it('takes a model in from the next night on, and lets one go', () => {
    const project = projectOf([nightly()], { churn: 'activity', fraud: 'payments' })
    const view = { ...morning(), project, champions: { churn: 1, fraud: 1 } }
    const { view: after, actions } = wake(withSchedule(view, nightly({ score: ['fraud'] })), noon)
    expect(lines(actions)).toContain('create scores fraud 2026-11-23 due 2026-11-23T01:00:00Z')
    expect(lines(actions)).toContain('remove scores churn 2026-11-23')
    expect(lines(actions)).toContain('remove features activity 2026-11-23')
    expect(after.slots.filter(({ name, partition }) => name === 'churn' && partition > '2026-11-22')).toEqual(
      [],
    )
    expect(
      after.slots.find(({ name, partition }) => name === 'churn' && partition === '2026-11-22')?.state,
    ).toBe('published')
  })

  it('keeps tonight where its new time is over already', () => {
    const evening = running([nightly({ cron: '0 22 * * *' })], '2026-11-22T05:00:00Z')
    const { view, actions } = wake(withSchedule(evening, nightly({ cron: '0 10 * * *' })), noon)
    expect(lines(actions).filter((line) => line.includes('2026-11-22'))).toEqual([])
    expect(work(wake(view, '2026-11-22T21:00:00Z').actions)[0]).toBe('start features activity 2026-11-22')
  })

  it('leaves a night alone that has begun', () => {
    const begun = wake(running([nightly()], '2026-11-22T12:00:00Z'), '2026-11-23T01:00:00Z').view
    const { actions } = wake(withSchedule(begun, nightly({ cron: '0 5 * * *' })), '2026-11-23T01:01:00Z')
    expect(lines(actions).filter((line) => line.includes('2026-11-23'))).toEqual([])
  })

  it('makes no difference to what comes back from the ledger as JSON', () => {
    const view = running([nightly({ deadline: undefined })], noon)
    const stored: LedgerView['schedules'] = JSON.parse(JSON.stringify(view.schedules))
    expect(planReconcile({ ...view, schedules: stored })).toEqual([])
  })
})

describe('a paused schedule', () => {
  it('keeps its slots as skipped when their time comes, and tells nobody', () => {
    const paused = running([nightly({ paused: true })], '2026-11-22T12:00:00Z')
    const { view, actions } = wake(paused, '2026-11-23T08:00:00Z')
    expect(work(actions)).toEqual([
      'skip features activity 2026-11-23: schedule nightly is paused',
      'skip scores churn 2026-11-23: schedule nightly is paused',
    ])
    expect(work(wake(view, '2026-11-23T09:00:00Z').actions)).toEqual([])
    expect(view.slots.filter(({ state }) => state === 'expected')).toHaveLength(6)
  })

  it('runs its next night when it goes on', () => {
    const paused = wake(
      running([nightly({ paused: true })], '2026-11-22T12:00:00Z'),
      '2026-11-23T08:00:00Z',
    ).view
    const { view } = wake(withSchedule(paused, nightly()), '2026-11-23T12:00:00Z')
    expect(work(wake(view, '2026-11-24T01:00:00Z').actions)[0]).toBe('start features activity 2026-11-24')
  })

  it('hands a view that another schedule needs over to that', () => {
    const early = nightly({
      name: 'early',
      cron: '0 1 * * *',
      score: [],
      refresh: ['activity'],
      deadline: undefined,
    })
    const view = running([early, nightly({ deadline: undefined })], '2026-11-22T12:00:00Z')
    const { view: after, actions } = wake(
      withSchedule(view, { ...early, paused: true }),
      '2026-11-22T13:00:00Z',
    )
    expect(lines(actions)).toContain('move features activity 2026-11-23 to 2026-11-23T01:00:00Z')
    expect(work(wake(after, '2026-11-23T00:30:00Z').actions)).toEqual([])
    expect(work(wake(after, '2026-11-23T01:00:00Z').actions)[0]).toBe('start features activity 2026-11-23')
  })
})

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
        'late scores churn 2026-11-23 open scores churn: it waits: features activity 2026-11-23 is waiting',
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

describe('what somebody asks for', () => {
  const now = '2026-11-22T12:00:00Z'
  const settings = { attempts: 1, backoff_ms: 1000, timeout_ms: 1000, wait_until: null }
  const request = {
    trigger: 'manual' as const,
    forced: true,
    version: 3,
    backfill: null,
    settings,
    by: 'ann@example.com',
  }
  const base = { ...emptyView(projectOf([]), now) }

  it('starts at once, whatever the calendar says, as it was asked for', () => {
    const features = slotOf('features', 'activity', '2026-11-01', {
      schedule: null,
      state: 'published',
      published_run: 'f',
    })
    const scores = slotOf('scores', 'churn', '2026-11-01', { schedule: null, request })
    const actions = planReconcile({ ...base, champions: {}, slots: [features, scores] })
    expect(work(actions)).toEqual(['start scores churn 2026-11-01'])
    expect(actions[0]).toMatchObject({
      run: { trigger: 'manual', forced: true, version: 3, by: 'ann@example.com' },
    })
  })

  it('refreshes the view first where its partition is missing', () => {
    const scores = slotOf('scores', 'churn', '2026-11-01', { schedule: null, request })
    const first = wake({ ...base, slots: [scores] }, now)
    expect(work(first.actions)).toEqual([
      'start features activity 2026-11-01',
      'note scores churn 2026-11-01: waits for features activity 2026-11-01, which is refreshed first',
    ])
    expect(work(wake(first.view, now).actions)).toEqual([
      'note scores churn 2026-11-01: waits for features activity 2026-11-01, which is being refreshed',
    ])
    expect(work(wake(endRuns(first.view, 'features'), now).actions)).toEqual([
      'start scores churn 2026-11-01',
    ])
  })

  it('uses the view of the version it names', () => {
    const scores = slotOf('scores', 'churn', '2026-11-01', { schedule: null, request, views: ['old'] })
    expect(work(planReconcile({ ...base, slots: [scores] }))[0]).toBe('start features old 2026-11-01')
  })

  it('refreshes a view again that had failed before, once, and follows when it is repaired', () => {
    const since = { changed_at: '2026-11-22T11:00:00Z' }
    for (const state of ['failed', 'held'] as const) {
      const features = slotOf('features', 'activity', '2026-11-01', { schedule: null, state, run: 'old' })
      const scores = slotOf('scores', 'churn', '2026-11-01', { schedule: null, request, ...since })
      const first = wake({ ...base, slots: [features, scores] }, now)
      expect(work(first.actions)[0]).toBe('start features activity 2026-11-01')
      const again = wake(endRuns(first.view, 'features', state), '2026-11-22T12:01:00Z')
      expect(work(again.actions)).toEqual([
        `note scores churn 2026-11-01: waits for features activity 2026-11-01, which is ${state}`,
      ])
      const repaired = again.view.slots.map((slot) =>
        slot.kind === 'features' ? { ...slot, state: 'published' as const, published_run: 'released' } : slot,
      )
      const later = wake({ ...again.view, slots: repaired }, '2026-11-22T13:00:00Z')
      expect(work(later.actions)).toEqual(['start scores churn 2026-11-01'])
    }
  })

  it('does not score an old partition where the refresh that was asked for failed', () => {
    const features = slotOf('features', 'activity', '2026-11-01', {
      state: 'failed',
      run: 'new',
      published_run: 'old',
      changed_at: '2026-11-22T11:59:00Z',
    })
    const asked = { schedule: null, request, changed_at: '2026-11-22T11:58:00Z' }
    const scores = slotOf('scores', 'churn', '2026-11-01', asked)
    expect(work(planReconcile({ ...base, slots: [features, scores] }))).toEqual([
      'note scores churn 2026-11-01: waits for features activity 2026-11-01, which is failed',
    ])
  })

  it('is all that starts, and no slot is expected, where the calendar is left to others', () => {
    const scheduled = emptyView(projectOf([nightly({ start: '2026-11-01' })]), now)
    const features = slotOf('features', 'activity', '2026-11-01', { schedule: null, request })
    expect(lines(planReconcile({ ...scheduled, slots: [features] }, { calendar: false }))).toEqual([
      'start features activity 2026-11-01',
    ])
  })

  it('waits for the run that is open', () => {
    const scores = slotOf('scores', 'churn', '2026-11-01', {
      schedule: null,
      request,
      state: 'running',
      run: 'r1',
    })
    const features = slotOf('features', 'activity', '2026-11-01', { state: 'published', published_run: 'f' })
    const run = openRun(scores, 'r1', { state: 'running', attempt: 1, worker: { id: 'w', silent_ms: 10 } })
    expect(work(planReconcile({ ...base, slots: [features, scores], runs: [run] }))).toEqual([])
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

it('plans a year of an hourly schedule in seconds', () => {
  const schedule = nightly({
    cron: '5 * * * *',
    grain: 'hour',
    start: '2025-11-22',
    deadline: '+20m',
    retry: { attempts: 1, backoff: parseDuration('1s'), wait_for_data: parseDuration('0s') },
  })
  const now = '2026-11-22T12:00:00Z'
  const before = performance.now()
  const actions = planReconcile(emptyView(projectOf([schedule]), now))
  expect(actions.length).toBeGreaterThan(17_000)
  expect(performance.now() - before).toBeLessThan(20_000)
})

function addDays(date: string, days: number): string {
  return new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10)
}
