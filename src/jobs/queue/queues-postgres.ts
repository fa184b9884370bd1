import {
  assertSchemaCompatibility,
  FlowProducer,
  LATEST_SCHEMA_VERSION,
  Queue,
  runMigrations,
  SchemaMigrationRequiredError,
  setDefaultBackendFactory,
} from 'bullmq'
import pg from 'pg'
import { LedgerClient } from '../../ledger/connection/ledger-client.ts'
import { followOutage } from './outage.ts'
import { PacedWorker } from './paced-worker.ts'
import type { Engine, Log } from './queue-engine.ts'
import { sharing } from './shared-connections.ts'
import { within } from './within.ts'

/** Statements of queues are short: a handful at once is more than a process has. */
const CONNECTIONS = 4
const CLOSE_WITHIN_MS = 2_000

/**
 * BullMQ on the ledger's PostgreSQL. A worker holds one listening connection, so an idle worker picks up a job in
 * about 5 ms. All queues and workers of a process share the connections for their statements: a new one compiles
 * BullMQ's functions first, which takes 30 ms and more of the server's processor time.
 */
export async function openPostgresEngine(url: string, schema: string, log: Log): Promise<Engine> {
  await migrate(url, schema)
  const outage = followOutage('the queue in PostgreSQL', log)
  const connection = {
    // A job's failure reason may contain any text.
    Client: LedgerClient,
    connectionString: url,
    schema,
    application_name: 'nightshift queue',
    max: CONNECTIONS,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 10_000,
    keepAlive: true,
  }
  const pool = new pg.Pool({ ...connection, options: `-c search_path="${schema}"` })
  pool.on('error', (error) => outage.failed(error))
  const shared = sharing(pool)
  const onPostgres = <T>(construct: () => T): T => constructed(shared, construct)
  return {
    backend: 'postgres',
    openQueue: (name) => onPostgres(() => new Queue(name, { connection })),
    openFlows: () => onPostgres(() => new FlowProducer({ connection })),
    openWorker: (name, process, settings) =>
      onPostgres(() => new PacedWorker(name, process, { connection, autorun: false, ...settings })),
    usable: async () => {},
    complain: (error) => outage.failed(error),
    // Known only after a query: no event reports the end of such an outage.
    trouble: () => undefined,
    // A statement without an answer would hold it up.
    close: () => within(CLOSE_WITHIN_MS, pool.end()).catch(() => {}),
  }
}

/**
 * Constructors read the process-wide default once, so it is set only for that moment. Passing the backend instead
 * would give the queue a type that the board does not accept.
 */
function constructed<T>(factory: ReturnType<typeof sharing>, construct: () => T): T {
  setDefaultBackendFactory(factory)
  try {
    return construct()
  } finally {
    setDefaultBackendFactory()
  }
}

/** Once here, and not in each queue: it takes a lock that all queues of all processes would wait for. */
async function migrate(url: string, schema: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    if ((await schemaVersion(client, schema)) < LATEST_SCHEMA_VERSION) await runMigrations(client, schema)
  } finally {
    await client.end()
  }
}

async function schemaVersion(client: pg.Client, schema: string): Promise<number> {
  try {
    return await assertSchemaCompatibility(client, schema)
  } catch (error) {
    if (error instanceof SchemaMigrationRequiredError) return 0
    throw error
  }
}
