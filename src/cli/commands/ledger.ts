import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { clockTime } from '../../format/clock-time.ts'
import { count } from '../../format/numbers.ts'
import { bytes } from '../../format/sizes.ts'
import { readEnvironment } from '../../host/environment.ts'
import { type Database, openDatabase } from '../../ledger/connection/database.ts'
import { dumpLedger } from '../../ledger/copies/dump-ledger.ts'
import { restoreLedger } from '../../ledger/copies/restore-ledger.ts'
import { expectProject } from '../../ledger/identity/project-identity.ts'
import { type FoundServer, listServers } from '../../ledger/server/list-servers.ts'
import { removeServerFolder } from '../../ledger/server/remove-server.ts'
import { openProject } from '../../project/files/load-project.ts'
import { didYouMean } from '../../project/files/nearest.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Project } from '../../project/project.ts'
import type { GlobalOptions } from '../command.ts'
import { askYes } from '../terminal/ask-yes.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'

interface Options extends GlobalOptions {
  yes?: boolean
}

const WHAT = ['ls', 'dump', 'restore', 'rm'] as const

/** `ledger ls | dump FILE | restore FILE | rm NAME`. */
export default async function ledger([what = '', name]: string[], options: Options): Promise<number> {
  switch (WHAT.find((each) => each === what)) {
    case 'ls':
      return list(options)
    case 'dump':
      return withLedger(options, expected('FILE', name), dump)
    case 'restore':
      return withLedger(options, expected('FILE', name), restore)
    case 'rm':
      return remove(expected('NAME, as nightshift ledger ls lists them', name), options)
    default:
      throw new ConfigurationError(
        `ledger: expected ${WHAT.join(', ')}, got: ${what}${didYouMean(what, [...WHAT])}`,
      )
  }

  function expected(argument: string, given: string | undefined): string {
    if (given !== undefined) return given
    throw new ConfigurationError(`ledger ${what}: expected ${argument}`)
  }
}

const STATES: Record<FoundServer['state'], string> = {
  running: 'running',
  stopped: 'stopped',
  gone: 'its project is not there',
}

function list(options: Options): number {
  const found = listServers()
  if (options.json) printJson(found)
  else if (found.length === 0)
    printLine('no embedded ledger lies outside of its project (those that root makes do)')
  else
    printTable(
      ['name', 'state', 'size', 'last written', 'project'],
      found.map(({ name, state, bytes: size, used_at, project }) => [
        name,
        STATES[state],
        bytes(size),
        clockTime(used_at, 'UTC'),
        project ?? 'not known',
      ]),
    )
  return 0
}

async function withLedger(
  options: Options,
  file: string,
  work: (database: Database, project: Project, file: string, options: Options) => Promise<number>,
): Promise<number> {
  const project = openProject(resolve(options.project))
  const { root, schema } = project
  const database = await openDatabase({ root, url: readEnvironment().databaseUrl, schema, role: 'command' })
  try {
    return await work(database, project, resolve(file), options)
  } finally {
    await database.close()
  }
}

async function dump(database: Database, project: Project, file: string, options: Options): Promise<number> {
  await expectProject(database, project)
  if (existsSync(file))
    throw new ConfigurationError(`ledger dump: expected a new file, got: ${file}, which is there`)
  const { rows, bytes: size } = await dumpLedger(database, file)
  if (options.json) printJson({ path: file, rows, bytes: size })
  else
    printLine(
      `${file}: ${count(rows)} rows, ${bytes(size)}. Files of the warehouse and the project are not in it`,
    )
  return 0
}

async function restore(
  database: Database,
  project: Project,
  file: string,
  options: Options,
): Promise<number> {
  if (!existsSync(file))
    throw new ConfigurationError(`ledger restore: expected a file, got: ${file}, which is not there`)
  const { head, rows } = await restoreLedger(database, file)
  const other = await expectProject(database, project).then(
    () => undefined,
    () =>
      'It was made by a project of another identity: nightshift adopt says that this folder is that project',
  )
  if (options.json)
    printJson({
      path: file,
      rows,
      project: head.project,
      made_at: head.made_at,
      adopted: other === undefined,
    })
  else {
    printLine(
      `${count(rows)} rows of the ledger of ${head.project}, as of ${clockTime(head.made_at, project.timezone)}`,
    )
    if (other !== undefined) printLine(other)
  }
  return 0
}

async function remove(name: string, options: Options): Promise<number> {
  const all = listServers()
  const found = all.find((each) => each.name === name)
  if (found === undefined) {
    const names = all.map((each) => each.name)
    throw new ConfigurationError(
      `ledger rm: expected one of nightshift ledger ls (${names.join(', ') || 'there is none'}), got: ${name}${didYouMean(name, names)}`,
    )
  }
  const { state, project, folder } = found
  if (state === 'running') {
    throw new ConfigurationError(
      `ledger rm: ${folder} is in use, by the project in ${project ?? 'a folder that it does not name'}: stop its commands; the server stops some ten seconds later`,
    )
  }
  const whose =
    state === 'gone'
      ? `its project (${project ?? 'not known'}) is not there any more, unless it was moved`
      : `the project in ${project} uses it`
  const question = `remove ${folder} with all runs, versions and incidents (${bytes(found.bytes)})? ${whose}.`
  const without = `ledger rm: ${question} Expected --yes, because there is no terminal to ask on`
  if (options.yes !== true && !(await askYes(question, without))) return 2
  await removeServerFolder(found.folder)
  if (options.json) printJson({ removed: folder })
  else printLine(`removed ${folder}`)
  return 0
}
