import { join } from 'node:path'
import type { ClientBase, Pool } from 'pg'
import type { Column, InputFile, SourceTypes } from '../pipeline/engine/facts.ts'
import { Failure } from '../pipeline/engine/failure.ts'
import { checkPromise, type Promised } from '../pipeline/features/promised-columns.ts'
import type { Identity } from '../pipeline/features/view-hash.ts'
import { readColumns } from '../pipeline/partition/read-back.ts'
import type { KeyType, KeyTypes, Project } from '../project/project.ts'

/** What was promised, and the run that was published with it. */
export type PastPromise = Promised & { run: string }

/** A project whose views know which types their folders' keys have in each definition that was ever used. */
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

/** Settles the types of a definition's keys, when it is first used. */
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
 * The columns that a definition has promised by its first publication. Of one that an earlier build has published they
 * are those of the newest partition, by its footer. Undefined where none is published.
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
  // A file that cannot be read any more promises nothing: the next one will.
  const columns = await readColumns(join(warehouse, path)).catch(() => undefined)
  return columns && { columns, sources: undefined, run, partition, inputs: inputs ?? [] }
}

/**
 * In the transaction that publishes a run: its columns are its definition's promise where there is none yet. Throws a
 * contract Failure where another night has promised others since the run was judged, and a transient one where that
 * night has read the folders' keys as other types.
 */
export async function keepPromise(
  client: ClientBase,
  { run, viewHash, columns, sources, before }: Publication,
): Promise<void> {
  // What an earlier build has published had the sources of now, as far as anybody knows.
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
  const { rows } = await client.query<{ keys: KeyTypes; columns: Column[]; partition: string }>(
    'select keys, columns, partition from nightshift.view_promises where view = $1 and view_hash = $2 for update',
    [run.name, viewHash],
  )
  const [row] = rows
  if (row === undefined)
    throw new Failure('bug', `view ${run.name} has no promise, just after it was written`)
  const decided = Object.entries(row.keys).flatMap(([source, types]) =>
    Object.entries(types).map(([key, type]) => ({ source, key, type })),
  )
  const other = decided.find(({ source, key, type }) => {
    const used = sources?.[source]?.find(({ name, isKey }) => isKey && name === key)
    return used !== undefined && used.type !== type
  })
  if (other !== undefined)
    throw new Failure(
      'transient',
      `view ${run.name}: the key ${other.key} of source ${other.source} has become ${other.type} by another run of the same definition while this one read it as another type: it has to read it again`,
    )
  const check = checkPromise(
    { ...row, sources: undefined, inputs: [] },
    { columns, sources: sources ?? {}, inputs: [] },
  )
  if (check !== undefined) throw new Failure('contract', check.message, { evidence: { checks: [check] } })
}

export interface Publication {
  run: { id: string; name: string; partition: string }
  viewHash: string
  columns: Column[]
  /** What was read; undefined where nobody has recorded it. */
  sources: SourceTypes | undefined
  /** What an earlier build has published of the definition. */
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
