import { afterAll, beforeAll, expect, test } from 'vitest'
import { transaction } from '../../../src/ledger/connection/transaction.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
  await fresh.database.pool.query('create table notes (note text)')
})
afterAll(() => fresh.drop())

async function notes(): Promise<string[]> {
  const { rows } = await fresh.database.pool.query<{ note: string }>('select note from notes order by note')
  return rows.map((row) => row.note)
}

test('what a transaction did stands once it has returned', async () => {
  const answer = await transaction(fresh.database, async (client) => {
    await client.query(`insert into notes values ('kept')`)
    expect(await notes()).toEqual([])
    return 42
  })
  expect(answer).toBe(42)
  expect(await notes()).toEqual(['kept'])
})

test('nothing of a transaction stands that threw, and its error arrives', async () => {
  const failing = transaction(fresh.database, async (client) => {
    await client.query(`insert into notes values ('lost')`)
    throw new Error('changed my mind')
  })
  await expect(failing).rejects.toThrow('changed my mind')
  expect(await notes()).toEqual(['kept'])
})

test('a connection that is cut in the middle fails the transaction and not the process', async () => {
  const failing = transaction(fresh.database, async (client) => {
    await client.query(`insert into notes values ('cut')`)
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    await fresh.database.pool.query('select pg_terminate_backend($1)', [rows[0]?.pid])
    await client.query(`insert into notes values ('cut again')`)
  })
  await expect(failing).rejects.toThrow(/terminat|connection/i)
  expect(await notes()).toEqual(['kept'])
})
