import { tmpdir } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Engine, openEngine } from '../../../src/pipeline/engine/duckdb.ts'
import { perEntityProblems } from '../../../src/pipeline/sql/per-entity.ts'
import { asNode, parseSql } from '../../../src/pipeline/sql/syntax.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine({ readable: [], writable: [], temp: tmpdir(), threads: 1, timezone: 'UTC' })
})
afterAll(() => engine.close())

/** What is said of SQL over `calls` and `customers` in buckets of `id`, and `rates`, which has none. */
async function said(sql: string, entity = ['id']): Promise<string | undefined> {
  const parsed = await parseSql(engine, sql)
  if (!parsed.ok) throw new Error(parsed.message)
  const tree = asNode(parsed.statements[0]?.node)
  if (tree === undefined) throw new Error('no tree')
  const [problem] = perEntityProblems(tree, sql, {
    file: 'features.sql',
    entity,
    bucketed: ['calls', 'customers'],
  })
  return problem && `${problem.line}:${problem.column} ${problem.message}`
}

describe('SQL whose rows are of one entity each is let through', () => {
  test.each([
    'SELECT id, count(*) AS n FROM calls GROUP BY id',
    'SELECT id, count(*) AS n FROM calls GROUP BY 1',
    'SELECT c.id AS id, count(*) AS n FROM calls AS c GROUP BY ALL',
    'SELECT id, plan, $as_of AS seen FROM customers WHERE plan IS NOT NULL ORDER BY plan',
    'SELECT * FROM customers',
    'SELECT * EXCLUDE (plan) FROM customers',
    'SELECT c.*, k.n FROM customers c LEFT JOIN (SELECT id, count(*) AS n FROM calls GROUP BY id) k USING (id)',
    'SELECT id, n FROM customers LEFT JOIN (SELECT id, count(*) AS n FROM calls GROUP BY id) USING (id)',
    'SELECT id, coalesce(n, 0) AS n FROM customers FULL JOIN (SELECT id, count(*) AS n FROM calls GROUP BY id) USING (id)',
    'SELECT c.id, sum(k.seconds * r.rate) AS cost FROM customers c JOIN calls k ON k.id = c.id AND k.seconds > 3 JOIN rates r ON r.plan = c.plan GROUP BY c.id',
    'SELECT c.id, k.seconds FROM customers c, calls k WHERE k.id = c.id',
    'SELECT c.id, (SELECT count(*) FROM calls k WHERE k.id = c.id LIMIT 1) AS n FROM customers c',
    'SELECT c.id, (SELECT max(rate) FROM rates r WHERE r.plan = c.plan) AS rate FROM customers c',
    'SELECT c.id, EXISTS (SELECT 1 FROM calls k WHERE c.id = k.id AND k.seconds > 60) AS long FROM customers c',
    'SELECT c.id, q.n FROM customers c, LATERAL (SELECT count(*) AS n FROM calls k WHERE k.id = c.id) q',
    'SELECT id, plan FROM customers SEMI JOIN calls USING (id)',
    'SELECT k.id, c.plan FROM calls k ASOF JOIN customers c ON k.id = c.id AND k.t >= c.since',
    'SELECT id, sum(seconds) OVER w AS s FROM calls WINDOW w AS (PARTITION BY id ORDER BY t)',
    'SELECT id, sum(COLUMNS(* EXCLUDE (id))) FROM calls GROUP BY id',
    'SELECT c.id, q.t FROM customers c LEFT JOIN LATERAL (SELECT t FROM calls k WHERE k.id = c.id ORDER BY t LIMIT 1) q ON true',
    'SELECT DISTINCT id, plan FROM customers',
    'SELECT DISTINCT ON (id) id, plan FROM customers ORDER BY id, plan',
    'SELECT id, seconds FROM calls QUALIFY row_number() OVER (PARTITION BY id ORDER BY t, seconds) = 1',
    'WITH rows_of_all AS (SELECT id, t FROM calls UNION ALL SELECT id, since FROM customers) SELECT id, count(*) AS n FROM rows_of_all GROUP BY id',
    'WITH t(customer, n) AS (SELECT id, count(*) FROM calls GROUP BY id) SELECT customer AS id, n FROM t',
    'SELECT id, u.v FROM customers CROSS JOIN unnest([1, 2]) AS u(v)',
    'WITH top AS (SELECT plan, rate FROM rates ORDER BY rate DESC LIMIT 3) SELECT id, rate FROM customers LEFT JOIN top USING (plan)',
  ])('%s', async (sql) => {
    expect(await said(sql)).toBeUndefined()
  })

  test('an entity of two columns needs both, everywhere', async () => {
    const two = ['id', 'product']
    expect(
      await said('SELECT id, product, count(*) AS n FROM calls GROUP BY id, product', two),
    ).toBeUndefined()
    expect(
      await said(
        'SELECT id, product, n FROM customers JOIN (SELECT id, product, count(*) AS n FROM calls GROUP BY ALL) USING (id, product)',
        two,
      ),
    ).toBeUndefined()
    expect(await said('SELECT id, count(*) AS n FROM calls GROUP BY id', two)).toMatch(
      /without the entity: add id, product/,
    )
    expect(await said('SELECT a.id, a.product FROM calls a JOIN customers b ON a.id = b.id', two)).toMatch(
      /joins rows of different/,
    )
    expect(
      await said('SELECT id, product, rank() OVER (PARTITION BY id ORDER BY t) AS r FROM calls', two),
    ).toMatch(/window/)
  })
})

describe('SQL that mixes entities, or may, is refused with its place', () => {
  test.each<[string, RegExp]>([
    [
      'SELECT plan, count(*) FROM customers GROUP BY plan',
      /^1:\d+ .*groups by columns without the entity: add id to GROUP BY/,
    ],
    ['SELECT count(*) AS n FROM calls', /aggregates over all entities: add GROUP BY id/],
    ['SELECT id, count(*) FROM calls GROUP BY ROLLUP (id)', /several sets of columns/],
    [
      'SELECT id, seconds,\n  avg(seconds) OVER () AS mean FROM calls',
      /^2:3 .*window over rows of several entities: write PARTITION BY id/,
    ],
    [
      'SELECT id, rank() OVER (PARTITION BY plan ORDER BY since) AS r FROM customers',
      /window over rows of several/,
    ],
    ['SELECT id FROM calls ORDER BY t LIMIT 10', /by LIMIT: number the rows of each entity/],
    ['(SELECT id FROM calls) UNION ALL (SELECT id FROM customers) LIMIT 5', /by LIMIT/],
    ['SELECT DISTINCT ON (plan) id, plan FROM customers ORDER BY plan, id', /DISTINCT ON/],
    [
      'SELECT c.id, k.seconds FROM customers c JOIN calls k ON k.plan = c.plan',
      /joins rows of different entities: join sources with buckets by id/,
    ],
    ['SELECT c.id FROM customers c JOIN calls k ON k.id = c.id OR k.seconds > 3', /joins rows of different/],
    ['SELECT c.id FROM customers c JOIN calls k ON k.id < c.id', /joins rows of different/],
    ['SELECT c.id FROM customers c JOIN calls k ON lower(k.id) = c.id', /joins rows of different/],
    ['SELECT c.id FROM customers c, calls k', /joins rows of different/],
    ['SELECT id FROM rates LEFT JOIN calls USING (id)', /keeps rows of a source without buckets/],
    ['SELECT id FROM rates RIGHT JOIN calls USING (id)', /RIGHT JOIN/],
    ['SELECT id FROM calls FULL JOIN rates USING (id)', /keeps rows of a source without buckets/],
    ['SELECT id FROM rates SEMI JOIN calls USING (id)', /keeps rows of a source without buckets/],
    ['SELECT id FROM rates', /reads no source with buckets/],
    ['SELECT id FROM calls UNION ALL SELECT id FROM rates', /adds rows of a source without buckets/],
    [
      'SELECT id, seconds / (SELECT sum(seconds) FROM calls) AS share FROM calls',
      /aggregates over all entities/,
    ],
    [
      'SELECT id, (SELECT max(k.seconds) FROM calls k WHERE k.plan = c.plan) AS m FROM customers c',
      /aggregates over all entities/,
    ],
    [
      'SELECT id, EXISTS (SELECT 1 FROM calls k WHERE k.plan = c.plan) AS m FROM customers c',
      /reads rows of all entities in a subquery/,
    ],
    ['SELECT id FROM customers WHERE friend IN (SELECT id FROM calls)', /by IN or the like/],
    ['SELECT id FROM customers WHERE id NOT IN (SELECT id FROM calls)', /by IN or the like/],
    // `c` is here another table than around it.
    [
      'SELECT c.id, (SELECT max(c.rate) FROM rates c WHERE EXISTS (SELECT 1 FROM calls k WHERE k.id = c.id)) AS m FROM customers c',
      /reads rows of all entities in a subquery/,
    ],
    // `id` is that of `calls` itself on both sides.
    [
      'SELECT id, (SELECT count(*) FROM calls WHERE id = id) AS n FROM customers',
      /aggregates over all entities/,
    ],
    ['SELECT friend AS id, plan FROM customers', /does not show that its rows are of one entity each/],
    ['SELECT upper(id) AS id FROM customers', /does not show/],
    ['SELECT k.id, c.plan FROM customers c LEFT JOIN calls k ON k.id = c.id', /does not show/],
    [
      'SELECT c.id, count(*) OVER (PARTITION BY k.id) AS n FROM customers c LEFT JOIN calls k ON k.id = c.id',
      /window over rows/,
    ],
    ['SELECT r.*, c.id FROM rates r JOIN customers c ON c.plan = r.plan', /does not show/],
    ['SELECT * EXCLUDE (id) FROM customers', /does not show/],
    ['SELECT * REPLACE (friend AS id) FROM customers', /does not show/],
    [
      'SELECT id, n FROM customers JOIN (SELECT plan AS id, count(*) AS n FROM calls GROUP BY plan) USING (id)',
      /groups by columns without/,
    ],
    ['SELECT id FROM (SELECT friend AS id FROM customers) JOIN calls USING (id)', /joins rows of different/],
    [
      'SELECT id FROM (SELECT id FROM calls) t(friend) JOIN customers ON friend = customers.plan',
      /joins rows of different/,
    ],
    [
      'WITH RECURSIVE t AS (SELECT id, friend FROM customers UNION ALL SELECT t.id, c.friend FROM t JOIN customers c ON c.id = t.friend) SELECT id, count(*) AS n FROM t GROUP BY id',
      /as in a recursive query/,
    ],
    [
      'SELECT id, sum(seconds) OVER w AS s FROM calls WINDOW w AS (PARTITION BY plan ORDER BY t)',
      /window over rows/,
    ],
    ['SELECT id, seconds FROM calls ORDER BY rank() OVER (ORDER BY t)', /window over rows/],
    ['SELECT id FROM calls GROUP BY GROUPING SETS ((id), (plan, id))', /several sets/],
    ['SELECT plan AS id, count(*) AS n FROM calls GROUP BY id', /does not show/],
    [
      'SELECT c.id, q.t FROM customers c LEFT JOIN LATERAL (SELECT t FROM calls k WHERE k.plan = c.plan ORDER BY t LIMIT 1) q ON true',
      /LIMIT|joins rows/,
    ],
    ['SELECT id FROM customers POSITIONAL JOIN calls', /POSITIONAL JOIN/],
  ])('%s', async (sql, message) => {
    expect(await said(sql)).toMatch(message)
    expect(await said(sql)).toMatch(/or remove per_entity$/)
  })
})
