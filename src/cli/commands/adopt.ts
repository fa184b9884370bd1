import { resolve } from 'node:path'
import { readEnvironment } from '../../host/environment.ts'
import { type Database, openDatabase } from '../../ledger/connection/database.ts'
import { adopt, namesInLedger, readLedger } from '../../ledger/identity/project-identity.ts'
import { openProject } from '../../project/files/load-project.ts'
import { shownWarehouse } from '../../project/object-path.ts'
import type { Project } from '../../project/project.ts'
import type { GlobalOptions } from '../command.ts'
import { askYes } from '../terminal/ask-yes.ts'
import { printJson, printLine } from '../terminal/print.ts'

interface Options extends GlobalOptions {
  yes?: boolean
}

/**
 * `adopt`: takes this folder for the project whose ledger it is, on a person's word. For a project that was restored, or
 * checked out where it has a warehouse of its own.
 */
export default async function adoptCommand(_args: string[], options: Options): Promise<number> {
  const project = openProject(resolve(options.project))
  const { root, schema } = project
  const database = await openDatabase({ root, url: readEnvironment().databaseUrl, schema, role: 'command' })
  try {
    const question = await whatIsAdopted(database, project)
    if (question !== undefined && !(await agreed(question, options))) return 2
    const ledger = await adopt(database, project)
    if (options.json) printJson({ project: ledger.name, id: ledger.id, made_at: ledger.made_at, schema })
    else printLine(`${root} is the project ${ledger.name}, whose ledger this is`)
    return 0
  } finally {
    await database.close()
  }
}

/** What the ledger has and what this folder has, so that a person sees whether they belong together; undefined: it is new. */
async function whatIsAdopted(database: Database, project: Project): Promise<string | undefined> {
  const ledger = await readLedger(database)
  if (ledger === undefined) return undefined
  const known = (await namesInLedger(database)).join(', ') || 'nothing yet'
  const here = [...Object.keys(project.models), ...Object.keys(project.views)].sort().join(', ') || 'nothing'
  return (
    `The ledger is of the project ${ledger.name}, made ${ledger.since.slice(0, 10)} at ${ledger.made_at}, and has nights of: ${known}. ` +
    `This folder is ${project.name} in ${project.root}, and has: ${here}. Its warehouse is ${shownWarehouse(project.warehouse)}.`
  )
}

async function agreed(question: string, options: Options): Promise<boolean> {
  if (options.yes) return true
  const without = `${question} adopt: expected --yes, since there is no terminal to ask on`
  return askYes(`${question}\nAre they the same?`, without)
}
