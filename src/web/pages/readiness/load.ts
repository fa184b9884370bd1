import { type GateAnswer, newestAnswers } from '../../../actions/operations/gate-answers.ts'
import { type Operation, operationsOf } from '../../../actions/operations/operation-record.ts'
import { type ScheduledDrill, scheduledDrills } from '../../../actions/operations/scheduled-drills.ts'
import { rollbackTarget } from '../../../actions/rollback/roll-back.ts'
import { type Backfill, listBackfills } from '../../../jobs/backfills/backfill-records.ts'
import { workerAlive } from '../../../ledger/nights/alive.ts'
import { ConfigurationError } from '../../../project/files/problem.ts'
import type { Model, Project } from '../../../project/project.ts'
import { type Acceptance, acceptancesOf } from '../../../readiness/acceptances.ts'
import { type DailyGate, dailyGates } from '../../../readiness/daily-gates.ts'
import { type Drill, drillsOf } from '../../../readiness/drills/drill-record.ts'
import { type Waiver, waiversOf } from '../../../readiness/waivers.ts'
import { type HistoryEntry, historyOf } from '../../../registry/history-records.ts'
import { champion, type Version } from '../../../registry/version-records.ts'
import { nowAt, type PageContext, type Viewer } from '../../page-context.ts'
import { type Terminal, terminalFor } from '../../terminal.ts'

/** Days of the strips, and of a table of daily answers. */
const DAYS = 28

/** Everything that the readiness page of a model shows. */
export interface ReadinessView {
  project: Project
  model: Model
  now: Date
  /** Newest first. */
  versions: Version[]
  champion: number | undefined
  /** The version that the page is about; null: none is registered. */
  version: number | null
  /** What the gate last said about it. */
  answer: GateAnswer | undefined
  /** Days on which the champion was asked about, newest first. */
  days: DailyGate[]
  waivers: Waiver[]
  acceptances: Acceptance[]
  /** Promotions despite the gate, newest first. */
  overrides: (HistoryEntry & { at: string })[]
  drills: Drill[]
  scheduled: ScheduledDrill[]
  /** Newest first. */
  operations: Operation[]
  backfills: Backfill[]
  /** Whether a process is there that would carry out what is asked for. */
  isWorked: boolean
  /** The signed-in user; commands are for operators. */
  viewer: Viewer | null
  terminal: Terminal
  /** The version that a rollback goes to; undefined: there is none. */
  before: number | undefined
}

/**
 * Reads the ledger alone: nothing is computed, and the gate is not asked.
 * `asked`: the version that the page is about; default: the one that `check` would ask about.
 */
export async function loadReadiness(
  pageContext: PageContext,
  model: Model,
  versions: Version[],
  { asked, viewer }: { asked: number | undefined; viewer: Viewer | null },
): Promise<ReadinessView> {
  const { database } = pageContext
  const { pool } = database
  const { name } = model
  const project = pageContext.project()
  const [now, live, days, waivers, acceptances, history, drills, operations, backfills, isWorked] =
    await Promise.all([
      nowAt(pageContext),
      champion(pool, name),
      dailyGates(pool, name, DAYS),
      waiversOf(pool, name),
      acceptancesOf(pool, name),
      historyOf(pool, name),
      drillsOf(pool, name),
      operationsOf(pool, name),
      listBackfills(pool, name),
      workerAlive(database),
    ])
  const newest = versions.find(({ version }) => version !== live?.version)
  const version = asked ?? newest?.version ?? live?.version ?? null
  const [answers, before] = await Promise.all([
    newestAnswers(pool, [{ model: name, version }]),
    versionBefore({ project, database }, model, live?.version),
  ])
  return {
    project,
    model,
    now,
    versions,
    champion: live?.version,
    version,
    answer: answers.get(name),
    days,
    waivers,
    acceptances,
    overrides: history
      .filter(({ event, evidence }) => event === 'promoted' && evidence.overridden === true)
      .toReversed(),
    drills,
    scheduled: scheduledDrills(project).filter((each) => each.model === name),
    operations,
    backfills,
    isWorked,
    viewer,
    terminal: terminalFor(viewer, project),
    before,
  }
}

async function versionBefore(
  ledger: Pick<PageContext, 'database'> & { project: Project },
  model: Model,
  live: number | undefined,
): Promise<number | undefined> {
  if (live === undefined) return undefined
  try {
    return (await rollbackTarget(ledger, model, { to: undefined }, true)).to.version
  } catch (error) {
    if (error instanceof ConfigurationError) return undefined
    throw error
  }
}
