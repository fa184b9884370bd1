import type { Pool } from 'pg'
import { ConfigurationError } from '../../project/files/problem.ts'

/*
 * A simulation has a schema of its own. Its connections search that schema before PostgreSQL's own, so that `now()` in
 * every statement and in every default means the function below. It is a constant: PostgreSQL writes it into the plan,
 * and no row costs a look at a table.
 */

/** What a connection of a simulation searches, as an option of its connection string. */
export function searchPath(schema: string): string {
  return `-c search_path=${schema},pg_catalog,public`
}

/** Makes the schema of a simulation, with its clock. Its tables follow: their defaults then go by this clock too. */
export async function makeClock(pool: Pool, schema: string, at: Date): Promise<void> {
  await pool.query(`create schema "${schema}"`)
  await setClock(pool, schema, at)
}

/** Moves the clock. What is under way keeps the time that it began with, as a transaction does. */
export async function setClock(pool: Pool, schema: string, at: Date): Promise<void> {
  await pool.query(
    `create or replace function "${schema}".now() returns timestamptz language sql stable
     as $$ select '${at.toISOString()}'::timestamptz $$`,
  )
}

/**
 * What a record is stamped with by `clock_timestamp()` gets the simulated time as well. That processes and attempts are
 * alive is decided by the real one.
 */
export async function stampSimulated(pool: Pool, schema: string): Promise<void> {
  const { rows } = await pool.query<{ change: string }>(
    `select format('alter table %I.%I alter column %I set default %I.now()', n.nspname, c.relname, a.attname, n.nspname) as change
       from pg_attrdef d
       join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
       join pg_class c on c.oid = d.adrelid
       join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1 and pg_get_expr(d.adbin, d.adrelid) like '%clock_timestamp()%'`,
    [schema],
  )
  for (const { change } of rows) await pool.query(change)
  await pool.query(
    `alter table "${schema}".processes alter column seen_at set default clock_timestamp(), alter column started_at set default clock_timestamp()`,
  )
}

/** Throws a ConfigurationError where the schema has no clock: without it, its ledger would go by the real one. */
export async function expectClock(pool: Pool, schema: string): Promise<void> {
  const { rows } = await pool.query<{ there: boolean }>(
    `select to_regprocedure(format('%I.now()', $1::text)) is not null as there`,
    [schema],
  )
  if (rows[0]?.there === true) return
  throw new ConfigurationError(
    `expected the ledger of a simulation in the schema ${schema}, got: none in this database; nightshift simulate --remove removes what is left of it`,
  )
}

/** Removes the ledger of a simulation. */
export async function dropSimulated(pool: Pool, schema: string): Promise<void> {
  await pool.query(`drop schema if exists "${schema}" cascade`)
}
