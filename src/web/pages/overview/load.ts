import { Temporal } from 'temporal-polyfill'
import { type GateAnswer, newestAnswers } from '../../../actions/operations/gate-answers.ts'
import { type ListedIncident, listIncidents } from '../../../alerts/incidents/list-incidents.ts'
import { badSlots, type CalendarSlot, calendarSlots } from '../../../ledger/nights/calendar-slots.ts'
import {
  type BriefRun,
  briefRuns,
  type Latest,
  lastOfViews,
  latestOf,
} from '../../../ledger/nights/latest.ts'
import {
  alertingRuns,
  champions,
  evidenceOfRuns,
  latestOutcomes,
  parityOfRuns,
} from '../../../monitoring/evidence.ts'
import { ANSWERS, type Trust, trust } from '../../../monitoring/trust/trust.ts'
import type { Project } from '../../../project/project.ts'
import { nowAt, type PageContext } from '../../page-context.ts'

/** One model and its current state. */
export interface ModelOverview {
  name: string
  latest: Latest
  champion: { version: number; since: string } | undefined
  /** The run whose scores readers have. */
  published: BriefRun | undefined
  trust: Trust
  /** The open incidents of the model and of its view. */
  incidents: ListedIncident[]
}

export interface Overview {
  now: Date
  project: Project
  /** Local dates, oldest first. */
  dates: string[]
  /** The as-ofs of those dates, both inclusive. */
  window: { from: string; to: string }
  /** The newest slots of those dates that failed, are held or are late, of all models and views. */
  bad: CalendarSlot[]
  /** Those that need attention come first. */
  models: ModelOverview[]
  /** Names of views. */
  views: string[]
  incidents: ListedIncident[]
  /** What the gate last said of each champion, by model. */
  answers: ReadonlyMap<string, GateAnswer>
}

/** The nights of some models and their views. */
export interface Nights {
  slots: CalendarSlot[]
  /** Runs whose drift raised an alert. */
  moved: ReadonlySet<string>
}

/** The nights of the models and views of an overview, which may be fewer than those of the project. */
export async function loadNights(
  { database: { pool } }: PageContext,
  { models, views, window: { from, to } }: Overview,
): Promise<Nights> {
  const names = models.map(({ name }) => name)
  const subjects = [
    ...names.map((name) => ({ kind: 'scores' as const, name })),
    ...views.map((name) => ({ kind: 'features' as const, name })),
  ]
  const [slots, moved] = await Promise.all([
    calendarSlots(pool, subjects, from, to),
    alertingRuns(pool, names, from, to),
  ])
  return { slots, moved }
}

/** Loads the overview in a fixed number of queries, independent of the number of models and nights. */
export async function loadOverview(pageContext: PageContext, days: number, until: string | undefined) {
  const { pool } = pageContext.database
  const project = pageContext.project()
  const now = await nowAt(pageContext)
  const { timezone } = project
  const today = Temporal.Instant.fromEpochMilliseconds(now.getTime())
    .toZonedDateTimeISO(timezone)
    .toPlainDate()
  const last = until === undefined ? today : Temporal.PlainDate.from(until)
  const dates = Array.from({ length: days }, (_, index) =>
    last.subtract({ days: days - 1 - index }).toString(),
  )
  const start = (date: Temporal.PlainDate) => date.toZonedDateTime(timezone).toInstant()
  const from = start(last.subtract({ days: days - 1 })).toString()
  const to = start(last.add({ days: 1 }))
    .subtract({ milliseconds: 1 })
    .toString()

  const names = Object.keys(project.models)
  const views = Object.keys(project.views)
  const [bad, latest, ofViews, live, outcomes, incidents] = await Promise.all([
    badSlots(pool, from, to, now),
    latestOf(pool, names, now),
    lastOfViews(pool, views, now),
    champions(pool),
    latestOutcomes(pool, names),
    listIncidents(pool, now),
  ])
  const ids = [
    ...latest.flatMap(({ last, published }) => [last?.run, published?.published_run]),
    ...[...ofViews.values()].map(({ run }) => run),
  ]
  const runs = await briefRuns(
    pool,
    ids.filter((id) => id != null),
  )
  const scored = latest.flatMap(({ published: slot }) => slot?.published_run ?? [])
  const features = [...runs.values()].flatMap((run) => run.features_run ?? [])
  const [evidence, parity, answers] = await Promise.all([
    evidenceOfRuns(pool, scored),
    parityOfRuns(pool, features),
    newestAnswers(
      pool,
      names.flatMap((name) => {
        const version = live.get(name)?.version
        return version === undefined ? [] : [{ model: name, version }]
      }),
    ),
  ])

  const run = (id: string | null | undefined) => (id == null ? undefined : runs.get(id))
  const featuresOf = ({ last }: Latest, view: string | undefined) => {
    const slot = ofViews.get(view ?? '')
    return slot === undefined || slot.as_of !== last?.as_of ? undefined : { slot, run: run(slot.run) }
  }
  const models = latest
    .map((each): ModelOverview => {
      const published = run(each.published?.published_run)
      const view = project.models[each.name]?.view
      const open = incidents.filter(
        ({ subject, subjectKind }) => subject === (subjectKind === 'model' ? each.name : view),
      )
      return {
        name: each.name,
        latest: each,
        champion: live.get(each.name),
        published,
        trust: trust({
          now,
          timezone,
          latest: each,
          features: featuresOf(each, view),
          run: run(each.last?.run),
          published,
          champion: live.get(each.name)?.version,
          evidence: published && evidence.get(published.id),
          parity: published?.features_run == null ? undefined : parity.get(published.features_run),
          outcome: outcomes.get(each.name),
          limits: project.models[each.name],
          open,
        }),
        incidents: open,
      }
    })
    .toSorted((a, b) => ANSWERS.indexOf(a.trust.answer) - ANSWERS.indexOf(b.trust.answer))
  return {
    now,
    project,
    dates,
    window: { from, to },
    bad,
    models,
    views,
    incidents,
    answers,
  } satisfies Overview
}
