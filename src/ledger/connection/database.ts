import pg from 'pg'
import { migrate } from '../migrations/migrate.ts'
import { openEmbedded } from '../server/embedded.ts'
import { checkExternal, describeServer } from './external.ts'
import { clientIn } from './ledger-client.ts'
import { DEFAULT_SCHEMA } from './schema.ts'
import { expectClock, searchPath } from './simulated-clock.ts'
import { VALUE_TYPES } from './value-types.ts'

export { transaction } from './transaction.ts'

/** The open ledger: a pool of connections to a database in which its schema is current. */
export interface Database {
  pool: pg.Pool
  /** Connection string with the password, for BullMQ's backend and for child processes. Do not log it. */
  url: string
  /** Whether the server is ours (under `.nightshift/`) or that of DATABASE_URL. */
  embedded: boolean
  /** In which its tables are. Statements name `nightshift` whatever it is: see schema.ts. */
  schema: string
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** The project's folder. */
  root: string
  /** DATABASE_URL; undefined: the embedded server, which is started if it is not running. */
  url?: string | undefined
  /** As nightshift.yaml says; default: `nightshift`. */
  schema?: string | undefined
  /** `now()` is the one of the schema: see simulated-clock.ts. */
  simulated?: boolean | undefined
  /** Who we are, as pg_stat_activity shows it. */
  role: 'worker' | 'scheduler' | 'web' | 'command'
  /** Milliseconds that the embedded server keeps running after its last user. */
  idleMs?: number
  /** Maximum number of connections in the pool. */
  connections?: number
}

/** Opens the project's database, starts the embedded server if needed, and applies migrations. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const name = `nightshift ${options.role}`
  const server =
    options.url === undefined
      ? await openEmbedded({ root: options.root, name, idleMs: options.idleMs ?? 10_000 })
      : undefined
  const url = server?.url ?? options.url ?? ''
  const external = server === undefined ? describeServer(url) : undefined
  const schema = options.schema ?? DEFAULT_SCHEMA
  const pool = new pg.Pool({
    Client: clientIn(schema),
    types: VALUE_TYPES,
    connectionString: options.simulated === true ? searching(url, schema) : url,
    application_name: name,
    max: options.connections ?? 10,
    connectionTimeoutMillis: 15_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    // Releases the row locks of a process that was suspended within a transaction.
    idle_in_transaction_session_timeout: 60_000,
    options: '-c TimeZone=UTC',
    allowExitOnIdle: true,
  })
  // A lost server fails the query that needs it, not the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => {
    client.on('error', () => {})
  })
  const close = once(async () => {
    // Idle connections do not keep a process alive, so it would exit during this wait.
    const alive = setInterval(() => {}, 1_000)
    try {
      await pool.end().catch(() => {})
      await server?.close()
    } finally {
      clearInterval(alive)
    }
  })
  try {
    if (external !== undefined) await checkExternal(pool, external)
    if (options.simulated === true) await expectClock(pool, schema)
    await migrate({ pool })
  } catch (error) {
    await close()
    throw error
  }
  return { pool, url, embedded: server !== undefined, schema, close }
}

/** Options of the connection string take the place of those given beside it, so the zone is repeated. */
function searching(url: string, schema: string): string {
  const changed = new URL(url)
  const given = changed.searchParams.get('options') ?? ''
  changed.searchParams.set('options', `${given} -c TimeZone=UTC ${searchPath(schema)}`.trim())
  return changed.href
}

function once(release: () => Promise<void>): () => Promise<void> {
  let released: Promise<void> | undefined
  return () => {
    released ??= release()
    return released
  }
}
