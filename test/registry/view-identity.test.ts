import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identityOf } from '../../src/pipeline/features/view-hash.ts'
import type { View } from '../../src/project/project.ts'
import { parseDuration } from '../../src/project/time/duration.ts'
import { adoptIdentity, currentHash, isSameView } from '../../src/registry/view-identity.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'

/** What the build of 2026-11-27 called this definition. */
const FORMER = '6c355a6102051eb32feb111b99bbabb86cd946a9cfe0390ba8dddb950c3fe1ff'
const VIEW: Pick<View, 'entity' | 'fill' | 'sources'> = {
  entity: ['id'],
  fill: { plan: 'none', age: 0 },
  sources: {
    calls: {
      kind: 'events',
      path: 'data/*.parquet',
      event_time: 'day',
      available_at: 'arrived',
      cutoff: parseDuration('4h'),
    },
    people: {
      kind: 'history',
      path: 'people/*.parquet',
      timezone: 'Asia/Tokyo',
      key: [],
      valid_from: 'since',
    },
    labels: { kind: 'static', path: 'labels.parquet' },
  },
}
const PARSED = { hash: 'parsed', tables: ['calls', 'people'], names: new Set(['id']) }

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
})
afterAll(() => fresh.drop())

describe('a definition that an earlier build has recorded', () => {
  it('is recognised by the name that build had for it, and not where it says more than that build could', () => {
    const identity = identityOf(PARSED, VIEW, 'Europe/Berlin')
    expect(identity.formerHash).toBe(FORMER)
    expect(isSameView(FORMER, identity)).toBe(true)
    expect(isSameView(identity.viewHash, identity)).toBe(true)
    const { people, labels, calls } = VIEW.sources
    if (people === undefined || labels === undefined || calls === undefined) throw new Error('sources')
    const other = { ...VIEW, sources: { ...VIEW.sources, calls: { ...calls, timezones: { day: 'local' } } } }
    expect(isSameView(FORMER, identityOf(PARSED, other, 'Europe/Berlin'))).toBe(false)
    const moved = { ...VIEW, sources: { ...VIEW.sources, calls: { ...calls, path: 'elsewhere/*.parquet' } } }
    expect(isSameView(FORMER, identityOf(PARSED, moved, 'Europe/Berlin'))).toBe(false)
    expect(identityOf(PARSED, moved, 'Europe/Berlin').viewHash).toBe(identity.viewHash)
  })

  it('gets its name of today in versions, nights and training sets, once', async () => {
    const { pool } = fresh.database
    await pool.query(`
      insert into nightshift.versions (model, version, sha256, bytes, file, view, view_hash, features_sql, inputs, output, mapping)
        values ('churn', 1, 'x', 1, 'f', 'v', '${FORMER}', 'select 1', '[]', '{}', '{}'),
               ('churn', 2, 'y', 1, 'f', 'v', 'another', 'select 2', '[]', '{}', '{}')`)
    const hashes = async () =>
      (await pool.query('select view_hash from nightshift.versions order by version')).rows.map(
        (row) => row.view_hash,
      )
    const identity = identityOf(PARSED, VIEW, 'Europe/Berlin')
    const client = await pool.connect()
    try {
      await adoptIdentity(client, { ...identity, movedDates: false })
      expect(await hashes()).toEqual([identity.viewHash, 'another'])
      expect(await currentHash(pool, FORMER)).toBe(identity.viewHash)
      expect(await currentHash(pool, 'another')).toBe('another')
      // The definition has changed since, in a way that the former name did not tell.
      const { calls } = VIEW.sources
      if (calls === undefined) throw new Error('calls')
      const declared = { ...VIEW, sources: { ...VIEW.sources, calls: { ...calls, timezone: 'UTC' } } }
      const later = identityOf(PARSED, declared, 'Europe/Berlin')
      expect(later.formerHash).toBe(FORMER)
      await adoptIdentity(client, { ...later, movedDates: false })
      expect(await hashes()).toEqual([identity.viewHash, 'another'])
      expect(isSameView(identity.viewHash, later)).toBe(false)
    } finally {
      client.release()
    }
  })
})
