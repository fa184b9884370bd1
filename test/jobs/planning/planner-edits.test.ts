import { describe, expect, it } from 'vitest'
import type { LedgerView } from '../../../src/jobs/planning/ledger-view.ts'
import { planReconcile } from '../../../src/jobs/planning/planner.ts'
import {
  emptyView,
  lines,
  liveNight,
  nightly,
  projectOf,
  running,
  seenAt,
  wake,
  withSchedule,
  work,
} from '../nights.ts'

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
