import { join } from 'node:path'
import type { ClientBase, Pool } from 'pg'
import type { Column, Identity, InputFile, SourceTypes } from '../pipeline/engine/facts.ts'
import { Failure } from '../pipeline/engine/failure.ts'
import { checkPromise, type Promised } from '../pipeline/features/promised-columns.ts'
import { readColumns } from '../pipeline/partition/footer.ts'
import type { KeyType, KeyTypes, Project } from '../project/project.ts'
import { fetchFile } from '../storage/warehouse-copy.ts'

/** The promised columns, and the run that published them. */
export type PastPromise = Promised & { run: string }

/** Returns the project with the types of its views' folder keys, for every definition that was used. */
export async function knowingKeys(connection: ClientBase | Pool, project: Project): Promise<Project> {
  const { rows } = await connection.query<{ view: string; view_hash: string; keys: KeyTypes }>(
    `select view, view_hash, keys from nightshift.view_promises where keys <> '{}'`,
  )
  const views: Project['views'] = Object.create(null)
  for (const [name, view] of Object.entries(project.views)) {
    const own = rows.filter((row) => row.view === name).map(({ view_hash, keys }) => [view_hash, keys])
    views[name] = own.length === 0 ? view : { ...view, decided: Object.fromEntries(own) }
  }
  return { ...project, views }
}

/** Fixes the types of a definition's keys at its first use. */
export async function recordUse(
  connection: ClientBase | Pool,
  use: { view: string; viewHash: string; sources: SourceTypes },
): Promise<void> {
  await connection.query(
    'insert into nightshift.view_promises (view, view_hash, keys) values ($1, $2, $3) on conflict do nothing',
    [use.view, use.viewHash, JSON.stringify(keysOf(use.sources))],
  )
}

/**
 * The columns promised by a definition's first publication. If an earlier build published it, they are read from the
 * footer of the newest partition. Undefined if nothing is published.
 */
export async function promiseOf(
  connection: ClientBase | Pool,
  warehouse: string,
  { view, viewHash, formerHash }: { view: string } & Identity,
): Promise<PastPromise | undefined> {
  const { rows } = await connection.query<{
    columns: Column[]
    sources: SourceTypes | null
    run: string
    partition: string
    inputs: InputFile[] | null
  }>(
    `select p.columns, p.sources, p.run, p.partition, r.inputs
       from nightshift.view_promises p left join nightshift.runs r on r.id = p.run
      where p.view = $1 and p.view_hash = $2 and p.columns is not null`,
    [view, viewHash],
  )
  const [row] = rows
  if (row !== undefined) return { ...row, sources: row.sources ?? undefined, inputs: row.inputs ?? [] }
  const published = await connection.query<{
    run: string
    partition: string
    path: string
    inputs: InputFile[] | null
  }>(
    `select r.id as run, r.partition, r.path, r.inputs
       from nightshift.slots s join nightshift.runs r on r.id = s.published_run
      where s.kind = 'features' and s.name = $1 and r.view_hash = any($2) and r.path is not null
      order by s.as_of desc limit 1`,
    [view, formerHash === null ? [viewHash] : [viewHash, formerHash]],
  )
  const [newest] = published.rows
  if (newest === undefined) return undefined
  const { run, partition, path, inputs } = newest
  // An unreadable file promises nothing; the next publication will.
  const columns = await fetchFile(join(warehouse, path))
    .then(readColumns)
    .catch(() => undefined)
  return columns && { columns, sources: undefined, run, partition, inputs: inputs ?? [] }
}

/**
 * Called in the transaction that publishes a run: its columns become the definition's promise if there is none yet.
 * A promise that is there is read without a lock: it never changes, and a worker that is suspended in its transaction must
 * not hold up the other nights of its view. Throws a contract Failure if another night has promised other columns since the
 * run was judged, and a transient one if that night has read the folder keys as other types.
 */
export async function keepPromise(client: ClientBase, publication: Publication): Promise<void> {
  const { run, columns, sources } = publication
  let kept = await keptPromise(client, publication)
  if (kept === undefined) {
    await makePromise(client, publication)
    // Another run may have been faster.
    kept = await keptPromise(client, publication)
  }
  if (kept === undefined)
    throw new Failure('bug', `view ${run.name} has no promise immediately after it was written`)
  const decided = Object.entries(kept.keys).flatMap(([source, types]) =>
    Object.entries(types).map(([key, type]) => ({ source, key, type })),
  )
  const other = decided.find(({ source, key, type }) => {
    const used = sources?.[source]?.find(({ name, isKey }) => isKey && name === key)
    return used !== undefined && used.type !== type
  })
  if (other !== undefined)
    throw new Failure(
      'transient',
      `view ${run.name}: the key ${other.key} of source ${other.source} was read as ${other.type} by another run of the same definition, while this run read it as a different type: it must be read again`,
    )
  const check = checkPromise(
    { ...kept, sources: undefined, inputs: [] },
    { columns, sources: sources ?? {}, inputs: [] },
  )
  if (check !== undefined) throw new Failure('contract', check.message, { evidence: { checks: [check] } })
}

interface KeptPromise {
  keys: KeyTypes
  columns: Column[]
  partition: string
}

async function keptPromise(
  client: ClientBase,
  { run, viewHash }: Pick<Publication, 'run' | 'viewHash'>,
): Promise<KeptPromise | undefined> {
  const { rows } = await client.query<KeptPromise>(
    'select keys, columns, partition from nightshift.view_promises where view = $1 and view_hash = $2 and columns is not null',
    [run.name, viewHash],
  )
  return rows[0]
}

/** Waits for a run that is making the promise in a transaction of its own. */
async function makePromise(
  client: ClientBase,
  { run, viewHash, columns, sources, before }: Publication,
): Promise<void> {
  // What an earlier build published is assumed to have the current sources.
  const first = {
    columns: before?.columns ?? columns,
    sources: before?.sources ?? sources,
    run: before?.run ?? run.id,
    partition: before?.partition ?? run.partition,
  }
  await client.query(
    `insert into nightshift.view_promises (view, view_hash, keys, columns, sources, run, partition)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (view, view_hash) do update
       set columns = excluded.columns, sources = excluded.sources, run = excluded.run, partition = excluded.partition
     where view_promises.columns is null`,
    [
      run.name,
      viewHash,
      JSON.stringify(keysOf(sources ?? {})),
      JSON.stringify(first.columns),
      first.sources === undefined ? null : JSON.stringify(first.sources),
      first.run,
      first.partition,
    ],
  )
}

export interface Publication {
  run: { id: string; name: string; partition: string }
  viewHash: string
  columns: Column[]
  /** What was read; undefined if it was not recorded. */
  sources: SourceTypes | undefined
  /** What an earlier build published of the definition. */
  before?: PastPromise | undefined
}

/** Types of keys, as the sources were read. */
function keysOf(sources: SourceTypes): KeyTypes {
  const types: KeyTypes = {}
  for (const [source, columns] of Object.entries(sources)) {
    const keys = columns.flatMap(({ name, type, isKey }) =>
      isKey && isKeyType(type) ? [[name, type] as const] : [],
    )
    if (keys.length > 0) types[source] = Object.fromEntries(keys)
  }
  return types
}

function isKeyType(type: string): type is KeyType {
  return ['VARCHAR', 'INTEGER', 'BIGINT', 'DATE', 'BOOLEAN'].includes(type)
}
