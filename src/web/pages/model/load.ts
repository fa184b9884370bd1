import { type ListedIncident, listIncidents } from '../../../alerts/incidents/list-incidents.ts'
import type { Nights } from '../../../charts/night-axis.ts'
import { latestOf } from '../../../ledger/nights/latest.ts'
import { type ModelNight, modelNights } from '../../../ledger/nights/model-nights.ts'
import type { Slot } from '../../../ledger/nights/slots.ts'
import { type DriftNight, driftNights } from '../../../monitoring/drift/drift-nights.ts'
import {
  newestOutcome,
  type OutcomeNight,
  outcomeNights,
} from '../../../monitoring/outcomes/outcome-nights.ts'
import { certificatesOf } from '../../../monitoring/parity/record.ts'
import { type ScoreNight, scoreNights } from '../../../monitoring/score-nights.ts'
import { type ShadowNights, shadowNights } from '../../../monitoring/shadow/record.ts'
import { type ShadowStanding, shadowStandings } from '../../../monitoring/shadow/shadow-standing.ts'
import type { OutcomeFacts } from '../../../pipeline/outcomes/outcome-facts.ts'
import type { Model } from '../../../project/project.ts'
import { type EvaluatedVersion, evaluatedVersions } from '../../../registry/evaluated-versions.ts'
import { historyOf } from '../../../registry/history-records.ts'
import { type Champion, champion, listVersions, type Version } from '../../../registry/version-records.ts'
import { nowAt, type PageContext, type Viewer } from '../../page-context.ts'
import { type Terminal, terminalFor } from '../../terminal.ts'
import { marksOf } from './marks.ts'
import type { Window } from './window.ts'

/** Everything that the page of a model shows. Lists by night have one entry for each of `nights`. */
export interface ModelView {
  model: Model
  timezone: string
  /** Shows commands to operators. */
  terminal: Terminal
  now: Date
  window: Window
  /** The newest night that was due or has run, regardless of the window. */
  last: Slot | undefined
  /** Oldest first. */
  nights: ModelNight[]
  axis: Nights
  scores: (ScoreNight | undefined)[]
  outcomes: (OutcomeNight | undefined)[]
  /** Oldest first; each night in the order of the columns. */
  drift: DriftNight[]
  newest: { partition: string; report: OutcomeFacts } | undefined
  champion: Champion | undefined
  versions: EvaluatedVersion[]
  /** The same versions with their registration records. */
  registered: Version[]
  history: Awaited<ReturnType<typeof historyOf>>
  shadows: ShadowNights[]
  /** Versions that are or were in shadow as challengers, newest first. */
  standings: ShadowStanding[]
  /** The champion's view; without a champion, the view in model.yaml. */
  view: string
  parity: Awaited<ReturnType<typeof certificatesOf>>
  incidents: ListedIncident[]
}

export type NightFigures = Pick<
  ModelView,
  'nights' | 'axis' | 'scores' | 'outcomes' | 'drift' | 'history' | 'shadows'
>

/** Loads the figures of the nights in a window. */
export async function loadNights(
  { database }: PageContext,
  model: string,
  window: Window,
): Promise<NightFigures> {
  const { pool } = database
  const { from, to } = window.instants
  const [nights, history, shadows] = await Promise.all([
    modelNights(pool, model, { from, to, limit: window.limit }),
    historyOf(pool, model),
    shadowNights(pool, model),
  ])
  const span = { from: nights[0]?.as_of ?? from ?? EPOCH, to: nights.at(-1)?.as_of ?? EPOCH }
  const [scores, drift, outcomes] = await Promise.all([
    scoreNights(pool, model, span),
    driftNights(pool, model, span),
    outcomeNights(pool, model, span),
  ])
  const changes = history.filter(({ event }) => event === 'promoted' || event === 'rolled back')
  return {
    nights,
    axis: { labels: nights.map(({ partition }) => partition), marks: marksOf(nights, changes, shadows) },
    scores: inOrder(nights, scores),
    outcomes: inOrder(nights, outcomes),
    drift,
    history,
    shadows,
  }
}

const EPOCH = new Date(0).toISOString()

/** Loads a model's page in two rounds of queries, independent of the number of nights. */
export async function loadModel(
  pageContext: PageContext,
  model: Model,
  window: Window,
  viewer: Viewer | null,
): Promise<ModelView> {
  const { pool } = pageContext.database
  const project = pageContext.project()
  const { timezone } = project
  const now = await nowAt(pageContext)
  const [figures, live, versions, registered, incidents, [latest], standings] = await Promise.all([
    loadNights(pageContext, model.name, window),
    champion(pool, model.name),
    evaluatedVersions(pool, model.name),
    listVersions(pool, model.name),
    listIncidents(pool, now, { subject: model.name }),
    latestOf(pool, [model.name], now),
    shadowStandings(pool, model),
  ])
  const version = registered.find((each) => each.version === live?.version)
  const view = version?.view ?? model.view
  const [parity, newest, ofView] = await Promise.all([
    certificatesOf(pool, view),
    newestOutcome(pool, model.name, figures.nights.at(-1)?.as_of ?? EPOCH),
    listIncidents(pool, now, { subject: view }),
  ])
  return {
    ...figures,
    model,
    timezone,
    terminal: terminalFor(viewer, project),
    now,
    window,
    last: latest?.last,
    standings,
    newest,
    champion: live,
    versions,
    registered,
    view,
    parity,
    incidents: view === model.name ? incidents : [...incidents, ...ofView],
  }
}

function inOrder<T extends { partition: string }>(nights: ModelNight[], rows: T[]): (T | undefined)[] {
  const byPartition = new Map(rows.map((row) => [row.partition, row]))
  return nights.map(({ partition }) => byPartition.get(partition))
}
