import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openQueues } from '../../../src/jobs/queue/queues.ts'
import { openDatabase } from '../../../src/ledger/connection/database.ts'
import { listen } from '../../../src/ledger/connection/notifications.ts'
import { inSchema } from '../../../src/ledger/connection/schema.ts'
import { transaction } from '../../../src/ledger/connection/transaction.ts'
import { ensureSlot } from '../../../src/ledger/nights/ensure-slot.ts'
import { listSlots } from '../../../src/ledger/nights/slots.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import { temporaryProject } from '../../projects/cdnow.ts'

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
})
afterAll(() => fresh.drop())

test.each([
  ['select * from nightshift.slots s', 'select * from "order".slots s'],
  ["select hashtext('nightshift.mails')", "select hashtext('order.mails')"],
  ['create schema if not exists nightshift;', 'create schema if not exists "order";'],
  ["perform pg_notify('nightshift', new.id::text)", "perform pg_notify('order', new.id::text)"],
  ['listen nightshift', 'listen "order"'],
  ['greatest(nightshift.schedules.seen_at, $4)', 'greatest("order".schedules.seen_at, $4)'],
  ['select nightshift_queues.x, my_nightshift.y', 'select nightshift_queues.x, my_nightshift.y'],
])('%s reads in another schema as %s', (sql, there) => {
  expect(inSchema(sql, 'order')).toBe(there)
  expect(inSchema(sql, 'nightshift')).toBe(sql)
})

test('two ledgers in one database have nothing in common', async () => {
  const open = (schema: string) => openDatabase({ root: tmpdir(), url: fresh.url, schema, role: 'command' })
  const [a, b] = [await open(`user`), await open(`t_${randomBytes(3).toString('hex')}`)]
  const heard: string[] = []
  const release = await listen(b, (id) => heard.push(id))
  try {
    const asOf = { instant: '2026-03-01T00:00:00Z', label: '2026-03-01' }
    await transaction(a, (client) => ensureSlot(client, 'scores', 'churn', asOf))
    const own = await transaction(b, (client) => ensureSlot(client, 'scores', 'ltv', asOf))
    expect((await listSlots(a.pool)).map(({ name }) => name)).toEqual(['churn'])
    expect((await listSlots(b.pool)).map(({ name }) => name)).toEqual(['ltv'])
    expect(await listSlots(fresh.database.pool)).toEqual([])
    await expect.poll(() => heard).toEqual([String(own.id)])
  } finally {
    await release()
    await a.close()
    await b.close()
  }
})

test('queues of two schemas in one database do not meet', async () => {
  const open = (schema: string) => openQueues({ databaseUrl: fresh.url, schema, log: () => {} })
  const [a, b] = [await open('one'), await open('two')]
  try {
    await a.add('features', { id: 'run-a1', title: 'refresh', data: {} })
    expect([await a.has('features', 'run-a1'), await b.has('features', 'run-a1')]).toEqual([true, false])
  } finally {
    await a.close()
    await b.close()
  }
})

test.each(['Telco', 'a-b', '1a', 'a"b', "a'; drop", 'pg_x', 'public', 'x_queues', 'a'.repeat(49), ''])(
  'schema: %j is refused with what is legal',
  async (schema) => {
    const { root, remove } = await temporaryProject({
      'nightshift.yaml': `project: told\ntimezone: UTC\nschema: ${JSON.stringify(schema)}\n`,
    })
    try {
      expect(() => openProject(root)).toThrow(/expected schema to be a name/)
    } finally {
      await remove()
    }
  },
)
