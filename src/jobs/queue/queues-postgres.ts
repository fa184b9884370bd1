import {
  assertSchemaCompatibility,
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
import { createBackend } from './postgres-clock.ts'
import type { Engine, Log } from './queues.ts'

/** Beside the schema `nightshift`: it may be dropped, and is made again. */
const SCHEMA = 'nightshift_queues'

/**
 * BullMQ on the ledger's PostgreSQL. A worker holds one connection that listens, so an idle one picks a job up in
 * some 5 ms; each queue and worker has up to two more while it is busy.
 */
export async function openPostgresEngine(url: string, log: Log): Promise<Engine> {
  await migrate(url)
  const outage = followOutage('the queue in PostgreSQL', log)
  const connection = {
    // A job's reason to fail may hold any text.
    Client: LedgerClient,
    connectionString: url,
    schema: SCHEMA,
    application_name: 'nightshift queue',
    max: 2,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 10_000,
    keepAlive: true,
  }
  return {
    backend: 'postgres',
    openQueue: (name) => onPostgres(() => new Queue(name, { connection })),
    openWorker: (name, process, settings) =>
      onPostgres(() => new PacedWorker(name, process, { connection, autorun: false, ...settings })),
    usable: async () => {},
    complain: (error) => outage.failed(error),
    // A question of its own says it: nobody tells us when such an outage is over.
    trouble: () => undefined,
    close: async () => {},
  }
}

/**
 * Constructors take the process-wide default at once and never look again, so it is set for that moment only.
 * Handing the backend over instead would type the queue as one that the board does not take.
 */
function onPostgres<T>(construct: () => T): T {
  setDefaultBackendFactory(createBackend)
  try {
    return construct()
  } finally {
    setDefaultBackendFactory()
  }
}

/** Once here, and not in each queue: it takes a lock that all queues of all processes would wait for. */
async function migrate(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    if ((await schemaVersion(client)) < LATEST_SCHEMA_VERSION) await runMigrations(client, SCHEMA)
  } finally {
    await client.end()
  }
}

async function schemaVersion(client: pg.Client): Promise<number> {
  try {
    return await assertSchemaCompatibility(client, SCHEMA)
  } catch (error) {
    if (error instanceof SchemaMigrationRequiredError) return 0
    throw error
  }
}
