import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate } from '../../../src/ledger/migrations/migrate.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import { ALL } from './bundled.ts'

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
  await fresh.database.pool.query('drop schema nightshift cascade')
})
afterAll(() => fresh.drop())

test('what waits in an outbox without posts is mail', async () => {
  const { pool } = fresh.database
  await migrate(
    fresh.database,
    ALL.filter(({ name }) => name < '027_posts.sql'),
  )
  await pool.query(
    `insert into nightshift.outbox (recipient, subject, message_id, body_text, body_html) values ('a@example.com', 's', '<1@x>', 't', 'h')`,
  )
  await migrate(fresh.database, ALL)
  const { rows } = await pool.query('select recipient, kind from nightshift.outbox')
  expect(rows).toEqual([{ recipient: 'a@example.com', kind: 'mail' }])
  await expect(pool.query(`update nightshift.outbox set kind = 'fax'`)).rejects.toThrow(/outbox_kind_check/)
})
