import { describe, expect, it } from 'vitest'
import { planBackfills, planReconcile } from '../../../src/jobs/planning/planner.ts'
import { emptyView, endRuns, lines, nightly, openRun, projectOf, slotOf, wake, work } from '../nights.ts'

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

  it('starts apart where a backfill asked for it, with its features, and nothing that is due', () => {
    const scheduled = emptyView(projectOf([nightly({ start: '2026-11-01' })]), now)
    const asked = slotOf('scores', 'churn', '2026-11-01', {
      schedule: null,
      request: { ...request, trigger: 'backfill', backfill: 7 },
    })
    const due = slotOf('features', 'activity', '2026-11-21')
    const manual = slotOf('scores', 'churn', '2026-11-02', { schedule: null, request })
    const first = planBackfills({ ...scheduled, slots: [asked, due, manual] })
    expect(lines(first)).toEqual([
      'start features activity 2026-11-01',
      'note scores churn 2026-11-01: waits for features activity 2026-11-01, which is refreshed first',
    ])
    const features = slotOf('features', 'activity', '2026-11-01', { state: 'published', published_run: 'f' })
    expect(lines(planBackfills({ ...scheduled, slots: [asked, due, features] }))).toEqual([
      'start scores churn 2026-11-01',
    ])
  })

  it('waits for a refresh that is under way, though another share of the work has its run', () => {
    const asked = slotOf('scores', 'churn', '2026-11-01', { schedule: null, request })
    const features = slotOf('features', 'activity', '2026-11-01', {
      state: 'running',
      run: 'r1',
      published_run: 'old',
    })
    expect(work(planReconcile({ ...base, slots: [asked, features] }))).toEqual([
      'note scores churn 2026-11-01: waits for features activity 2026-11-01, which is being refreshed',
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
