import { definitionOf } from '../../src/jobs/planning/calendar.ts'
import type { Action, LedgerSlot, LedgerView, OpenRun, SlotRef } from '../../src/jobs/planning/ledger-view.ts'
import { planReconcile } from '../../src/jobs/planning/planner.ts'
import { attemptId } from '../../src/ledger/nights/run-records.ts'
import { USUAL_AMOUNT } from '../../src/project/amount.ts'
import type { Model, Project, Schedule, View } from '../../src/project/project.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { parseDuration } from '../../src/project/time/duration.ts'

/** A schedule as the files would give it: nightly at 02:00 in Berlin, scores `churn`, promised for 06:00. */
export function nightly(over: Partial<Schedule> = {}): Schedule {
  return {
    name: 'nightly',
    file: 'schedules/nightly.yaml',
    cron: '0 2 * * *',
    timezone: 'Europe/Berlin',
    grain: 'day',
    score: ['churn'],
    refresh: [],
    timeout: parseDuration('30m'),
    catch_up: { policy: 'all', max: 7 },
    deadline: '06:00',
    retry: { attempts: 3, backoff: parseDuration('30s'), wait_for_data: parseDuration('2h') },
    drills: {},
    start: undefined,
    paused: false,
    ...over,
  }
}

/** A project of models, each with its view, and of schedules. */
export function projectOf(
  schedules: Schedule[],
  models: Record<string, string> = { churn: 'activity' },
  timezone = 'Europe/Berlin',
): Project {
  const views = [...new Set([...Object.values(models), ...schedules.flatMap(({ refresh }) => refresh)])]
  return {
    root: '/project',
    name: 'test',
    timezone,
    warehouse: '/project/warehouse',
    schema: 'nightshift',
    alerts: undefined,
    people: {},
    pages: { rows: 'nobody' },
    heartbeat: undefined,
    memory: USUAL_AMOUNT,
    temp: USUAL_AMOUNT,
    objects: USUAL_AMOUNT,
    timeouts: { checks: parseDuration('2m'), monitors: parseDuration('30m'), datasets: parseDuration('6h') },
    retention: retentionOf('30d'),
    views: Object.fromEntries(views.map((name) => [name, viewOf(name)])),
    models: Object.fromEntries(Object.entries(models).map(([name, view]) => [name, modelOf(name, view)])),
    schedules: Object.fromEntries(schedules.map((schedule) => [schedule.name, schedule])),
  }
}

/** The same for all records. */
export function retentionOf(text: string): Project['retention'] {
  const kept = parseDuration(text)
  return { runs: kept, attempts: kept, profiles: kept, mails: kept, evidence: kept }
}

function viewOf(name: string): View {
  return {
    name,
    folder: `/project/features/${name}`,
    sqlFile: `/project/features/${name}/features.sql`,
    sql: 'select 1',
    entity: ['id'],
    owner: 'data@example.com',
    description: undefined,
    sources: {},
    columns: {},
    expect: { rows: undefined, fresh: {} },
    fill: {},
    perEntity: false,
    shards: 1,
    minShard: 128_000_000,
    parity: 'nightly',
  }
}

function modelOf(name: string, view: string): Model {
  return {
    name,
    folder: `/project/models/${name}`,
    description: '',
    owner: 'team@example.com',
    on_call: ['oncall@example.com'],
    consumers: [],
    view,
    inputs: undefined,
    unknown: {},
    onnx: { output: undefined, class: undefined, unknown: [], inputs: {} },
    score: { column: 'score', min: undefined, max: undefined, threshold: undefined },
    labels: undefined,
    sources: {},
    evaluation: { require: {}, segments: [], k: 0.1 },
    shadow: { min_nights: 14, current: undefined, require: { min_coverage: 0.99 } },
    drift: {
      columns: undefined,
      score: true,
      min_effect: 0.1,
      persist: '2 of 3',
      reference: { kind: 'holdout' },
    },
    retrain: undefined,
    rollback: { keep_warm_nights: 7 },
    scoring: { shards: 1, min_rows: 250_000 },
    outcomes: undefined,
  }
}

/** A ledger in which nothing has happened yet. */
export function emptyView(project: Project, now: string): LedgerView {
  const champions = Object.fromEntries(Object.keys(project.models).map((model) => [model, 1]))
  return { now, project, views: {}, champions, schedules: {}, slots: [], runs: [], jobs: new Set() }
}

/** A slot that rests in a state; the rest of it follows from kind, name and date. */
export function slotOf(
  kind: LedgerSlot['kind'],
  name: string,
  date: string,
  over: Partial<LedgerSlot> = {},
  timezone = 'Europe/Berlin',
): LedgerSlot {
  return {
    kind,
    name,
    as_of: parseAsOf(date, timezone).instant,
    partition: date,
    state: 'expected',
    schedule: 'nightly',
    due: null,
    deadline: null,
    reason: null,
    waits_for: null,
    request: null,
    run: null,
    published_run: null,
    changed_at: '2026-01-01T00:00:00.000Z',
    late: false,
    ...over,
  }
}

/**
 * The ledger after a plan has been acted on, as values: what the acting half does in one transaction each. Runs are
 * named by their slot (`scores-churn-2026-11-22`), so a second run of a slot would be an error here as there.
 */
export function applyPlan(view: LedgerView, actions: Action[]): LedgerView {
  const slots = new Map(view.slots.map((slot) => [title(slot), { ...slot }]))
  const runs = new Map(view.runs.map((run) => [run.id, { ...run }]))
  const jobs = new Set(view.jobs)
  const schedules = { ...view.schedules }
  const at = (ref: SlotRef): LedgerSlot => {
    const slot = slots.get(title(ref))
    if (slot === undefined) throw new Error(`no slot ${title(ref)}`)
    return slot
  }
  for (const action of actions) {
    switch (action.type) {
      case 'create-slots':
        for (const { kind, name, asOf, schedule, due, deadline } of action.slots) {
          const slot = { ...slotOf(kind, name, '2026-01-01'), as_of: asOf.instant, partition: asOf.label }
          if (slots.has(title(slot))) throw new Error(`${title(slot)} exists twice`)
          slots.set(title(slot), { ...slot, schedule, due, deadline: deadline ?? null, changed_at: view.now })
        }
        break
      case 'move-slot': {
        const { schedule, due, deadline } = action
        Object.assign(at(action.slot), { schedule, due, deadline: deadline ?? null })
        break
      }
      case 'remove-slot':
        slots.delete(title(action.slot))
        break
      case 'see-schedule':
        schedules[action.schedule] = {
          first_seen: action.first_seen,
          seen: action.at,
          definition: action.definition,
        }
        break
      case 'forget-schedule':
        delete schedules[action.schedule]
        break
      case 'finish-publishing':
        publish(at(action.slot), action.run ?? '', view.now)
        runs.delete(action.run ?? '')
        break
      case 'attempt-lost':
      case 'enqueue-shards':
      case 'enqueue-attempt': {
        const run = runs.get(action.run)
        if (run === undefined) throw new Error(`no run ${action.run}`)
        Object.assign(run, { state: 'queued', next_attempt_at: view.now })
        Object.assign(at(action.slot), { state: 'queued' })
        if (action.type === 'enqueue-attempt') jobs.add(action.job)
        break
      }
      case 'deadline-missed':
        at(action.slot).late = true
        break
      case 'night-given-up':
        break
      case 'skip-slot':
        Object.assign(at(action.slot), {
          state: 'skipped',
          reason: action.reason,
          request: null,
          changed_at: view.now,
        })
        break
      case 'fail-slot':
        Object.assign(at(action.slot), { state: 'failed', reason: action.message, changed_at: view.now })
        break
      case 'note-slot':
        at(action.slot).reason = action.reason
        break
      case 'start-run': {
        const ref = action.slot
        const slot = slots.get(title(ref)) ?? {
          ...slotOf(ref.kind, ref.name, '2026-01-01', { schedule: null }),
          ...ref,
        }
        slots.set(title(ref), slot)
        const id = title(ref).replaceAll(' ', '-')
        if (runs.has(id)) throw new Error(`a second run of ${title(ref)}`)
        Object.assign(slot, { state: 'queued', run: id, request: null, reason: null, changed_at: view.now })
        runs.set(id, openRun(ref, id))
        jobs.add(attemptId(id, 1))
        break
      }
    }
  }
  return { ...view, slots: [...slots.values()], runs: [...runs.values()], jobs, schedules }
}

export function openRun(ref: SlotRef, id: string, over: Partial<OpenRun> = {}): OpenRun {
  const { kind, name, as_of, partition } = ref
  const rest = {
    state: 'queued',
    attempt: 0,
    trigger: 'schedule',
    backfill: null,
    next_attempt_at: null,
    worker: undefined,
  } as const
  return { id, kind, name, as_of, partition, ...rest, ...over }
}

/** Plans and acts once. */
export function wake(view: LedgerView, now: string): { view: LedgerView; actions: Action[] } {
  const actions = planReconcile({ ...view, now })
  return { view: applyPlan({ ...view, now }, actions), actions }
}

/** Ends all open runs of a kind: published, failed or held. */
export function endRuns(
  view: LedgerView,
  kind: LedgerSlot['kind'],
  state: 'published' | 'failed' | 'held' = 'published',
): LedgerView {
  const ended = new Set(view.runs.filter((run) => run.kind === kind).map((run) => run.id))
  const slots = view.slots.map((slot) => {
    if (slot.run === null || !ended.has(slot.run)) return slot
    const copy = { ...slot, state, changed_at: view.now }
    return state === 'published' ? publish(copy, slot.run, view.now) : copy
  })
  return { ...view, slots, runs: view.runs.filter((run) => !ended.has(run.id)) }
}

/** A view whose schedules were last planned at an instant. */
export function seenAt(view: LedgerView, seen: string, firstSeen = seen): LedgerView {
  const schedules = Object.fromEntries(
    Object.values(view.project.schedules).map((schedule) => [
      schedule.name,
      { first_seen: firstSeen, seen, definition: definitionOf(schedule) },
    ]),
  )
  return { ...view, schedules }
}

/** One line for each action: what a table in a test can hold. */
export function lines(actions: Action[]): string[] {
  return actions.flatMap(linesOf)
}

function linesOf(action: Action): string[] {
  switch (action.type) {
    case 'create-slots':
      return action.slots.map((slot) => `create ${slot.kind} ${slot.name} ${slot.asOf.label} due ${slot.due}`)
    case 'see-schedule':
    case 'forget-schedule':
      return [`${action.type} ${action.schedule}`]
    case 'move-slot':
      return [`move ${title(action.slot)} to ${action.due}`]
    case 'deadline-missed':
      return [`late ${title(action.slot)} ${incident(action.incident)}: ${action.reason}`]
    case 'night-given-up':
      return [`given up ${title(action.slot)}: ${action.reason}`]
    case 'skip-slot':
      return [`skip ${title(action.slot)}: ${action.reason}`]
    case 'fail-slot':
      return [`fail ${title(action.slot)} ${action.class}: ${action.message}`]
    case 'start-run':
      return [`start ${title(action.slot)}`]
    case 'note-slot':
      return [`note ${title(action.slot)}: ${action.reason}`]
    case 'remove-slot':
      return [`remove ${title(action.slot)}`]
    case 'enqueue-attempt':
      return [`enqueue ${action.job}: ${action.reason}`]
    case 'enqueue-shards':
      return [
        `enqueue ${action.join ? 'the join' : `shards ${action.shards.join(', ')}`} of ${action.run}: ${action.reason}`,
      ]
    case 'attempt-lost':
      return [`lost ${action.run} attempt ${action.attempt}: ${action.reason}`]
    case 'finish-publishing':
      return [`finish ${title(action.slot)}: ${action.reason}`]
  }
}

/** The lines but those of the calendar's upkeep. */
export function work(actions: Action[]): string[] {
  return lines(actions).filter((line) => !/^(create|see-schedule|move|remove|forget)/.test(line))
}

function incident(plan: Extract<Action, { type: 'deadline-missed' }>['incident']): string {
  return plan.do === 'none' ? 'none' : `${plan.do} ${plan.subject.kind} ${plan.subject.name}`
}

function publish(slot: LedgerSlot, run: string, now: string): LedgerSlot {
  return Object.assign(slot, { state: 'published', published_run: run, changed_at: now })
}

function title(ref: SlotRef): string {
  return `${ref.kind} ${ref.name} ${ref.partition}`
}

/** A ledger that a scheduler has kept since long before: the slots of the next days are there. */
export function running(schedules: Schedule[], now: string, models?: Record<string, string>): LedgerView {
  const view = seenAt(emptyView(projectOf(schedules, models), now), now, '2026-01-01T00:00:00Z')
  return wake(view, now).view
}

export function withSchedule(view: LedgerView, schedule: Schedule): LedgerView {
  return {
    ...view,
    project: { ...view.project, schedules: { ...view.project.schedules, [schedule.name]: schedule } },
  }
}

/** One night as it goes: view, then model, each published. */
export function liveNight(view: LedgerView, now: string): LedgerView {
  const features = wake(view, now).view
  const scores = wake(endRuns(features, 'features'), now).view
  return endRuns(scores, 'scores')
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10)
}
