import { clockTime } from '../../format/clock-time.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import {
  type Attempt,
  attemptsOf,
  findRun,
  type Run,
  runsBeginning,
} from '../../ledger/nights/run-records.ts'
import { type Connection, findSlot, type Slot } from '../../ledger/nights/slots.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Model, Project, View } from '../../project/project.ts'
import { type AsOf, parseAsOf } from '../../project/time/asof.ts'
import { scheduledAsOf } from '../../project/time/scheduled-as-of.ts'

/** The slot that a person calls `churn:2026-11-22`; `command` is named in the errors. */
export async function slotNamed(
  connection: Connection,
  project: Project,
  text: string,
  command: string,
): Promise<Slot> {
  const [name = '', label = ''] = text.split(/:(.*)/s)
  const kind =
    project.models[name] !== undefined ? 'scores' : project.views[name] !== undefined ? 'features' : undefined
  if (kind === undefined) {
    const names = [...Object.keys(project.models), ...Object.keys(project.views)]
    throw new ConfigurationError(
      `${command}: expected NAME:AS-OF with a model or view of this project (${names.join(', ')}), got: ${text}`,
    )
  }
  const found = await findSlot(connection, kind, name, parseAsOf(label, project.timezone).label)
  if (found !== undefined) return found
  throw new ConfigurationError(`${command}: there is no slot ${text}: \`nightshift status\` lists them`)
}

/** A run by its id, by a prefix that matches only one id, or by its slot (`churn:2026-11-22`), of which the newest counts. */
export async function runMeant(
  connection: Connection,
  project: Project,
  text: string,
): Promise<{ run: Run; attempts: Attempt[] }> {
  if (!text.includes(':')) return runNamed(connection, text)
  const { run } = await slotNamed(connection, project, text, 'show')
  if (run !== null) return runNamed(connection, run)
  throw new ConfigurationError(`show: ${text} has not run yet: \`nightshift status\` says what it waits for`)
}

/** A run by its id, or by a prefix that matches only one id. */
export async function runNamed(
  connection: Connection,
  id: string,
): Promise<{ run: Run; attempts: Attempt[] }> {
  const run = (await findRun(connection, id)) ?? (await byPrefix(connection, id))
  return { run, attempts: await attemptsOf(connection, run.id) }
}

async function byPrefix(connection: Connection, id: string): Promise<Run> {
  const found = await runsBeginning(connection, id)
  const [only, ...others] = found
  if (only !== undefined && others.length === 0) return only
  const candidates = found.map((run) => run.id).join(', ')
  throw new ConfigurationError(
    candidates === ''
      ? `expected the id of a run, got: ${id}; \`nightshift runs\` lists them`
      : `expected the id of one run, got: ${id}, a prefix of several: ${candidates}`,
  )
}

/** The number of a backfill, as `nightshift backfills` lists it. */
export function backfillNumber(text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new ConfigurationError(
    `expected the number of a backfill, as \`nightshift backfills\` lists them, got: ${text}`,
  )
}

/** An as-of to compute now. It must not be in the future by the ledger's clock: its data cannot be known yet. */
export async function asOfToRun(
  connection: Connection,
  project: Project,
  of: Model | View,
  text: string,
): Promise<AsOf> {
  const { timezone } = project
  const asOf = scheduledAsOf(project, of, text)
  const now = await ledgerNow(connection)
  if (Date.parse(asOf.instant) <= now.getTime()) return asOf
  throw new ConfigurationError(
    `--as-of: expected a night that has already started in ${timezone} (now is ${clockTime(now.toISOString(), timezone)}), got: ${text}`,
  )
}
