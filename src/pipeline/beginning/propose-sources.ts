import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngine } from '../engine/duckdb.ts'
import { Failure } from '../engine/failure.ts'
import { findSource } from '../sources/sources.ts'
import { baseOf } from './base-table.ts'
import { type DataTable, dataTables } from './data-paths.ts'
import type { Guess } from './guess.ts'
import { type Entity, guessEntity, type Looked } from './guess-entity.ts'
import { guessMatches } from './guess-matches.ts'
import { type GuessedSource, guessSource, hasSelect } from './guess-source.ts'
import { lookAtTable, plainSource } from './table-look.ts'

export interface ProposalRequest {
  /** Absolute path of the project to be. */
  root: string
  timezone: string
  /** Files, folders and globs of data. */
  paths: string[]
  /** Columns that the user names; undefined: they are guessed. */
  entity: string[] | undefined
}

/** Plain data: readings of times are SQL of a SELECT. */
export interface ProposedTable
  extends Omit<GuessedSource, 'read'>,
    DataTable,
    Pick<Looked, 'rows' | 'looked' | 'columns'> {
  /** SQL of columns whose text or number is read as a time, by column. */
  reads: Record<string, string>
  files: number
}

export interface Proposal {
  tables: ProposedTable[]
  entity: Omit<Entity, 'guess'>
  guesses: Guess[]
}

/**
 * Looks at data and proposes sources: which tables there are, what a row is of, and how rows lie in time. Reads all rows, and
 * writes nothing but converted copies of text files. Throws contract Failures that name a path or file that cannot be read.
 */
export async function proposeSources(request: ProposalRequest): Promise<Proposal> {
  const { root, timezone, paths } = request
  const given = dataTables(paths)
  const found = []
  for (const table of given) {
    const source = plainSource(table.path, table.format)
    const each = await findSource(root, table.name, source, timezone)
    const [bad] = each.unreadable
    if (bad !== undefined)
      throw new Failure(
        'contract',
        `init: ${bad.why.startsWith(bad.shown) ? bad.why : `${bad.shown} ${bad.why}`}; nothing was written`,
      )
    found.push({ ...table, found: each })
  }
  const temp = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-begin-')))
  const readable = found.flatMap((each) => each.found.files.map(({ opened }) => opened))
  const engine = await openEngine({
    readable: [...new Set(readable)],
    writable: [temp],
    temp,
    threads: 2,
    timezone: 'UTC',
    ordered: true,
  })
  try {
    const looked: Looked[] = []
    for (const { name, format, found: each } of found) {
      const look = await lookAtTable(engine, each)
      const [only, ...others] = look.columns
      if (format === 'csv' && only !== undefined && others.length === 0 && /[,;\t|]/.test(only.name))
        throw new Failure(
          'contract',
          `init: ${name} was read as one column, ${only.name}: its lines have unlike numbers of fields. Correct them, or say how it is read with \`delimiter\` and \`types\` in a view.yaml of your own; nothing was written`,
        )
      if (format === 'csv' && look.columns.every(({ name: column, isKey }) => isKey || NUMBER.test(column)))
        throw new Failure(
          'contract',
          `init: ${name} begins with a line of numbers, ${look.columns.map((column) => column.name).join(', ')}: the first line has the names of the columns. Write one before it; nothing was written`,
        )
      if (look.rows === 0) throw new Failure('contract', `init: ${name} has no rows; nothing was written`)
      looked.push({ name, ...look })
    }
    const entity = await guessEntity(engine, looked, request.entity)
    const tables: ProposedTable[] = []
    for (const [index, table] of looked.entries()) {
      const own = found[index]
      if (own === undefined) continue
      const { read, ...guessed } = await guessSource(
        engine,
        own.found,
        table,
        entity.in[table.name],
        timezone,
      )
      const reads = Object.fromEntries(read.map(([column, reading]) => [column, reading.sql(column)]))
      const { rows, looked: some, columns } = table
      if (own.format !== 'parquet' || hasSelect({ read, ...guessed }))
        guessed.guesses.push(copied(table.name, own.format))
      const { name, path, format } = own
      tables.push({
        ...guessed,
        reads,
        name,
        path,
        format,
        rows,
        looked: some,
        columns,
        files: own.found.files.length,
      })
    }
    const { guess, ...rest } = entity
    const base = baseOf(tables, rest)
    const matches = await guessMatches(
      engine,
      looked.find(({ name }) => name === base?.name),
      looked,
      rest,
    )
    return {
      tables,
      entity: rest,
      guesses: [guess, ...tables.flatMap(({ guesses }) => guesses), ...matches],
    }
  } finally {
    engine.close()
    await rm(temp, { recursive: true, force: true })
  }
}

/** A value of a file without names; the engine tells equal ones apart by `_1`. */
const NUMBER = /^-?\d+(?:[.,]\d+)?(?:_\d+)?$/

/** What is read otherwise than it is has a copy. */
function copied(name: string, format: DataTable['format']): Guess {
  return {
    what: `${name} is ${format === 'parquet' ? 'read through a SELECT' : format.toUpperCase()}`,
    why: 'its files stay where they are; a Parquet copy of each is kept in .nightshift/converted',
    sure: 'sure',
    other: '',
  }
}

/** The columns of one Parquet file, as proposals of expectations need them. */
export async function lookAtFile({
  root,
  path,
}: {
  root: string
  path: string
}): Promise<Omit<Looked, 'from' | 'name'>> {
  const found = await findSource(root, 'features', plainSource(path, 'parquet'), 'UTC')
  const temp = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-begin-')))
  const engine = await openEngine({ readable: [path], writable: [], temp, threads: 1, timezone: 'UTC' })
  try {
    const { from: _, ...look } = await lookAtTable(engine, found)
    return look
  } finally {
    engine.close()
    await rm(temp, { recursive: true, force: true })
  }
}
