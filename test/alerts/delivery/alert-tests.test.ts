import { afterAll, beforeAll, expect, test } from 'vitest'
import { ackTestMail } from '../../../src/actions/incidents/ack-incidents.ts'
import { isTestCode, newTestCode, reachedAt, recordTest } from '../../../src/alerts/delivery/alert-tests.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
})
afterAll(() => fresh.drop())

test('an address counts as reached once the code of its own mail has come back, the first time', async () => {
  const { database } = fresh
  const [ann, bob] = [newTestCode(), newTestCode()]
  await recordTest(database.pool, ann, 'Ann@example.com')
  await recordTest(database.pool, bob, 'bob@example.com')
  const both = ['ann@example.com', 'BOB@example.com']
  expect(await reachedAt(database.pool, both)).toEqual(new Map())

  expect(await ackTestMail(fresh, ann, 'ann@example.com')).toEqual({
    recipient: 'Ann@example.com',
    acked_by: 'ann@example.com',
  })
  const reached = await reachedAt(database.pool, both)
  expect([...reached.keys()]).toEqual(['ann@example.com'])

  expect(await ackTestMail(fresh, ann, 'eve@example.com')).toMatchObject({ acked_by: 'ann@example.com' })
  expect(await reachedAt(database.pool, both)).toEqual(reached)
})

test('a code that no mail carries is refused', async () => {
  await expect(ackTestMail(fresh, newTestCode(), 'ann@example.com')).rejects.toThrow(
    /which no mail of this project/,
  )
  expect(['12', '3-5', 't-short', 'T-ABCDEFGH'].some(isTestCode)).toBe(false)
})
