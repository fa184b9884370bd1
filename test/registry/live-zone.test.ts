import { afterAll, beforeAll, expect, test } from 'vitest'
import { keepZone, zoneProblem } from '../../src/registry/live-zone.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
})
afterAll(() => fresh.drop())

test('the zone may change while no version is live, and not afterwards', async () => {
  const { pool } = fresh.database
  await keepZone(pool, 'America/New_York')
  expect(await zoneProblem(pool, 'Asia/Calcutta')).toBeUndefined()
  await keepZone(pool, 'Asia/Calcutta')
  await pool.query(`
    insert into nightshift.versions (model, version, sha256, bytes, file, view, view_hash, features_sql, inputs, output, mapping)
      values ('churn', 3, 'x', 1, 'f', 'v', 'h', 'select 1', '[]', '{}', '{}');
    insert into nightshift.champions (model, version) values ('churn', 3)`)
  expect(await zoneProblem(pool, 'Asia/Calcutta')).toBeUndefined()
  // The same zone under the name that it has today.
  expect(await zoneProblem(pool, 'Asia/Kolkata')).toBeUndefined()
  expect(await zoneProblem(pool, 'America/New_York')).toMatch(
    /^timezone: expected Asia\/Calcutta, got: America\/New_York. version 3 of churn is live, .*Restore Asia\/Calcutta/,
  )
})
