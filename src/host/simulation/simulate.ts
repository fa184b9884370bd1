import type { Database } from '../../ledger/connection/database.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Model, Project } from '../../project/project.ts'
import { type AsOf, addDays, asOfRange, grainOf } from '../../project/time/asof.ts'
import { scheduledAsOf } from '../../project/time/scheduled-as-of.ts'
import { champion, listVersions } from '../../registry/version-records.ts'
import { tidily } from '../../workers/interruption.ts'
import type { Session } from '../session.ts'
import { inCopy } from './copy.ts'
import { liveThrough } from './live-through.ts'
import { outboxOf, type Simulation } from './simulation-folder.ts'

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
  const { project: real } = session
  const nights = nightsOf(real, model, request)
  const { champion, challenger } = await versionsIn(session, model, request.challenger)
  const by = request.by ?? null
  const champions = champion === null ? [] : [champion]
  return inCopy(session, model, { nights, champions, challenger, by, keep: true }, async (copy) => {
    const until = endOf(nights, real.timezone)
    await tidily((signal) =>
      liveThrough(
        { ...copy, log: session.log, outbox: outboxOf(copy.record.id), signal },
        {
          until,
          onTime: async (now) => {
            const over = nights.filter(({ instant }) => Date.parse(instant) <= now.getTime()).length
            request.onTime?.(now, { nights: over, of: nights.length })
            return false
          },
        },
      ),
    )
    const { project, database } = copy
    return look({ simulation: await copy.done(), project, database, nights })
  })
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
