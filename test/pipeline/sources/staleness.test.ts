import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findStale } from '../../../src/pipeline/sources/staleness.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { type CaseView, compute, duration, makeFolder, makeView, writeParquet } from '../feature-case.ts'

const EVENTS = `SELECT i % 10 AS id, (i * 1.5)::DOUBLE AS amount, i AS unread, TIMESTAMP '2026-11-20' + to_hours(i) AS happened FROM range(60) t(i)`
const events: CaseView = {
  sql: 'SELECT id, sum(amount)::FLOAT AS total FROM t GROUP BY id',
  sources: { t: { kind: 'events', path: 'data/*.parquet', event_time: 'happened' } },
}
const arriving: CaseView = {
  ...events,
  sources: {
    t: {
      kind: 'events',
      path: 'data/*.parquet',
      event_time: 'happened',
      available_at: 'known',
      cutoff: duration('4h'),
    },
  },
}
const HISTORY = `SELECT i AS id, 'p' || i AS plan, TIMESTAMP '2026-10-01' AS since, NULL::TIMESTAMP AS until FROM range(5) t(i)`
const history: CaseView = {
  sql: 'SELECT id, plan FROM t',
  sources: {
    t: { kind: 'history', path: 'data/*.parquet', key: ['id'], valid_from: 'since', valid_to: 'until' },
  },
}
const SNAPSHOT = 'SELECT i AS id, i * 2 AS v FROM range(3) t(i)'
const snapshots: CaseView = {
  sql: 'SELECT id, v FROM t',
  sources: { t: { kind: 'snapshots', path: 'data/day=*/*.parquet', snapshot_at: 'day' } },
}
const table: CaseView = {
  sql: 'SELECT id, v FROM t',
  sources: { t: { kind: 'static', path: 'data/*.parquet' } },
}
const AT = `TIMESTAMP '2026-11-21 09:00:00'`

interface Case {
  name: string
  view: CaseView
  before: Record<string, string>
  /** Files written after the partition; null removes. */
  after: Record<string, string | null>
  stale: RegExp | undefined
}

const a = 'data/a.parquet'
const CASES: Case[] = [
  { name: 'nothing changes', view: events, before: { [a]: EVENTS }, after: {}, stale: undefined },
  {
    name: 'the same rows in another order',
    view: events,
    before: { [a]: EVENTS },
    after: { [a]: `${EVENTS} ORDER BY i DESC` },
    stale: undefined,
  },
  {
    name: 'the same rows in two files',
    view: events,
    before: { [a]: EVENTS },
    after: {
      [a]: `${EVENTS} WHERE i % 2 = 0`,
      'data/b.parquet': `${EVENTS} WHERE i % 2 = 1`,
    },
    stale: undefined,
  },
  {
    name: 'rows after the as-of are added and taken away',
    view: events,
    before: { [a]: EVENTS },
    after: { [a]: EVENTS.replace('range(60)', 'range(400)') },
    stale: undefined,
  },
  {
    name: "tomorrow's file",
    view: events,
    before: { [a]: EVENTS },
    after: { 'data/b.parquet': EVENTS.replace('2026-11-20', '2026-11-22') },
    stale: undefined,
  },
  {
    name: 'a column that the view does not read',
    view: events,
    before: { [a]: EVENTS },
    after: { [a]: EVENTS.replace('i AS unread', '7 AS unread') },
    stale: undefined,
  },
  {
    name: 'one value of one row',
    view: events,
    before: { [a]: EVENTS },
    after: { [a]: EVENTS.replace('(i * 1.5)', '(CASE WHEN i = 11 THEN 1.0 ELSE i * 1.5 END)') },
    stale: /^data\/a\.parquet has changed: 48 rows before the cut, as many as it had, but others$/,
  },
  {
    name: 'a row twice',
    view: events,
    before: { [a]: EVENTS },
    after: { [a]: `${EVENTS} UNION ALL SELECT 3, 4.5, 3, TIMESTAMP '2026-11-20 03:00:00'` },
    stale: /^data\/a\.parquet has changed: 49 rows before the cut, 48 when it was read$/,
  },
  {
    name: 'a late file',
    view: events,
    before: { [a]: EVENTS },
    after: {
      'data/late.parquet': `SELECT 1::BIGINT AS id, 1.5::DOUBLE AS amount, 1::BIGINT AS unread, ${AT} AS happened`,
    },
    stale: /^data\/late\.parquet is new, with 1 rows before the cut$/,
  },
  {
    name: 'a file that is gone',
    view: events,
    before: { [a]: EVENTS, 'data/b.parquet': EVENTS },
    after: { 'data/b.parquet': null },
    stale: /^data\/b\.parquet is gone, with 48 rows before the cut$/,
  },
  {
    name: 'no file at all',
    view: events,
    before: { [a]: EVENTS },
    after: { [a]: null },
    stale: /^its inputs cannot be compared: source t: expected at least one Parquet file/,
  },
  {
    name: 'another type',
    view: events,
    before: { [a]: EVENTS },
    after: { [a]: EVENTS.replace('i % 10 AS id', '(i % 10)::INTEGER AS id') },
    stale: /^data\/a\.parquet has changed/,
  },
  {
    name: 'a row that arrives within the cutoff',
    view: arriving,
    before: { [a]: `SELECT *, happened AS known FROM (${EVENTS})` },
    after: {
      'data/late.parquet': `SELECT 1::BIGINT AS id, 1.5::DOUBLE AS amount, 1::BIGINT AS unread, ${AT} AS happened, TIMESTAMP '2026-11-22 03:00:00' AS known`,
    },
    stale: /^data\/late\.parquet is new, with 1 rows/,
  },
  {
    name: 'a row that arrives behind the cutoff',
    view: arriving,
    before: { [a]: `SELECT *, happened AS known FROM (${EVENTS})` },
    after: {
      'data/late.parquet': `SELECT 1::BIGINT AS id, 1.5::DOUBLE AS amount, 1::BIGINT AS unread, ${AT} AS happened, TIMESTAMP '2026-11-22 05:00:00' AS known`,
    },
    stale: undefined,
  },
  {
    name: 'a dump that closes a row after the as-of',
    view: history,
    before: { [a]: HISTORY },
    after: { [a]: HISTORY.replace('NULL::TIMESTAMP', `TIMESTAMP '2026-11-23'`) },
    stale: undefined,
  },
  {
    name: 'a dump that closes a row before the as-of',
    view: history,
    before: { [a]: HISTORY },
    after: { [a]: HISTORY.replace('NULL::TIMESTAMP', AT) },
    stale: /^data\/a\.parquet has changed/,
  },
  {
    name: 'a newer snapshot after the as-of',
    view: snapshots,
    before: { 'data/day=2026-11-21/a.parquet': SNAPSHOT },
    after: { 'data/day=2026-11-22/a.parquet': SNAPSHOT.replace('* 2', '* 3') },
    stale: undefined,
  },
  {
    name: 'an older snapshot that is written anew',
    view: snapshots,
    before: { 'data/day=2026-11-20/a.parquet': SNAPSHOT, 'data/day=2026-11-21/a.parquet': SNAPSHOT },
    after: { 'data/day=2026-11-20/a.parquet': SNAPSHOT.replace('* 2', '* 3') },
    stale: undefined,
  },
  {
    name: 'the newest snapshot is written anew',
    view: snapshots,
    before: { 'data/day=2026-11-21/a.parquet': SNAPSHOT },
    after: { 'data/day=2026-11-21/a.parquet': SNAPSHOT.replace('* 2', '* 3') },
    stale: /^data\/day=2026-11-21\/a\.parquet has changed/,
  },
  {
    name: 'a table that changes',
    view: table,
    before: { [a]: SNAPSHOT },
    after: { [a]: SNAPSHOT.replace('range(3)', 'range(4)') },
    stale: /^data\/a\.parquet has changed: 4 rows before the cut, 3 when it was read$/,
  },
]

describe('a partition whose inputs change', () => {
  it.each(CASES)('$name', async ({ view: definition, before, after, stale }) => {
    const root = makeFolder()
    for (const [path, sql] of Object.entries(before)) await writeParquet(join(root, path), sql)
    const { facts } = await compute(root, definition, '2026-11-22')
    for (const [path, sql] of Object.entries(after)) {
      if (sql === null) rmSync(join(root, path))
      else await writeParquet(join(root, path), sql, ', COMPRESSION zstd')
    }
    const [found] = await findStale({
      root,
      view: makeView(root, definition),
      timezone: 'UTC',
      threads: 1,
      partitions: [{ asOf: parseAsOf('2026-11-22', 'UTC'), viewHash: facts.viewHash, inputs: facts.inputs }],
    })
    if (stale === undefined) expect(found).toBeUndefined()
    else {
      expect(found?.reason).toMatch(stale)
      expect(found?.compared).toBe(!stale.source.includes('cannot be compared'))
    }
  })

  it('takes over what is known of files that lie wholly before the cut, and of no others', async () => {
    const root = makeFolder()
    await writeParquet(join(root, 'data/a.parquet'), EVENTS)
    await writeParquet(join(root, 'data/b.parquet'), EVENTS.replace('2026-11-20', '2026-11-22'))
    const first = (await compute(root, events, '2026-11-23')).facts.inputs
    expect(first.map(({ visible }) => visible?.whole)).toEqual([true, false])
    const known = first.map((input) =>
      input.visible === undefined ? input : { ...input, visible: { ...input.visible, sum: '7' } },
    )
    const second = (await compute(root, events, '2026-11-24', { known })).facts.inputs
    expect(second.map(({ visible }) => visible?.sum)).toEqual(['7', expect.not.stringMatching(/^7$/)])
    const changed = await compute(
      root,
      { ...events, sql: 'SELECT id, sum(unread)::FLOAT AS total FROM t GROUP BY id' },
      '2026-11-24',
      { known },
    )
    expect(changed.facts.inputs[0]?.visible?.sum).not.toBe('7')
  })

  it('is current where the folder was moved, and stale where a row changed on the way', async () => {
    const root = makeFolder()
    await writeParquet(join(root, 'data/a.parquet'), EVENTS)
    await writeParquet(join(root, 'moved/b.parquet'), EVENTS)
    const { facts } = await compute(root, events, '2026-11-22')
    const reasonAt = async (path: string) => {
      const { t } = events.sources
      if (t === undefined) throw new Error('t')
      const [found] = await findStale({
        root,
        view: makeView(root, { ...events, sources: { t: { ...t, path } } }),
        timezone: 'UTC',
        threads: 1,
        partitions: [
          { asOf: parseAsOf('2026-11-22', 'UTC'), viewHash: facts.viewHash, inputs: facts.inputs },
        ],
      })
      return found?.reason
    }
    expect(await reasonAt('moved/*.parquet')).toBeUndefined()
    await writeParquet(join(root, 'other/b.parquet'), `SELECT * FROM (${EVENTS}) LIMIT 1`)
    expect(await reasonAt('other/*.parquet')).toMatch(/^other\/b\.parquet is new, with 1 rows before the cut/)
  })

  it('of an earlier build is current under its former name, unless its dates were days of UTC', async () => {
    const root = makeFolder()
    await writeParquet(
      join(root, 'data/a.parquet'),
      `SELECT 1 AS id, DATE '2026-11-20' AS day, TIMESTAMP '2026-11-20' AS ts`,
    )
    const of = (event_time: string): CaseView => ({
      sql: 'SELECT id, count(*) AS n FROM t GROUP BY id',
      sources: { t: { kind: 'events', path: 'data/*.parquet', event_time } },
    })
    const reasonOf = async (view: CaseView, timezone: string) => {
      const { facts } = await compute(root, view, '2026-11-22', { timezone })
      const [found] = await findStale({
        root,
        view: makeView(root, view),
        timezone,
        threads: 1,
        partitions: [
          { asOf: parseAsOf('2026-11-22', timezone), viewHash: facts.formerHash, inputs: facts.inputs },
        ],
      })
      return found?.reason
    }
    expect(await reasonOf(of('ts'), 'America/New_York')).toBeUndefined()
    expect(await reasonOf(of('day'), 'UTC')).toBeUndefined()
    expect(await reasonOf(of('day'), 'America/New_York')).toBe(
      'dates of source t were cut at another midnight: they are days of America/New_York now, seen when they are over',
    )
  })
})
