import { type Database, openDatabase } from '../../ledger/connection/database.ts'
import { dropSimulated, makeClock, stampSimulated } from '../../ledger/connection/simulated-clock.ts'
import { settleIdentity } from '../../ledger/identity/project-identity.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Model, Project, Schedule } from '../../project/project.ts'
import { type AsOf, addDays, asOfRange, grainOf } from '../../project/time/asof.ts'
import { scheduledAsOf } from '../../project/time/scheduled-as-of.ts'
import { startChallenge } from '../../registry/challengers.ts'
import { promote } from '../../registry/champion.ts'
import { keepZone } from '../../registry/live-zone.ts'
import { champion, listVersions } from '../../registry/version-records.ts'
import { tidily } from '../../workers/interruption.ts'
import type { Session } from '../session.ts'
import { liveThrough } from './live-through.ts'
import { copyRegistry } from './simulated-registry.ts'
import {
  keepSimulation,
  newSimulationId,
  outboxOf,
  removeSimulationFolder,
  type Simulation,
  withinSimulation,
} from './simulation-folder.ts'

export interface SimulationRequest {
  /** As typed. */
  from: string
  to: string
  challenger?: number | undefined
  by: string | null
  /** Called after each step of the simulated clock. */
  onTime?: (now: Date, done: { nights: number; of: number }) => void
}

/** A simulation that is over: its record, and its ledger, which is still open. */
export interface Lived {
  simulation: Simulation
  project: Project
  database: Database
  nights: AsOf[]
}

/**
 * Lives through the nights of a model on a simulated clock, in a ledger and a warehouse of their own, and hands the
 * result to `look` before it closes that ledger. One that fails or is interrupted leaves nothing behind.
 */
export async function simulate<T>(
  session: Session,
  model: Model,
  request: SimulationRequest,
  look: (lived: Lived) => Promise<T>,
): Promise<T> {
  const { project: real, database } = session
  const nights = nightsOf(real, model, request)
  const versions = await versionsIn(session, model, request.challenger)
  const id = newSimulationId()
  const project = alone(withinSimulation(real, id), model)
  const begun = performance.now()
  const simulation: Simulation = {
    id,
    model: model.name,
    from: nights[0]?.label ?? '',
    to: nights.at(-1)?.label ?? '',
    ...versions,
    state: 'running',
    pid: process.pid,
    started_at: new Date().toISOString(),
    seconds: null,
    reason: null,
  }
  await keepSimulation(real.root, simulation)
  let inside: Database | undefined
  try {
    inside = await openInside(session, project, new Date(Date.parse(nights[0]?.instant ?? '') - 1))
    const opened = inside
    const begins = new Date(Date.parse(nights[0]?.instant ?? '') - 1)
    await copyRegistry(database.pool, { from: real, into: project, model: model.name, begins })
    if (versions.champion !== null) await beginWith(opened, model, versions.champion, request.by)
    if (versions.challenger !== null) {
      const { challenger: version } = versions
      await startChallenge(opened, { model: model.name, version, by: request.by ?? null })
    }
    const until = endOf(nights, real.timezone)
    await tidily((signal) =>
      liveThrough({
        project,
        database: opened,
        log: session.log,
        outbox: outboxOf(id),
        until,
        signal,
        onTime: async (now) => {
          const over = nights.filter(({ instant }) => Date.parse(instant) <= now.getTime()).length
          request.onTime?.(now, { nights: over, of: nights.length })
        },
      }),
    )
    const lived: Simulation = { ...simulation, state: 'done', seconds: (performance.now() - begun) / 1000 }
    await keepSimulation(real.root, lived)
    return await look({ simulation: lived, project, database: opened, nights })
  } catch (error) {
    await inside?.close()
    inside = undefined
    await dropSimulated(database.pool, project.schema)
    await removeSimulationFolder(real.root, id)
    throw error
  } finally {
    await inside?.close()
  }
}

/** The nights to live through, of the grain of the model's schedule. */
function nightsOf(project: Project, model: Model, { from, to }: SimulationRequest): AsOf[] {
  const schedules = Object.values(project.schedules).filter(({ score }) => score.includes(model.name))
  if (schedules.length === 0) {
    throw new ConfigurationError(
      `simulate: expected a schedule with \`score: [${model.name}]\` in schedules/, got: none, so no night of ${model.name} would ever run`,
    )
  }
  const paused = schedules.filter((schedule) => schedule.paused).map(({ name }) => name)
  if (paused.length === schedules.length) {
    throw new ConfigurationError(
      `simulate: expected a schedule of ${model.name} that is not paused, got: ${paused.join(', ')} with \`paused: true\``,
    )
  }
  return asOfRange(
    scheduledAsOf(project, model, from, '--from'),
    scheduledAsOf(project, model, to, '--to'),
    project.timezone,
  )
}

/** Who scores: the champion, else (unless a challenger is named) the newest version, as if it were live. */
async function versionsIn(
  { database }: Session,
  { name }: Model,
  challenger: number | undefined,
): Promise<{ champion: number | null; challenger: number | null }> {
  const all = (await listVersions(database.pool, name)).map(({ version }) => version)
  const live = (await champion(database.pool, name))?.version
  if (challenger !== undefined && !all.includes(challenger)) {
    throw new ConfigurationError(
      `simulate ${name}: expected --challenger to be a registered version (${all.toReversed().join(', ') || 'none is registered: nightshift register'}), got: ${challenger}`,
    )
  }
  if (challenger !== undefined && challenger === live) {
    throw new ConfigurationError(
      `simulate ${name}: expected --challenger to be another version than the champion, got: ${challenger}, which is the champion`,
    )
  }
  const [newest] = all
  if (live === undefined && newest === undefined) {
    throw new ConfigurationError(
      `simulate ${name}: expected a registered version, got: none; nightshift register ${name} FILE.onnx`,
    )
  }
  return {
    champion: live ?? (challenger === undefined ? (newest ?? null) : null),
    challenger: challenger ?? null,
  }
}

/**
 * The project with one model alone. Its schedules begin when the simulation does. Features are recomputed by the training
 * path once a week: sources that lie there complete give each night the same answer, at the price of the night itself.
 */
function alone(project: Project, model: Model): Project {
  const schedules = Object.values(project.schedules).flatMap((schedule): Schedule[] => {
    const score = schedule.score.filter((name) => name === model.name)
    const refresh = schedule.refresh.filter((name) => name === model.view)
    return score.length + refresh.length === 0 ? [] : [{ ...schedule, score, refresh, start: undefined }]
  })
  const views = Object.entries(project.views).map(
    ([name, view]) => [name, { ...view, parity: 'weekly' as const }] as const,
  )
  return {
    ...project,
    views: Object.fromEntries(views),
    models: { [model.name]: model },
    schedules: Object.fromEntries(schedules.map((schedule) => [schedule.name, schedule])),
  }
}

async function openInside({ database }: Session, project: Project, at: Date): Promise<Database> {
  await makeClock(database.pool, project.schema, at)
  const inside = await openDatabase({
    root: project.root,
    url: database.url,
    schema: project.schema,
    simulated: true,
    role: 'command',
  })
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

async function beginWith(
  database: Database,
  { name }: Model,
  version: number,
  by: string | null,
): Promise<void> {
  await promote(database, {
    model: name,
    version,
    expected: null,
    by,
    reason: 'the champion when the simulation begins',
    event: 'promoted',
  })
}

/** The last millisecond of the last night's day (or hour): deadlines and checks of that night lie before it. */
function endOf(nights: AsOf[], timezone: string): Date {
  const last = nights.at(-1)
  if (last === undefined) throw new Error('there are no nights to live through')
  const next =
    grainOf(last) === 'day'
      ? Date.parse(addDays(last, 1, timezone).instant)
      : Date.parse(last.instant) + 3_600_000
  return new Date(next - 1)
}
