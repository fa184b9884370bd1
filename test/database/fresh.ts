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

/** A new, migrated, empty database on the server of this test run (30 ms). */
export async function freshDatabase(): Promise<FreshDatabase> {
  const server = new URL(inject('databaseUrl'))
  const name = `test_${randomBytes(6).toString('hex')}`
  const root = tmpdir()
  await administer(server.href, `create database ${name} template template strategy file_copy`)
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

async function administer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
