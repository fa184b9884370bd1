import type { Database } from '../../ledger/connection/database.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { modelNamed } from '../../project/named.ts'
import type { Model, Project } from '../../project/project.ts'
import { type AsOf, addDays, asOfRange, grainOf } from '../../project/time/asof.ts'
import { scheduledAsOf } from '../../project/time/scheduled-as-of.ts'
import { activeChallengers } from '../../registry/challengers.ts'
import { champion, listVersions } from '../../registry/version-records.ts'
import { tidily } from '../../workers/interruption.ts'
import type { Session } from '../session.ts'
import { type Copy, inCopy, inKept } from './copy.ts'
import { liveThrough } from './live-through.ts'
import { outboxOf, type Simulation, simulationNamed } from './simulation-folder.ts'

export interface SimulationRequest {
  /** As typed. */
  from: string
  to: string
  challenger?: number | undefined
  by: string | null
  /** Called after each step of the simulated clock. */
  onTime?: ((now: Date, done: { nights: number; of: number }) => void) | undefined
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
  const { project: real } = session
  const nights = nightsOf(real, model, request)
  const { champion, challenger } = await versionsIn(session, model, request.challenger)
  const by = request.by ?? null
  const champions = champion === null ? [] : [champion]
  return inCopy(session, model, { nights, champions, challenger, by, keep: true }, async (copy) => {
    await live(session, copy, nights, request.onTime)
    const { project, database } = copy
    return look({ simulation: await copy.done(), project, database, nights })
  })
}

/** Lives through further nights of a simulation that is kept, up to `to`, and hands those nights to `look`. */
export async function continueSimulation<T>(
  session: Session,
  { id, to, onTime }: Pick<SimulationRequest, 'to' | 'onTime'> & { id: string },
  look: (lived: Lived) => Promise<T>,
): Promise<T> {
  const { project: real } = session
  const kept = simulationNamed(real.root, id)
  if (kept.state !== 'done')
    throw new ConfigurationError(
      `simulate --continue: expected a simulation that is over, got: ${id}, which ${kept.state === 'running' ? 'is still running' : `failed (${kept.reason})`}`,
    )
  const model = modelNamed(real, kept.model)
  const last = scheduledAsOf(real, model, kept.to, '--from')
  const end = scheduledAsOf(real, model, to, '--to')
  if (Date.parse(end.instant) <= Date.parse(last.instant))
    throw new ConfigurationError(
      `simulate --continue ${id}: expected --to to be after ${kept.to}, its last night, got: ${to}`,
    )
  const nights = asOfRange(last, end, real.timezone).slice(1)
  return inKept(session, model, kept, async (copy) => {
    await live(session, copy, nights, onTime)
    const { project, database } = copy
    const standing = (await champion(database.pool, model.name))?.version ?? null
    const beside = (await activeChallengers(database.pool, model.name)).at(-1)?.version ?? null
    const simulation = await copy.done({ to: end.label, champion: standing, challenger: beside })
    return look({ simulation, project, database, nights })
  })
}

/** Lives through these nights, to the end of the last one's day. */
async function live(
  session: Session,
  copy: Copy,
  nights: AsOf[],
  onTime: SimulationRequest['onTime'],
): Promise<void> {
  const until = endOf(nights, session.project.timezone)
  const outbox = outboxOf(copy.record.id)
  await tidily((signal) =>
    liveThrough(
      { ...copy, log: session.log, outbox, signal },
      {
        until,
        onTime: async (now) => {
          const over = nights.filter(({ instant }) => Date.parse(instant) <= now.getTime()).length
          onTime?.(now, { nights: over, of: nights.length })
          return false
        },
      },
    ),
  )
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

/** The last millisecond of the last night's day (or hour): deadlines and checks of that night lie before it. */
export function endOf(nights: AsOf[], timezone: string): Date {
  const last = nights.at(-1)
  if (last === undefined) throw new Error('there are no nights to live through')
  const next =
    grainOf(last) === 'day'
      ? Date.parse(addDays(last, 1, timezone).instant)
      : Date.parse(last.instant) + 3_600_000
  return new Date(next - 1)
}
