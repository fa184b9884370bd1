import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Logger } from 'pino'
import { openQueues, type Queues } from '../jobs/queue/queues.ts'
import { type Database, openDatabase } from '../ledger/connection/database.ts'
import { ledgerNow } from '../ledger/connection/ledger-clock.ts'
import { expectProject, settleIdentity } from '../ledger/identity/project-identity.ts'
import { projectIn } from '../project/files/known-project.ts'
import { closePrivate } from '../project/files/private-folder.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { Project } from '../project/project.ts'
import { keepZone, zoneProblem } from '../registry/live-zone.ts'
import { knowingKeys } from '../registry/view-promises.ts'
import { trimCopiesAdded } from '../workers/objects/trim-added.ts'
import { type Environment, readEnvironment } from './environment.ts'
import { openLog } from './open-log.ts'
import { outboxOf, simulationNamed, withinSimulation } from './simulation/simulation-folder.ts'

type Role = 'worker' | 'scheduler' | 'web' | 'command'

/** A project with its ledger and, on first use, its queues. Closed with `close`. */
export interface Session {
  project: Project
  environment: Environment
  database: Database
  log: Logger
  /** The simulation that it works within. */
  simulation: string | undefined
  queues(): Promise<Queues>
  close(): Promise<void>
}

/** Opens the project and its ledger. Throws a ConfigurationError that lists the errors in the files. */
export async function openSession(
  options: { project: string; simulation?: string },
  role: Role,
  { quiet = false }: { quiet?: boolean } = {},
): Promise<Session> {
  const given = readEnvironment()
  const { simulation } = options
  const outer = await projectIn(options.project)
  const files = simulation === undefined ? outer : insideOf(outer, simulation)
  const environment =
    simulation === undefined ? given : { ...given, smtpUrl: undefined, outbox: outboxOf(simulation) }
  let opened: Logger | undefined
  const log = () => {
    opened ??= openLog(quiet && process.env.NIGHTSHIFT_LOG === undefined ? 'error' : environment.logLevel)
    return opened
  }
  for (const path of closePrivate(files.root)) {
    log().warn(`${path} is readable by others and owned by another user: chmod -R go= ${path}`)
  }
  const { root, schema } = files
  const database = await openDatabase({
    root,
    url: environment.databaseUrl,
    schema,
    simulated: simulation !== undefined,
    role,
  })
  const ledger = await orClose(database, async () => {
    const settled = await settleIdentity(database, files, role === 'command' ? { onUnasked: sayUnasked } : {})
    await settleZone(database, files.timezone)
    return settled
  })
  const project = await knowingKeys(database.pool, files)
  let queues: Promise<Queues> | undefined
  return {
    project,
    environment,
    database,
    get log() {
      return log()
    },
    simulation,
    queues() {
      queues ??= openQueues({
        redisUrl: environment.redisUrl,
        databaseUrl: database.url,
        log: (level, message) => log()[level](message),
        prefix: ledger.queues,
        schema,
        now: () => ledgerNow(database.pool),
      })
      return queues
    },
    async close() {
      await queues?.then((open) => open.close()).catch(() => {})
      await database.close()
      await trimCopiesAdded(project)
    },
  }
}

/** What needs no bucket works without one. */
function sayUnasked(error: unknown): void {
  const why = error instanceof Error ? error.message : String(error)
  process.stderr.write(`${why}. The ledger is believed to be this project's by its name\n`)
}

/** The project within a simulation of it that is over. */
function insideOf(project: Project, id: string): Project {
  const { state } = simulationNamed(project.root, id)
  if (state === 'running')
    throw new ConfigurationError(
      `--simulation: expected one that is over, got: ${id}, which is still running`,
    )
  return withinSimulation(project, id)
}

/** Throws a ConfigurationError if live versions were registered in another zone. */
async function settleZone(database: Database, timezone: string): Promise<void> {
  const problem = await zoneProblem(database.pool, timezone)
  if (problem !== undefined) throw new ConfigurationError(`nightshift.yaml: ${problem}`)
  await keepZone(database.pool, timezone)
}

/** Closes the ledger again where it is not to be worked with. */
async function orClose<T>(database: Database, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Runs a command's work in a session, and always closes the session. */
export async function withSession<T>(
  options: { project: string; simulation?: string },
  work: (session: Session) => Promise<T>,
  { role = 'command', quiet = true }: { role?: Role; quiet?: boolean } = {},
): Promise<T> {
  const session = await openSession(options, role, { quiet })
  try {
    return await work(session)
  } finally {
    await session.close()
  }
}

/** Runs `work` with the project's ledger if it has one: for commands that do not need a ledger. */
export async function withLedgerIfAny<T>(
  project: Project,
  work: (database: Database) => Promise<T>,
): Promise<T | undefined> {
  const environment = readEnvironment()
  const { root, schema } = project
  if (!hasLedger(root, environment)) return undefined
  const database = await openDatabase({ root, url: environment.databaseUrl, schema, role: 'command' })
  try {
    await expectProject(database, project)
    return await work(database)
  } finally {
    await database.close()
  }
}

/** True if this project already has a ledger: only then does `validate` check live versions. */
function hasLedger(root: string, environment: Environment): boolean {
  return environment.databaseUrl !== undefined || existsSync(resolve(root, '.nightshift', 'postgres'))
}
