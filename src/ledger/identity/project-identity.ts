import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Project } from '../../project/project.ts'
import { isStored } from '../../storage/warehouse-files.ts'
import type { Database } from '../connection/database.ts'
import { claimWarehouse, keepOwn, readOwn, readShared } from './identity-files.ts'

/** Whose ledger it is. */
export interface LedgerProject {
  id: string
  name: string
  /** Host and folder where it was made. */
  made_at: string
  /** Begins the keys of this ledger's queues in Redis: two ledgers never share queues. */
  queues: string
  /** ISO 8601. */
  since: string
}

type Place = Pick<Project, 'root' | 'warehouse' | 'name'>

/**
 * Makes sure that the ledger is this project's: the first command of a new ledger makes it so, whichever of two at once
 * comes first. Other folders of the project know its identity from `.nightshift`, or from the warehouse that they share.
 *
 * @param onUnasked takes the error of a bucket that a folder without an identity cannot ask for one: the ledger is then
 * believed by the project's name, and nothing is kept. Without it the error is thrown
 * @throws ConfigurationError where the ledger is another project's, with what to do
 */
export async function settleIdentity(
  database: Database,
  project: Place,
  { onUnasked }: { onUnasked?: (error: unknown) => void } = {},
): Promise<LedgerProject> {
  // Before the files: whoever makes the ledger theirs has written the warehouse's before it.
  const found = await readLedger(database)
  const own = readOwn(project.root)
  let known: string | undefined
  try {
    known = await identityOf(project)
  } catch (error) {
    if (onUnasked === undefined || found?.name !== project.name) throw error
    onUnasked(error)
    return found
  }
  const { ledger, id } =
    found === undefined ? await claim(database, project, known) : { ledger: found, id: known }
  if (id !== ledger.id) throw otherProject(database, project, ledger)
  keepOwn(project.root, ledger.id)
  // A bucket is asked once from each folder, a folder each time: it may have been cleared.
  if (own === undefined || !isStored(project.warehouse))
    await claimWarehouse(project.warehouse, ledger.id, { make: false })
  if (ledger.name !== project.name) {
    await database.pool.query('update nightshift.project set name = $1', [project.name])
  }
  return ledger
}

/** What the folder knows of itself; undefined where it knows nothing. */
async function identityOf({ root, warehouse }: Place): Promise<string | undefined> {
  return readOwn(root) ?? (await readShared(warehouse))
}

/**
 * As `settleIdentity` for who only looks: a checkout that has no identity yet, or cannot ask the bucket for it, is believed by
 * the project's name.
 */
export async function expectProject(database: Database, project: Place): Promise<void> {
  const ledger = await readLedger(database)
  if (ledger === undefined) return
  const known = await identityOf(project).catch(() => undefined)
  if (known === undefined ? ledger.name !== project.name : known !== ledger.id)
    throw otherProject(database, project, ledger)
}

/** Takes this folder for the ledger's project, on a person's word. */
export async function adopt(database: Database, project: Place): Promise<LedgerProject> {
  const ledger =
    (await readLedger(database)) ?? (await claim(database, project, await identityOf(project))).ledger
  keepOwn(project.root, ledger.id)
  return ledger
}

export async function readLedger({ pool }: Pick<Database, 'pool'>): Promise<LedgerProject | undefined> {
  const { rows } = await pool.query<LedgerProject>(
    'select id, name, made_at, queues, since from nightshift.project',
  )
  return rows[0]
}

/** Views and models that the ledger has nights of, 20 at most. */
export async function namesInLedger({ pool }: Pick<Database, 'pool'>): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    'select distinct name from nightshift.slots order by name limit 20',
  )
  return rows.map(({ name }) => name)
}

/** Makes the ledger this project's, unless somebody was quicker. Returns whose it is, and the id of this project. */
async function claim(
  database: Database,
  project: Place,
  known: string | undefined,
): Promise<{ ledger: LedgerProject; id: string }> {
  const id = known ?? (await claimWarehouse(project.warehouse, newId(), { make: true }))
  await database.pool.query(
    `insert into nightshift.project (id, name, made_at, queues) values ($1, $2, $3, $4) on conflict do nothing`,
    [id, project.name, `${hostname()}:${project.root}`, `nightshift-${newId()}`],
  )
  const ledger = await readLedger(database)
  if (ledger === undefined) throw new Error('the ledger does not say whose it is, although it was just told')
  return { ledger, id }
}

function newId(): string {
  return randomBytes(8).toString('hex')
}

function otherProject(database: Database, project: Place, ledger: LedgerProject): ConfigurationError {
  const { embedded, schema } = database
  const where = embedded ? 'the embedded database' : 'DATABASE_URL'
  const own = suggested(project.name, schema)
  return new ConfigurationError(
    `${where}: expected a ledger of this project (${project.name} in ${project.root}), got: schema ${schema} of the project ${ledger.name}, made ${ledger.since.slice(0, 10)} at ${ledger.made_at}. ` +
      `Two projects in one ledger would run each other's nights. If this is another project, give it a ledger of its own: \`schema: ${own}\` in nightshift.yaml, or a database of its own in DATABASE_URL. ` +
      'If this is the same project (restored, or a checkout with a warehouse of its own): nightshift adopt',
  )
}

/** A schema named after the project, or another where that is the one. */
function suggested(name: string, taken: string): string {
  const own = `nightshift_${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}`.slice(0, 40)
  return own === taken ? `${own}_2` : own
}
