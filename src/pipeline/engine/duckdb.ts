import { statSync } from 'node:fs'
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue, type JS } from '@duckdb/node-api'
import { countTemporary, engineLimits } from './engine-bounds.ts'
import { literal } from './quote.ts'

export interface EngineOptions {
  /** Folders and files that may be read, absolute and without symbolic links. */
  readable: string[]
  /** Folders that may be read and written. */
  writable: string[]
  /** Folder for what does not fit into memory. */
  temp: string
  threads: number
  /** As DuckDB writes it, such as `4GB`. Default: what the process's bounds leave (engine-bounds.ts). */
  memoryLimit?: string | undefined
  /** Bytes of the process's memory that other things take, such as the sessions of a model. Default: 0. */
  reserved?: number | undefined
  /** IANA zone in which DuckDB reads and prints TIMESTAMPTZ, where SQL casts to one. */
  timezone: string
  /** Rows are read in the order of their files, as scoring needs it. Takes more memory. Default: false. */
  ordered?: boolean | undefined
  /** Paths that errors say in place of the names that the engine knows. */
  names?: ReadonlyMap<string, string> | undefined
}

export type Values = Record<string, DuckDBValue>

/** A locked-down DuckDB in memory. Not to be used again after an error whose type is INTERNAL. */
export interface Engine {
  readonly connection: DuckDBConnection
  run(sql: string, values?: Values): Promise<void>
  /** All rows as objects: BIGINT as bigint, timestamps as Date (milliseconds), decimals as numbers. */
  rows(sql: string, values?: Values): Promise<Record<string, JS>[]>
  /** The only row. Throws where there is none. */
  row(sql: string, values?: Values): Promise<Record<string, JS>>
  /** Percentage of the statement that runs, undefined while there is none. */
  percentage(): number | undefined
  /** Another connection to the same instance, closed with it: a statement silently ends the connection's open stream. */
  connect(): Promise<DuckDBConnection>
  /** Closes at once, or as soon as the statements that still run have ended. */
  close(): void
}

/**
 * Opens an instance of its own (20 ms): an INTERNAL error makes an instance unusable for good, so that none is
 * shared between runs. It can read and write nothing but what the options name, no setting can be changed
 * afterwards, and no extension is loaded. Errors arrive as JSON (see engine-error.ts).
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { engine, seal } = await openUnsealed(options)
  try {
    await seal(options)
  } catch (error) {
    engine.close()
    throw error
  }
  return engine
}

export interface Unsealed {
  /** May parse what others have written, and run none of it. */
  engine: Engine
  /** Locks it, as `openEngine` says. */
  seal(files: Pick<EngineOptions, 'readable' | 'names'>): Promise<void>
}

/** As `openEngine`, for those who parse SQL to know which files it has to be allowed to read. */
export async function openUnsealed(options: Omit<EngineOptions, 'readable' | 'names'>): Promise<Unsealed> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(options.threads),
    // Has to be set before external access is switched off.
    temp_directory: options.temp,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    // Features are written with an ORDER BY: what order their sources have does not matter, which saves memory.
    preserve_insertion_order: String(options.ordered ?? false),
    errors_as_json: 'true',
  })
  try {
    const connection = await instance.connect()
    const names = new Map<string, string>()
    return {
      engine: engine(instance, connection, names, countTemporary(options.temp)),
      async seal(files) {
        for (const [name, path] of files.names ?? []) names.set(name, path)
        for (const statement of locks(options, files.readable)) await connection.run(statement)
      },
    }
  } catch (error) {
    instance.closeSync()
    throw error
  }
}

function locks(options: Omit<EngineOptions, 'readable'>, readable: string[]): string[] {
  const paths = readable.map((path) => ({ path, folder: isFolder(path) }))
  const folders = [...paths.filter(({ folder }) => folder).map(({ path }) => path), ...options.writable]
  const files = paths.filter(({ folder }) => !folder).map(({ path }) => path)
  return [
    ...engineLimits(options.temp, { memory: options.memoryLimit, reserved: options.reserved }),
    `SET TimeZone = ${literal(options.timezone)}`,
    'SET enable_progress_bar = true',
    'SET enable_progress_bar_print = false',
    `SET allowed_directories = ${list(folders)}`,
    `SET allowed_paths = ${list(files)}`,
    'SET enable_external_access = false',
    'SET lock_configuration = true',
  ]
}

function engine(
  instance: DuckDBInstance,
  connection: DuckDBConnection,
  names: ReadonlyMap<string, string>,
  release: () => void,
): Engine {
  // One statement at a time, in the order of the calls: a second one ends the first.
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  function inTurn<T>(statement: () => Promise<T>): Promise<T> {
    waiting++
    const turn = last
      .then(statement)
      .catch((error: unknown) => {
        throw withPaths(error, names)
      })
      .finally(() => waiting--)
    last = turn.catch(() => {})
    return turn
  }
  function rows(sql: string, values?: Values): Promise<Record<string, JS>[]> {
    return inTurn(async () => (await connection.runAndReadAll(sql, values)).getRowObjectsJS())
  }
  const others: DuckDBConnection[] = []
  function closeNow(): void {
    release()
    for (const another of others) another.closeSync()
    connection.closeSync()
    instance.closeSync()
  }
  return {
    connection,
    rows,
    async run(sql, values) {
      await inTurn(() => connection.run(sql, values))
    },
    async row(sql, values) {
      const [first] = await rows(sql, values)
      if (first === undefined) throw new Error(`expected a row, got none from: ${sql}`)
      return first
    },
    percentage() {
      const { percentage } = connection.progress
      return percentage >= 0 ? percentage : undefined
    },
    async connect() {
      const another = await instance.connect()
      others.push(another)
      return another
    },
    close() {
      // To close a connection under a running statement ends the process.
      if (waiting > 0) void last.then(closeNow)
      else closeNow()
    },
  }
}

/** An error that says paths which people know. */
function withPaths(error: unknown, names: ReadonlyMap<string, string>): unknown {
  if (!(error instanceof Error)) return error
  let { message } = error
  for (const [name, path] of names) message = message.replaceAll(name, () => path)
  return message === error.message ? error : new Error(message, { cause: error })
}

function list(paths: string[]): string {
  return `[${paths.map(literal).join(', ')}]`
}

function isFolder(path: string): boolean {
  return statSync(path).isDirectory()
}
