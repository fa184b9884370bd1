import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { listen } from '../../../src/ledger/connection/notifications.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'

let fresh: FreshDatabase
beforeEach(async () => {
  fresh = await freshDatabase()
})
afterEach(() => fresh.drop())

const tell = (id: string) => fresh.database.pool.query("select pg_notify('nightshift', $1)", [id])
const listeners = async (): Promise<number[]> => {
  const { rows } = await fresh.database.pool.query<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and query = 'listen nightshift'`,
  )
  return rows.map(({ pid }) => pid)
}

test('a listener whose connection is cut hears again, and is told that it may have missed something', async () => {
  const heard: string[] = []
  const stop = await listen(fresh.database, (id) => heard.push(id))
  await tell('1')
  await vi.waitFor(() => expect(heard).toEqual(['1']), 60_000)
  for (let cut = 0; cut < 3; cut++) {
    heard.length = 0
    const before = await listeners()
    for (const pid of before) await fresh.database.pool.query('select pg_terminate_backend($1)', [pid])
    await vi.waitFor(() => expect(heard).toEqual(['']), 60_000)
    await tell('2')
    await vi.waitFor(() => expect(heard).toEqual(['', '2']), 60_000)
  }
  await stop()
  expect(await listeners()).toEqual([])
  await tell('3')
  expect(heard).not.toContain('3')
})
