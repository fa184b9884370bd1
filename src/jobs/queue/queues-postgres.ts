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
import { createBackend } from './postgres-clock.ts'
import type { Engine, Log } from './queue-engine.ts'

/**
 * BullMQ on the ledger's PostgreSQL. A worker holds one listening connection, so an idle worker picks up a job in
 * about 5 ms; each queue and worker uses up to two more connections while busy.
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
    max: 2,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 10_000,
    keepAlive: true,
  }
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
    close: async () => {},
  }
}

/**
 * Constructors read the process-wide default once, so it is set only for that moment. Passing the backend instead
 * would give the queue a type that the board does not accept.
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
