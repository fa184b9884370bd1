import { type Database, openDatabase } from '../../ledger/connection/database.ts'
import { dropSimulated, makeClock, stampSimulated } from '../../ledger/connection/simulated-clock.ts'
import { settleIdentity } from '../../ledger/identity/project-identity.ts'
import type { Model, Project, Schedule, View } from '../../project/project.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { startChallenge } from '../../registry/challengers.ts'
import { promote } from '../../registry/champion.ts'
import { keepZone } from '../../registry/live-zone.ts'
import type { Session } from '../session.ts'
import { copyRegistry } from './simulated-registry.ts'
import {
  keepSimulation,
  newSimulationId,
  removeSimulationFolder,
  type Simulation,
  withinSimulation,
} from './simulation-folder.ts'

export interface CopyRequest {
  /** The nights that it is made for, oldest first. */
  nights: AsOf[]
  /** Versions that are promoted one after the other before the first night; the last of them is the champion then. */
  champions: number[]
  challenger?: number | null
  by: string | null
  /** What it is made for, where that is a drill. */
  drill?: string
  /** What the copy declares otherwise than the project. */
  adjust?: ((project: Project) => Project) | undefined
  /** Whether it is kept when `work` has ended, to be looked into. */
  keep: boolean
}

/** A project with one model, a warehouse and a ledger of its own, whose clock stands until it is moved. */
export interface Copy {
  record: Simulation
  project: Project
  database: Database
  /** Records that it has been lived through, and what has changed with that. */
  done(changed?: Partial<Simulation>): Promise<Simulation>
}

/**
 * Copies a model with its versions, without its nights, and hands the copy to `work`. Its clock stands a millisecond before
 * the first night. If `work` fails or is interrupted, nothing is left.
 */
export async function inCopy<T>(
  session: Session,
  model: Model,
  { nights, champions, challenger = null, by, drill, adjust = (same) => same, keep }: CopyRequest,
  work: (copy: Copy) => Promise<T>,
): Promise<T> {
  const { project: real, database } = session
  const [first] = nights
  if (first === undefined) throw new Error('a copy needs a night')
  const begins = new Date(Date.parse(first.instant) - 1)
  const id = newSimulationId()
  const project = adjust(alone(withinSimulation(real, id), model, drill === undefined ? 'weekly' : 'never'))
  const begun = performance.now()
  const record: Simulation = {
    id,
    model: model.name,
    from: first.label,
    to: nights.at(-1)?.label ?? '',
    champion: champions.at(-1) ?? null,
    challenger,
    drill: drill ?? null,
    state: 'running',
    pid: process.pid,
    started_at: new Date().toISOString(),
    seconds: null,
    reason: null,
  }
  await keepSimulation(real.root, record)
  let inside: Database | undefined
  let over = false
  try {
    inside = await openInside(session, project, begins)
    const opened = inside
    await copyRegistry(database.pool, { from: real, into: project, model: model.name, begins })
    let expected: number | null = null
    for (const version of champions) {
      const reason = 'the champion when the simulation begins'
      await promote(opened, { model: model.name, version, expected, by, reason, event: 'promoted' })
      expected = version
    }
    if (challenger !== null) await startChallenge(opened, { model: model.name, version: challenger, by })
    const done = async (changed: Partial<Simulation> = {}) => {
      const seconds = (performance.now() - begun) / 1000
      const lived: Simulation = { ...record, ...changed, state: 'done', seconds }
      await keepSimulation(real.root, lived)
      return lived
    }
    const result = await work({ record, project, database: opened, done })
    over = keep
    return result
  } finally {
    await inside?.close()
    if (!over) {
      await dropSimulated(database.pool, project.schema)
      await removeSimulationFolder(real.root, id)
    }
  }
}

/**
 * Opens a simulation that is kept, whose clock stands where it ended, and hands it to `work`. If `work` fails or is
 * interrupted, it stays what it was, up to the time that its clock has reached.
 */
export async function inKept<T>(
  { project: real, database }: Session,
  model: Model,
  kept: Simulation,
  work: (copy: Copy) => Promise<T>,
): Promise<T> {
  const project = alone(withinSimulation(real, kept.id), model, 'weekly')
  const begun = performance.now()
  const inside = await openLedger(database, project)
  const record: Simulation = { ...kept, state: 'running', pid: process.pid }
  let last = kept
  try {
    await settleIdentity(inside, project)
    await keepSimulation(real.root, record)
    const done = async (changed: Partial<Simulation> = {}) => {
      const seconds = (performance.now() - begun) / 1000
      last = { ...kept, ...changed, seconds }
      return last
    }
    return await work({ record, project, database: inside, done })
  } finally {
    await inside.close()
    await keepSimulation(real.root, last)
  }
}

/**
 * The project with one model alone. Its schedules begin when the simulation does. Features are recomputed by the training
 * path once a week, in a drill never: sources that lie there complete give each night the same answer, at the price of the
 * night itself.
 */
function alone(project: Project, model: Model, parity: View['parity']): Project {
  const schedules = Object.values(project.schedules).flatMap((schedule): Schedule[] => {
    const score = schedule.score.filter((name) => name === model.name)
    const refresh = schedule.refresh.filter((name) => name === model.view)
    return score.length + refresh.length === 0 ? [] : [{ ...schedule, score, refresh, start: undefined }]
  })
  const views = Object.entries(project.views).map(([name, view]) => [name, { ...view, parity }] as const)
  return {
    ...project,
    views: Object.fromEntries(views),
    models: { [model.name]: model },
    schedules: Object.fromEntries(schedules.map((schedule) => [schedule.name, schedule])),
  }
}

/** The ledger of a copy, on the server of the project's own. */
function openLedger({ url }: Database, { root, schema }: Project): Promise<Database> {
  return openDatabase({ root, url, schema, simulated: true, role: 'command' })
}

async function openInside({ database }: Session, project: Project, at: Date): Promise<Database> {
  await makeClock(database.pool, project.schema, at)
  const inside = await openLedger(database, project)
  try {
    await stampSimulated(database.pool, project.schema)
    await settleIdentity(inside, project)
    await keepZone(inside.pool, project.timezone)
    return inside
  } catch (error) {
    await inside.close()
    throw error
  }
}
