import { describe, expect, it } from 'vitest'
import {
  type BackfillInput,
  type BackfillMode,
  type BackfillSlot,
  planBackfill,
} from '../../../src/jobs/backfills/plan-backfill.ts'
import { asOfRange, parseAsOf } from '../../../src/project/time/asof.ts'

const zone = 'Europe/Berlin'
const now = '2026-11-22T00:30:00Z'

function slot(date: string, over: Partial<BackfillSlot> = {}): BackfillSlot {
  const as_of = parseAsOf(date, zone).instant
  return {
    as_of,
    partition: date,
    state: 'expected',
    schedule: null,
    due: null,
    reason: null,
    run: null,
    published_run: null,
    published_at: null,
    version: null,
    stale: undefined,
    ...over,
  }
}

function published(date: string, over: Partial<BackfillSlot> = {}): BackfillSlot {
  return slot(date, {
    state: 'published',
    run: `r${date.slice(-2)}`,
    published_run: `r${date.slice(-2)}`,
    version: 1,
    ...over,
  })
}

function input(from: string, to: string, over: Partial<BackfillInput> = {}): BackfillInput {
  return {
    now,
    kind: 'scores',
    name: 'churn',
    asOfs: asOfRange(parseAsOf(from, zone), parseAsOf(to, zone), zone),
    slots: [],
    mode: 'missing',
    versions: { use: 'champion', version: 1 },
    views: {},
    viewSlots: {},
    taken: {},
    dues: {},
    latestFirst: true,
    maxActive: 2,
    past: { own: [], views: [] },
    ...over,
  }
}

const text = (of: BackfillInput) =>
  planBackfill(of).slots.map(
    ({ as_of, action, reason, version, replaces }) =>
      `${as_of} ${action} v${version ?? '-'}${replaces === null ? '' : ` replaces ${replaces}`}: ${reason}`,
  )

describe('which as-ofs are run', () => {
  const night = '2026-11-10'
  // One slot, and what each mode does with it.
  const rows: [what: string, slot: BackfillSlot | undefined, verdicts: Record<BackfillMode, string>][] = [
    [
      'nothing in the ledger',
      undefined,
      {
        missing: 'run: it has no partition',
        failed: 'skip: it has not failed',
        stale: 'skip: it has no partition that could be stale',
        all: 'run: it has no partition',
      },
    ],
    [
      'an expected slot',
      slot(night),
      {
        missing: 'run: it has no partition',
        failed: 'skip: it has not failed',
        stale: 'skip: it has no partition that could be stale',
        all: 'run: it has no partition',
      },
    ],
    [
      'a skipped slot',
      slot(night, { state: 'skipped', reason: 'schedule nightly is paused' }),
      {
        missing: 'run: it was skipped: schedule nightly is paused',
        failed: 'skip: it has not failed',
        stale: 'skip: it has no partition that could be stale',
        all: 'run: it has no partition',
      },
    ],
    [
      'a published slot',
      published(night),
      {
        missing: 'skip: published by run r10 with version 1',
        failed: 'skip: published by run r10 with version 1',
        stale: 'skip: published by run r10 with version 1; its inputs are unchanged',
        all: 'run replaces r10: replaces the output of run r10',
      },
    ],
    [
      'a stale one',
      published(night, { stale: 'data/calls/2026-11-09.parquet was rewritten' }),
      {
        missing: 'skip: published by run r10 with version 1',
        failed: 'skip: published by run r10 with version 1',
        stale: 'run replaces r10: it is stale: data/calls/2026-11-09.parquet was rewritten',
        all: 'run replaces r10: replaces the output of run r10',
      },
    ],
    [
      'a failed slot',
      slot(night, { state: 'failed', run: 'rx' }),
      {
        missing: 'skip: it is failed (run rx): --failed re-runs it',
        failed: 'run: it is failed (run rx)',
        stale: 'skip: it has no partition that could be stale',
        all: 'run: it is failed (run rx)',
      },
    ],
    [
      'a held slot',
      slot(night, { state: 'held', run: 'rx' }),
      {
        missing: 'skip: it is held (run rx): --failed re-runs it',
        failed: 'run: it is held (run rx)',
        stale: 'skip: it has no partition that could be stale',
        all: 'run: it is held (run rx)',
      },
    ],
    [
      'a published slot that a later run left failed',
      published(night, { state: 'failed', run: 'rx' }),
      {
        missing:
          'skip: published by run r10 with version 1; a later run is failed (run rx): --failed re-runs it',
        failed: 'run replaces r10: it is failed (run rx)',
        stale: 'skip: published by run r10 with version 1; its inputs are unchanged',
        all: 'run replaces r10: replaces the output of run r10',
      },
    ],
    ...(['waiting', 'queued', 'running', 'publishing'] as const).map(
      (state): [string, BackfillSlot, Record<BackfillMode, string>] => {
        const busy = `skip: run rx is ${state}`
        return [
          `a slot that is ${state}`,
          slot(night, { state, run: 'rx' }),
          { missing: busy, failed: busy, stale: busy, all: busy },
        ]
      },
    ),
  ]
  for (const [what, of, verdicts] of rows) {
    for (const mode of ['missing', 'failed', 'stale', 'all'] as const) {
      it(`--${mode} meets ${what}`, () => {
        const [step] = planBackfill(input(night, night, { mode, slots: of === undefined ? [] : [of] })).slots
        const replaces = step?.replaces == null ? '' : ` replaces ${step.replaces}`
        expect(`${step?.action}${replaces}: ${step?.reason}`).toBe(verdicts[mode])
      })
    }
  }

  it('are both ends of the range, newest first, and nothing of the future', () => {
    expect(text(input('2026-11-20', '2026-11-24'))).toEqual([
      '2026-11-24 skip v1: it is in the future',
      '2026-11-23 skip v1: it is in the future',
      '2026-11-22 run v1: it has no partition',
      '2026-11-21 run v1: it has no partition',
      '2026-11-20 run v1: it has no partition',
    ])
    expect(
      planBackfill(input('2026-11-20', '2026-11-22', { latestFirst: false })).slots.map(({ as_of }) => as_of),
    ).toEqual(['2026-11-20', '2026-11-21', '2026-11-22'])
  })

  it('leave tonight to its schedule while it has not been due', () => {
    const tonight = slot('2026-11-22', { schedule: 'nightly', due: '2026-11-22T01:00:00Z' })
    for (const mode of ['missing', 'all'] as const) {
      expect(text(input('2026-11-22', '2026-11-22', { mode, slots: [tonight] }))).toEqual([
        '2026-11-22 skip v1: schedule nightly runs it at 2026-11-22T01:00:00Z',
      ])
    }
    const overdue = { ...tonight, due: '2026-11-22T00:00:00Z' }
    expect(text(input('2026-11-22', '2026-11-22', { slots: [overdue] }))).toEqual([
      '2026-11-22 run v1: it has no partition',
    ])
  })

  it('are hours for an hourly model', () => {
    const asOfs = asOfRange(parseAsOf('2026-10-25', zone), parseAsOf('2026-10-25', zone), zone, 'hour')
    const plan = planBackfill(input('2026-10-25', '2026-10-25', { asOfs }))
    expect(plan.slots).toHaveLength(25)
    expect(plan.slots[0]?.as_of).toBe('2026-10-25T22Z')
    expect(plan.slots[24]?.as_of).toBe('2026-10-24T22Z')
  })
})

describe('the version', () => {
  it('is the champion’s, and without one nothing runs', () => {
    expect(planBackfill(input('2026-11-20', '2026-11-21')).version).toBe(1)
    const plan = planBackfill(
      input('2026-11-20', '2026-11-21', { versions: { use: 'champion', version: undefined } }),
    )
    expect(plan.version).toBeNull()
    expect(plan.slots.map(({ action, reason }) => `${action}: ${reason}`)).toEqual(
      Array.from({ length: 2 }, () => 'skip: no champion: promote a version, or name one with --version N'),
    )
  })

  it('is the one that was named', () => {
    const plan = planBackfill(
      input('2026-11-20', '2026-11-21', {
        mode: 'all',
        versions: { use: 'version', version: 3 },
        slots: [published('2026-11-20')],
      }),
    )
    expect(plan.version).toBe(3)
    expect(plan.slots.map(({ version, replaces }) => [version, replaces])).toEqual([
      [3, null],
      [3, 'r20'],
    ])
  })

  it('is, as it was, the champion of the moment at which each night was due', () => {
    const champions = [
      { at: '2026-11-19T12:00:00Z', version: 2 },
      { at: '2026-11-18T12:00:00Z', version: 1 },
      { at: '2026-11-20T01:00:00Z', version: 3 },
      { at: '2026-11-20T12:00:00Z', version: 2 },
    ]
    const dues = {
      '2026-11-19': '2026-11-19T01:00:00Z',
      '2026-11-20': '2026-11-20T01:00:00Z',
      '2026-11-21': '2026-11-21T01:00:00Z',
    }
    // The ledger's due counts before the calendar's; without either the as-of itself does.
    const early = slot('2026-11-21', { due: '2026-11-20T11:59:59Z', schedule: 'nightly' })
    const plan = input('2026-11-18', '2026-11-22', {
      versions: { use: 'as-was', champions },
      dues,
      slots: [early],
      latestFirst: false,
    })
    expect(text(plan)).toEqual([
      '2026-11-18 skip v-: no version was champion at 2026-11-17T23:00:00Z',
      '2026-11-19 run v1: it has no partition',
      '2026-11-20 run v3: it has no partition',
      '2026-11-21 run v3: it has no partition',
      '2026-11-22 run v2: it has no partition',
    ])
    expect(planBackfill(plan).version).toBeNull()
    expect(
      planBackfill(input('2026-11-22', '2026-11-22', { versions: { use: 'as-was', champions } })).version,
    ).toBe(2)
  })

  it('is none for features', () => {
    const plan = planBackfill(
      input('2026-11-20', '2026-11-20', { kind: 'features', name: 'activity', versions: undefined }),
    )
    expect(plan).toMatchObject({ version: null, slots: [{ action: 'run', version: null }], refresh: [] })
  })
})

describe('the views', () => {
  const views = { 1: ['activity'], 2: ['activity_v2'] }

  it('are refreshed only where their partition is missing or stale', () => {
    const viewSlots = {
      activity: [
        published('2026-11-16'),
        published('2026-11-17', { stale: 'calls.parquet was rewritten' }),
        slot('2026-11-18', { state: 'failed', run: 'rf' }),
        slot('2026-11-19', { state: 'running', run: 'rr' }),
        slot('2026-11-20'),
      ],
    }
    const plan = planBackfill(input('2026-11-16', '2026-11-21', { views, viewSlots, latestFirst: false }))
    expect(plan.slots.map(({ action }) => action)).toEqual(Array.from({ length: 6 }, () => 'run'))
    expect(plan.refresh.map(({ view, as_of, reason }) => `${view} ${as_of}: ${reason}`)).toEqual([
      'activity 2026-11-17: it is stale: calls.parquet was rewritten',
      'activity 2026-11-18: it is failed',
      'activity 2026-11-20: it has no partition',
      'activity 2026-11-21: it has no partition',
    ])
  })

  it('are not refreshed for nights that are not run', () => {
    const plan = planBackfill(input('2026-11-20', '2026-11-21', { views, slots: [published('2026-11-20')] }))
    expect(plan.refresh.map(({ as_of }) => as_of)).toEqual(['2026-11-21'])
  })

  it('are those of the version that scores the night', () => {
    const champions = [
      { at: '2026-11-01T00:00:00Z', version: 1 },
      { at: '2026-11-20T12:00:00Z', version: 2 },
    ]
    const plan = planBackfill(
      input('2026-11-20', '2026-11-21', { views, versions: { use: 'as-was', champions } }),
    )
    expect(plan.refresh.map(({ view, as_of }) => `${view} ${as_of}`)).toEqual([
      'activity_v2 2026-11-21',
      'activity 2026-11-20',
    ])
  })

  it('that are held hold up their scores, until --failed or --all asks again', () => {
    const viewSlots = { activity: [slot('2026-11-20', { state: 'held', run: 'rh' })] }
    const of = (mode: BackfillMode) =>
      planBackfill(input('2026-11-20', '2026-11-20', { mode, views, viewSlots }))
    expect(of('missing').slots[0]).toMatchObject({
      action: 'skip',
      reason: 'features activity are held (run rh): release it, or re-run it with --failed',
    })
    expect(of('missing').refresh).toEqual([])
    expect(of('all').slots[0]?.action).toBe('run')
    expect(of('all').refresh).toEqual([{ view: 'activity', as_of: '2026-11-20', reason: 'it is held' }])
  })
})

describe('the estimate', () => {
  const past = {
    own: [
      { seconds: 10, rows: 1000 },
      { seconds: 12, rows: 1200 },
      { seconds: 500, rows: 1100 },
    ],
    views: [
      { seconds: 4, rows: 0 },
      { seconds: 6, rows: 0 },
    ],
  }

  it('is the median of past runs times what is run, shared by the runs at a time', () => {
    const plan = planBackfill(input('2026-11-12', '2026-11-21', { past, views: { 1: ['activity'] } }))
    // 10 nights of 12 s, each with a refresh of 5 s, two at a time.
    expect(plan.estimate_seconds).toBe(85)
    expect(plan.rows).toBe(11_000)
  })

  it('counts no more places than runs', () => {
    expect(planBackfill(input('2026-11-21', '2026-11-21', { past, maxActive: 8 })).estimate_seconds).toBe(12)
  })

  it('is unknown where nothing has run yet, and zero where nothing will', () => {
    expect(planBackfill(input('2026-11-20', '2026-11-21'))).toMatchObject({
      estimate_seconds: null,
      rows: null,
    })
    const refreshes = input('2026-11-20', '2026-11-21', {
      past: { ...past, views: [] },
      views: { 1: ['activity'] },
    })
    expect(planBackfill(refreshes).estimate_seconds).toBeNull()
    const nothing = input('2026-11-21', '2026-11-21', { slots: [published('2026-11-21')] })
    expect(planBackfill(nothing)).toMatchObject({ estimate_seconds: 0, rows: 0, refresh: [] })
  })
})

it('planning again after the plan was carried out runs nothing', () => {
  const before = input('2026-11-01', '2026-11-22', { views: { 1: ['activity'] } })
  const plan = planBackfill(before)
  const slots = plan.slots.map(({ as_of }) => published(as_of))
  expect(planBackfill({ ...before, slots }).slots.filter(({ action }) => action === 'run')).toEqual([])
})
