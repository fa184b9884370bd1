import { clockTime } from '../../format/clock-time.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { type Attempt, attemptsOf, findRun, type Run } from '../../ledger/nights/run-records.ts'
import type { Connection } from '../../ledger/nights/slots.ts'
import { didYouMean } from '../../project/files/nearest.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Model, Project, View } from '../../project/project.ts'
import { type AsOf, parseAsOf } from '../../project/time/asof.ts'

/** A model by its name; throws a ConfigurationError that lists the candidates. */
export function modelNamed(project: Project, name: string): Model {
  return project.models[name] ?? unknown('model', name, Object.keys(project.models))
}

/** A view by its name; throws a ConfigurationError that lists the candidates. */
export function viewNamed(project: Project, name: string): View {
  return project.views[name] ?? unknown('view', name, Object.keys(project.views))
}

/** A run by its id, or by the beginning of one where that leaves no doubt. */
export async function runNamed(
  connection: Connection,
  id: string,
): Promise<{ run: Run; attempts: Attempt[] }> {
  const run = (await findRun(connection, id)) ?? (await byBeginning(connection, id))
  return { run, attempts: await attemptsOf(connection, run.id) }
}

async function byBeginning(connection: Connection, id: string): Promise<Run> {
  const { rows } = await connection.query<{ id: string }>(
    `select id from nightshift.runs where starts_with(id, $1) order by created_at desc limit 10`,
    [id],
  )
  const [only, ...others] = rows
  if (only !== undefined && others.length === 0) {
    const run = await findRun(connection, only.id)
    if (run !== undefined) return run
  }
  const candidates = rows.map((row) => row.id).join(', ')
  throw new ConfigurationError(
    candidates === ''
      ? `expected the id of a run, got: ${id}; \`nightshift runs\` lists them`
      : `expected the id of one run, got: ${id}, with which several begin: ${candidates}`,
  )
}

function unknown(what: string, name: string, names: string[]): never {
  throw new ConfigurationError(
    `expected a ${what} of this project (${names.join(', ') || 'it has none'}), got: ${name}${didYouMean(name, names)}`,
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

/** `--by` names one of the project's people, where it names any. */
export function personNamed(project: Project, by: string | undefined): string | null {
  if (by === undefined) return null
  const people = Object.keys(project.people)
  if (people.length > 0 && !people.includes(by)) unknown('person', by, people)
  return by
}

/** As `personNamed`, of what is on record with its author wherever the project names people. */
export function authorNamed(project: Project, by: string | undefined, command: string): string | null {
  const people = Object.keys(project.people)
  if (people.length > 0 && by === undefined) {
    throw new ConfigurationError(
      `${command}: expected --by WHO, one of the people in nightshift.yaml (${people.join(', ')}): who changes what is live is on record`,
    )
  }
  return personNamed(project, by)
}

/** An as-of that is to be computed now, by the ledger's clock: what lies ahead cannot be known yet. */
export async function asOfToRun(connection: Connection, text: string, timezone: string): Promise<AsOf> {
  const asOf = parseAsOf(text, timezone)
  const now = await ledgerNow(connection)
  if (Date.parse(asOf.instant) <= now.getTime()) return asOf
  throw new ConfigurationError(
    `--as-of: expected a night that has begun in ${timezone} (now is ${clockTime(now.toISOString(), timezone)}), got: ${text}`,
  )
}
