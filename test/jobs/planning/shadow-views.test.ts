import { describe, expect, test } from 'vitest'
import type { Action } from '../../../src/jobs/planning/ledger-view.ts'
import { jobQueue } from '../../../src/jobs/queue/enqueue-attempt.ts'
import { emptyView, endRuns, nightly, projectOf, wake } from '../nights.ts'

const BEFORE = '2026-11-21T20:00:00Z'
const DUE = '2026-11-22T01:01:00Z'

/** Version 2 of churn scores in shadow on a view of its own. */
function inShadow({ champion = true, view = 'newer' } = {}) {
  const project = projectOf([nightly()])
  const newer = project.views.activity
  if (newer === undefined) throw new Error('expected a view')
  const views = { ...project.views, newer: { ...newer, name: 'newer' } }
  const empty = emptyView({ ...project, views }, BEFORE)
  return {
    ...empty,
    ...(champion ? {} : { champions: {} }),
    shadow: { churn: [view] },
    challengers: { churn: [2] },
  }
}

const started = (actions: Action[]) =>
  actions.flatMap((action) =>
    action.type === 'start-run' ? [`${action.slot.kind} ${action.slot.name}: ${action.run.trigger}`] : [],
  )

describe('a view that only a challenger needs', () => {
  test('is expected every night, without a deadline', () => {
    const { view } = wake(inShadow(), BEFORE)
    const slots = view.slots.filter(({ partition }) => partition === '2026-11-22')
    expect(slots.map(({ kind, name, deadline }) => [kind, name, deadline !== null])).toEqual([
      ['features', 'activity', true],
      ['features', 'newer', false],
      ['scores', 'churn', true],
    ])
  })

  test('is refreshed after the champion’s scores, in the queue of backfills', () => {
    let { view } = wake(inShadow(), BEFORE)
    let actions: Action[]
    ;({ view, actions } = wake(view, DUE))
    expect(started(actions)).toEqual(['features activity: schedule'])
    view = endRuns(view, 'features')
    ;({ view, actions } = wake(view, DUE))
    expect(started(actions)).toEqual(['scores churn: schedule'])
    view = endRuns(view, 'scores')
    ;({ view, actions } = wake(view, DUE))
    expect(started(actions)).toEqual(['features newer: shadow'])
    expect(jobQueue({ kind: 'features', backfill: null, trigger: 'shadow' })).toBe('features-backfill')
    expect(jobQueue({ kind: 'features', backfill: null, trigger: 'schedule' })).toBe('features')
  })

  test('is refreshed although the champion’s scores have failed', () => {
    let { view } = wake(inShadow(), BEFORE)
    view = endRuns(wake(view, DUE).view, 'features')
    view = endRuns(wake(view, DUE).view, 'scores', 'failed')
    expect(started(wake(view, DUE).actions)).toEqual(['features newer: shadow'])
  })
})

test('a view that the champion needs too is refreshed at once, and promised', () => {
  const { view } = wake(inShadow({ view: 'activity' }), BEFORE)
  expect(view.slots.find(({ kind }) => kind === 'features')?.deadline).not.toBeNull()
  const { actions } = wake(view, DUE)
  expect(started(actions)).toEqual(['features activity: schedule'])
})

test('a model without a champion fails no night while versions of it score in shadow', () => {
  let { view } = wake(inShadow({ champion: false, view: 'activity' }), BEFORE)
  view = endRuns(wake(view, DUE).view, 'features')
  const { actions } = wake(view, DUE)
  expect(actions.filter(({ type }) => type !== 'see-schedule')).toEqual([
    expect.objectContaining({
      type: 'skip-slot',
      cause: 'shadow-only',
      reason: 'no champion yet: version 2 of churn scores in shadow',
    }),
  ])
})
