import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { type CaseView, duration, makeFolder, query, writeParquet } from '../feature-case.ts'
import {
  both,
  computeFeatures,
  divide,
  divideFeatures,
  failureOf,
  joinFeatures,
  LAKE,
  partsOf,
  request,
  writeBuckets,
  writeLake,
} from './divided.ts'

let root: string
beforeEach(async () => {
  root = makeFolder()
  await writeLake(root)
})

const CALLS: CaseView = {
  sources: { calls: LAKE.sources.calls, customers: LAKE.sources.customers } as CaseView['sources'],
  sql: 'SELECT c.id, c.plan, coalesce(k.n, 0) AS n FROM customers c LEFT JOIN (SELECT id, count(*) AS n FROM calls GROUP BY id) k USING (id)\n',
}

async function refused(view: CaseView): Promise<string> {
  return (await failureOf(both(root, view, 2))).message
}

test.each([2, 3, 64])('%i shards give the very file that one attempt gives', async (shards) => {
  const { whole, joined, parts } = await both(root, LAKE, shards)
  expect(parts).toHaveLength(Math.min(shards, 5))
  expect(joined.file.sha256).toBe(whole.file.sha256)
  const { steps: _steps, file, ...rest } = joined
  const { steps: _own, file: wholeFile, ...facts } = whole
  expect(rest).toEqual(facts)
  expect({ ...file, path: '' }).toEqual({ ...wholeFile, path: '' })
  expect(parts.every(({ proved }) => proved === 10)).toBe(true)
})

describe('what is decided over all files is the same in every shard', () => {
  test('the newest snapshot, which one bucket alone has', async () => {
    const { whole, joined } = await both(root, LAKE, 2)
    const having = `SELECT DISTINCT id % 5 AS bucket FROM read_parquet('${joined.file.path}') WHERE balance IS NOT NULL`
    expect((await query(having)).map(({ bucket }) => Number(bucket))).toEqual([3])
    expect(joined.file.sha256).toBe(whole.file.sha256)
  })

  test('types of columns, keys of folders, optional columns, and sources without a file in some buckets', async () => {
    const rows = `SELECT i AS id, TIMESTAMP '2026-03-02' AS t, i::UTINYINT AS amount, i % 4 AS b FROM range(40) r(i)`
    await writeBuckets(root, 'orders', rows, { buckets: 3 })
    // One bucket is named otherwise, has wider amounts, and alone knows the shop.
    await writeParquet(
      join(root, 'lake/orders/bucket=x/orders.parquet'),
      `SELECT id, t, amount::BIGINT * 1000 AS amount, 'berlin' AS shop FROM (${rows}) WHERE b = 3`,
    )
    const orders = {
      kind: 'events' as const,
      path: 'lake/orders/bucket=*/*.parquet',
      event_time: 't',
      optional: ['shop'],
      buckets: 'bucket',
    }
    const view: CaseView = {
      sources: { orders },
      sql: 'SELECT id, amount, shop, bucket FROM orders\n',
      expect: { rows: { min: 40 }, fresh: { orders: duration('25h') } },
    }
    const { whole, joined, parts } = await both(root, view, 4)
    expect(parts).toHaveLength(4)
    expect(joined.file.sha256).toBe(whole.file.sha256)
    expect(joined.checks).toEqual(whole.checks)
    expect(joined.sources).toEqual(whole.sources)
    const types = joined.file.columns.map(({ type }) => type)
    expect(types).toEqual(['BIGINT', 'BIGINT', 'VARCHAR', 'VARCHAR'])
    expect(joined.inputs).toEqual(whole.inputs)
  })

  test('which files there are, and as they were', async () => {
    const asked = request(root, CALLS, 3)
    const whole = await computeFeatures(request(root, CALLS, 1))
    const division = await divide(asked)
    await writeParquet(
      join(root, 'lake/calls/day=2026-03-02/bucket=0/late.parquet'),
      `SELECT 5 AS id, TIMESTAMP '2026-03-02' AS t, 1.0 AS seconds`,
    )
    const parts = await partsOf(asked, division)
    const joined = await joinFeatures({ ...asked, parts, division })
    expect(joined.file.sha256).toBe(whole.file.sha256)
    expect(joined.inputs).toEqual(whole.inputs)
    // Of another shard than the first, whose file it is.
    const path = join(root, 'lake/calls/day=2026-03-01/bucket=4/calls.parquet')
    await writeParquet(path, `SELECT 4 AS id, TIMESTAMP '2026-03-01' AS t, 1.0 AS seconds`)
    const changed = await failureOf(partsOf(asked, division))
    expect(changed.failureClass).toBe('transient')
    expect(changed.message).toMatch(/bucket=4\/calls.parquet has changed since the night was divided/)
    rmSync(path)
    expect((await failureOf(partsOf(asked, division))).message).toMatch(
      /calls.parquet is gone, or cannot be read/,
    )
  })

  test('that a source is late, before anything is computed', async () => {
    const view = { ...CALLS, expect: { rows: undefined, fresh: { calls: duration('1h') } } }
    const late = await failureOf(divideFeatures({ ...request(root, view, 5), waits: true }))
    expect(late.failureClass).toBe('late-data')
    expect(late.message).toMatch(/source calls is late/)
  })
})

describe('buckets that do not fit the entity fail the night, with both of them named', () => {
  test('sources in buckets of different functions of it', async () => {
    rmSync(join(root, 'lake/customers'), { recursive: true })
    await writeBuckets(
      root,
      'customers',
      `SELECT i::BIGINT AS id, TIMESTAMP '2026-01-01' AS since, 'old' AS plan, i % 4 AS b FROM range(100) r(i)`,
    )
    // 4 is in bucket 0 of one and 4 of the other; the row of 4 would say that it made no calls.
    const failure = await failureOf(both(root, CALLS, 5))
    expect(failure.failureClass).toBe('contract')
    expect(failure.message).toMatch(
      /^id 4 lies in bucket 0 of customers and in bucket 4 of calls \(and 79 more entities in several\)/,
    )
    // Also where both buckets happen to be in one shard.
    expect((await failureOf(both(root, CALLS, 2))).message).toMatch(/^id \d+ lies in bucket \d of/)
  })

  test('one source whose rows of an entity lie in two, of which the older is hidden by the later', async () => {
    await writeParquet(
      join(root, 'lake/customers/bucket=1/moved.parquet'),
      `SELECT 7::BIGINT AS id, TIMESTAMP '2026-01-02' AS since, 'moved' AS plan`,
    )
    expect(await refused(CALLS)).toMatch(
      /^id 7 lies in bucket 1 of customers and in bucket 2 of calls and customers:/,
    )
  })

  test('rows without an entity in two', async () => {
    for (const bucket of [0, 3])
      await writeParquet(
        join(root, `lake/calls/day=2026-03-02/bucket=${bucket}/none.parquet`),
        `SELECT NULL::INTEGER AS id, TIMESTAMP '2026-03-02' AS t, 1.0 AS seconds`,
      )
    expect(await refused(CALLS)).toMatch(
      /^id null lies in bucket 0 of calls and in bucket 3 of calls: .* are left out by `select` of the source$/,
    )
  })

  test('an entity of two columns, written with other types', async () => {
    const pairs = (type: string, bucket: string) =>
      `SELECT i::${type} AS id, (i % 2)::VARCHAR AS product, TIMESTAMP '2026-03-02' AS t, ${bucket} AS b FROM range(20) r(i)`
    await writeBuckets(root, 'a', pairs('UTINYINT', 'i % 3'), { buckets: 3 })
    await writeBuckets(root, 'b', pairs('BIGINT', 'CASE WHEN i = 17 THEN 1 ELSE i % 3 END'), { buckets: 3 })
    const source = (name: string) => ({
      kind: 'events' as const,
      path: `lake/${name}/bucket=*/*.parquet`,
      event_time: 't',
      buckets: 'bucket',
    })
    const view: CaseView = {
      entity: ['id', 'product'],
      sources: { a: source('a'), b: source('b') },
      sql: 'SELECT id, product, b.t FROM a JOIN b USING (id, product)\n',
    }
    expect(await refused(view)).toMatch(/^id, product 17, 1 lies in bucket 1 of b and in bucket 2 of a:/)
  })
})

describe('a row that depends on other entities is found by computing some of them alone', () => {
  // Syntax is not asked, as it would be where per_entity is declared.
  test.each([
    [
      'a share of all',
      'SELECT id, (count(*) / sum(count(*)) OVER ())::FLOAT AS x FROM calls GROUP BY id\n',
      /x of id \d+ is .*, and .* where only some entities/,
    ],
    [
      'a rank among all',
      'SELECT id, rank() OVER (ORDER BY id) AS x FROM calls GROUP BY id\n',
      /x of id \d+ is/,
    ],
    [
      'a limit',
      'SELECT id FROM calls GROUP BY id ORDER BY id DESC LIMIT 3\n',
      /id \d+ has no row, and has one where/,
    ],
    [
      'those above the mean',
      'SELECT id FROM calls GROUP BY id HAVING sum(seconds) > (SELECT sum(seconds) / count(DISTINCT id) FROM calls)\n',
      /id \d+ has (a|no) row/,
    ],
  ])('%s', async (_, sql, message) => {
    const asked = request(root, { ...CALLS, sql }, 3)
    const free = { ...asked, view: { ...asked.view, perEntity: false } }
    const failure = await failureOf(partsOf(free, await divide(free)))
    expect(failure.failureClass).toBe('contract')
    expect(failure.message).toMatch(message)
    // The same each time.
    expect((await failureOf(partsOf(free, await divide(free)))).message).toBe(failure.message)
    expect((await failureOf(divideFeatures(asked))).message).toMatch(/per_entity of view.yaml: features.sql/)
  })
})

test('a part that is missing, there twice, changed or of other buckets is refused', async () => {
  const asked = request(root, CALLS, 3)
  const division = await divide(asked)
  const parts = await partsOf(asked, division)
  const [a, b, c] = parts
  if (!a || !b || !c) throw new Error('three parts')
  const said = async (all: typeof parts) =>
    (await failureOf(joinFeatures({ ...asked, parts: all, division }))).message
  expect(await said([a, b])).toMatch(/not one whole night: expected 3 parts, got: 2/)
  expect(await said([a, a, c])).toMatch(/expected shard 2 in its place, got: 1/)
  expect(await said([a, { ...b, buckets: ['9'] }, c])).toMatch(/expected buckets .* of shard 2, got: 9/)
  expect(await said([a, { ...b, file: { ...c.file } }, c])).toMatch(
    /expected metadata shard 2 of 3, got: 3 of 3/,
  )
  expect(await said([a, { ...b, inputs: b.inputs.slice(1) }, c])).toMatch(
    /expected the shards to have read 15 files/,
  )
  appendFileSync(b.entities.path, 'x')
  expect(await said([a, b, c])).toMatch(/shard 2: expected sha256/)
  rmSync(b.file.path)
  expect(await said([a, b, c])).toMatch(/the part of shard 2 cannot be read: ENOENT/)
})

test('a small night is not divided', async () => {
  const asked = request(root, CALLS, 5)
  expect(await divideFeatures({ ...asked, view: { ...asked.view, minShard: 1_000_000 } })).toBeUndefined()
})
