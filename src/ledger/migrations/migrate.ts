import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import { ownFile } from '../../program/own-files.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { MIGRATIONS_LOCK } from '../connection/advisory.ts'
import { transaction } from '../connection/transaction.ts'

const LEDGER_OF_MIGRATIONS = `
create schema if not exists nightshift;
create table if not exists nightshift.migrations (
  name        text primary key,
  sha256      text not null,
  applied_at  timestamptz not null default now()
)`

interface Migration {
  /** File name, such as `001_ledger.sql`. Order of names is order of application. */
  name: string
  sql: string
  sha256: string
}

/**
 * Brings the ledger's schema up to this program: the files of `migrations/`, in order, each in a transaction of
 * its own, under an advisory lock so that any number of processes may start at once. Costs one query when current.
 *
 * @throws ConfigurationError where an applied migration was edited, or where the database is newer than the program.
 */
export async function migrate(db: { pool: pg.Pool }, migrations = bundledMigrations()): Promise<void> {
  known ??= bundledNames()
  const applied = await appliedMigrations(db.pool)
  for (const migration of pending(migrations, applied)) await apply(db, migration, migrations)
}

const FOLDER = ownFile('ledger/migrations')

function bundledNames(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .sort()
}

function bundledMigrations(): Migration[] {
  return bundledNames().map((name) => {
    const sql = readFileSync(join(FOLDER, name), 'utf8')
    return { name, sql, sha256: createHash('sha256').update(sql).digest('hex') }
  })
}

/** As they were when this process began: an upgrade may replace the files under it. */
let known: string[] | undefined

/**
 * Why this process may work on the ledger no longer: another build has migrated it since this one started, to a schema
 * that this one does not know. Undefined where it may.
 */
export async function olderThanLedger(connection: Pick<pg.ClientBase, 'query'>): Promise<string | undefined> {
  known ??= bundledNames()
  const { rows } = await connection.query<{ name: string }>(
    'select name from nightshift.migrations where name <> all($1) order by name',
    [known],
  )
  if (rows.length === 0) return undefined
  const names = rows.map(({ name }) => name).join(', ')
  return `the ledger is newer than this build: it has ${names}, and the newest that this build knows is ${known.at(-1)}; upgrade and start again`
}

/** What is still to be applied. Pure: compares what the program brings with what the database has. */
export function pending(migrations: Migration[], applied: Map<string, string>): Migration[] {
  const known = new Map(migrations.map((migration) => [migration.name, migration]))
  for (const [name, sha256] of applied) {
    const migration = known.get(name)
    if (migration === undefined) {
      throw new ConfigurationError(
        `the database has the migration ${name}, which this version of nightshift does not know ` +
          `(its newest is ${migrations.at(-1)?.name ?? 'none'}): upgrade nightshift`,
      )
    }
    if (migration.sha256 !== sha256) {
      throw new ConfigurationError(
        `the migration ${name} was edited after it had been applied: expected sha256 ${sha256}, ` +
          `got: ${migration.sha256}; restore the file and put the change into a new migration`,
      )
    }
  }
  return migrations.filter((migration) => !applied.has(migration.name))
}

async function appliedMigrations(pool: Pick<pg.Pool, 'query'>): Promise<Map<string, string>> {
  try {
    const { rows } = await pool.query<{ name: string; sha256: string }>(
      'select name, sha256 from nightshift.migrations order by name',
    )
    return new Map(rows.map((row) => [row.name, row.sha256]))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === UNDEFINED_TABLE) return new Map()
    throw error
  }
}
const UNDEFINED_TABLE = '42P01'

async function apply(db: { pool: pg.Pool }, migration: Migration, all: Migration[]): Promise<void> {
  await transaction(db, async (client) => {
    await client.query(`select pg_advisory_xact_lock(${MIGRATIONS_LOCK})`)
    await client.query(LEDGER_OF_MIGRATIONS)
    // Another process may have applied it while this one waited for the lock.
    const { rows } = await client.query<{ name: string; sha256: string }>(
      'select name, sha256 from nightshift.migrations',
    )
    const applied = new Map(rows.map((row) => [row.name, row.sha256]))
    if (!pending(all, applied).includes(migration)) return
    try {
      await client.query(migration.sql)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`migration ${migration.name} failed and was rolled back: ${why}`, { cause: error })
    }
    await client.query('insert into nightshift.migrations (name, sha256) values ($1, $2)', [
      migration.name,
      migration.sha256,
    ])
  })
}
