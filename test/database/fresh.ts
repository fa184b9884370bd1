import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import pg from 'pg'
import { inject } from 'vitest'
import { type Database, openDatabase } from '../../src/ledger/connection/database.ts'

export interface FreshDatabase {
  database: Database
  /** Its connection string, for processes that a test starts. */
  url: string
  /** Closes it, cuts off whoever is still connected, and drops it. */
  drop(): Promise<void>
}

/** Databases that test/setup.ts has made; that with a clock is for clock.ts. */
export type Template = 'template' | 'template_clock'

/** A new, migrated, empty database on the server of this test run (30 ms). */
export async function freshDatabase({ from = 'template' }: { from?: Template } = {}): Promise<FreshDatabase> {
  const server = new URL(inject('databaseUrl'))
  const name = `test_${randomBytes(6).toString('hex')}`
  const root = tmpdir()
  await administer(server.href, `create database ${name} template ${from} strategy file_copy`)
  const url = new URL(server)
  url.pathname = name
  const database = await openDatabase({ root, url: url.href, role: 'command' })
  return {
    database,
    url: url.href,
    async drop() {
      await database.close()
      await administer(server.href, `drop database if exists ${name} with (force)`)
    },
  }
}

let pool: pg.Pool | undefined

/** By one connection for all tests of a process, which is closed when nobody has asked for a while. */
async function administer(url: string, sql: string): Promise<void> {
  if (pool === undefined) {
    pool = new pg.Pool({ connectionString: url, max: 1, allowExitOnIdle: true })
    // The server may end before this process does.
    pool.on('error', () => {})
  }
  await pool.query(sql)
}
