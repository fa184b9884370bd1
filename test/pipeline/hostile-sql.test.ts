import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Engine, openEngine } from '../../src/pipeline/engine/duckdb.ts'
import { checkFeatureSql } from '../../src/pipeline/sql/check-sql.ts'

let engine: Engine

beforeAll(async () => {
  engine = await openEngine({ readable: [], writable: [], temp: '/tmp', threads: 1, timezone: 'UTC' })
  await engine.run(
    'CREATE TABLE calls (id BIGINT, k INTEGER, s VARCHAR, x DOUBLE, m DECIMAL(18,2), t TIMESTAMP, d DATE, tags VARCHAR[], st STRUCT(a INT), mp MAP(VARCHAR, INT), j JSON, "user" VARCHAR)',
  )
})
afterAll(() => engine.close())

async function messages(sql: string, severity = 'error'): Promise<string[]> {
  const { problems } = await checkFeatureSql(engine, sql, {
    file: 'features.sql',
    declaredSources: ['calls'],
    columns: ['user', 'current_date'],
  })
  return problems.filter((each) => each.severity === severity).map(({ message }) => message)
}

const FILE = '"data/x.parquet"'
const TABLE = /expected the name of a declared source/
const NAME = /could be taken for a file/
const AFTER_FROM = /table functions are refused/
const CLOCK = /depends on when it runs/
const SESSION = /depends on the session/
const UNCHECKED = /takes SQL as text/
const NO_FUNCTION = /is no function that SQL of a project may use/

describe('SQL that means harm', () => {
  it.each<[string, RegExp]>([
    [
      `WITH RECURSIVE ${FILE} AS (SELECT id FROM ${FILE} UNION ALL SELECT id FROM ${FILE} WHERE false) SELECT * FROM ${FILE}`,
      TABLE,
    ],
    [
      'WITH RECURSIVE r AS (SELECT id FROM r UNION ALL SELECT id + 1 FROM r WHERE id < 3) SELECT * FROM r',
      TABLE,
    ],
    ['WITH RECURSIVE r AS (SELECT id FROM r) SELECT * FROM r', TABLE],
    [
      'WITH RECURSIVE r(id) USING KEY (id) AS (SELECT id FROM r UNION SELECT id + 1 FROM r) SELECT * FROM r',
      TABLE,
    ],
    ['WITH RECURSIVE a AS (SELECT id FROM b), b AS (SELECT 1 AS id) SELECT * FROM a', TABLE],
    ['WITH a AS (WITH i AS (SELECT 1 AS id) SELECT * FROM i) SELECT * FROM i', TABLE],
    ['SELECT (SELECT max(id) FROM z) FROM (WITH z AS (SELECT 1 AS id) SELECT * FROM z)', TABLE],
    ['(WITH q AS (SELECT 1 AS id) SELECT * FROM q) UNION ALL SELECT * FROM q', TABLE],
    ['SELECT * FROM recurring.calls', TABLE],
    [`WITH ${FILE} AS MATERIALIZED (SELECT * FROM calls) SELECT * FROM ${FILE}`, NAME],
    ['WITH "s3://b/x" AS (SELECT * FROM calls) SELECT * FROM "s3://b/x"', NAME],
    ['WITH "*" AS (SELECT * FROM calls) SELECT * FROM "*"', NAME],
    ['SELECT * FROM calls AS "x.csv"', NAME],
    ['SELECT * FROM (SELECT * FROM calls) "C:x"', NAME],
    ['SELECT * FROM calls "x.parquet", "x.parquet"', TABLE],
    ["SELECT * FROM 'x.parquet'", TABLE],
    ["SELECT * FROM calls WHERE id IN (SELECT id FROM 'x.json')", TABLE],
    ['SELECT * FROM calls, LATERAL (SELECT * FROM "y.parquet" WHERE y.id = calls.id)', TABLE],
    ['SELECT * FROM sqlite_master', TABLE],
    ['SELECT * FROM information_schema.tables', TABLE],
    ["SELECT * FROM read_csv('x')", AFTER_FROM],
    ["SELECT * FROM read_text('/etc/passwd')", AFTER_FROM],
    ["SELECT * FROM sniff_csv('x')", AFTER_FROM],
    ["SELECT * FROM glob('*')", AFTER_FROM],
    ["SELECT * FROM query('SELECT 1')", AFTER_FROM],
    ["SELECT * FROM query_table('x.parquet')", AFTER_FROM],
    ['SELECT * FROM duckdb_settings()', AFTER_FROM],
    ["SELECT * FROM parquet_metadata('x')", AFTER_FROM],
    ["SELECT * FROM json_execute_serialized_sql('{}')", AFTER_FROM],
    ["SELECT * FROM sql_auto_complete('SEL')", AFTER_FROM],
    ["SELECT * FROM histogram('x.parquet', id)", AFTER_FROM],
    ['SELECT * FROM unnest([now()])', CLOCK],
    ['SELECT * FROM (DESCRIBE calls)', /DESCRIBE, SHOW and SUMMARIZE/],
    ['SELECT * FROM (SHOW TABLES)', /DESCRIBE, SHOW and SUMMARIZE/],
    ['SELECT * FROM calls AT (TIMESTAMP => now())', /AT \(\.\.\.\) is refused/],
    ["SELECT json_serialize_plan('SELECT now()', optimize := true) FROM calls", UNCHECKED],
    ["SELECT json_serialize_sql('SELECT 1') FROM calls", UNCHECKED],
    ["SELECT getenv('HOME') FROM calls", SESSION],
    ["SELECT current_setting('TimeZone') FROM calls", SESSION],
    ["SELECT pg_catalog.current_setting('TimeZone') FROM calls", SESSION],
    ["SELECT COALESCE(getvariable('x'), 1) FROM calls", SESSION],
    ['SELECT vector_type(id) FROM calls', SESSION],
    ['SELECT system.main.now() FROM calls', CLOCK],
    ['SELECT t.age() FROM calls', CLOCK],
    ['SELECT calls.t.age() FROM calls', CLOCK],
    ['SELECT * FROM (VALUES (now())) v', CLOCK],
    ['SELECT list_transform(tags, lambda v: v || now()::VARCHAR) FROM calls', CLOCK],
    ['SELECT * REPLACE (today() AS d) FROM calls', CLOCK],
    ['SELECT sum(x) OVER w FROM calls WINDOW w AS (ORDER BY now())', CLOCK],
    ['SELECT CASE WHEN localtimestamp > t THEN 1 END FROM calls', CLOCK],
    [
      'SELECT (SELECT current_date FROM (SELECT id FROM calls)) FROM calls',
      /for the column write its table, as in t\.current_date/,
    ],
    ['SELECT count(*) FILTER (random() < 0.5) FROM calls', /differs from run to run/],
    ['SELECT id FROM calls ORDER BY gen_random_uuid()', /differs from run to run/],
    ["SELECT nextval('s') FROM calls", /changes with each call/],
    ["SELECT has_table_privilege('calls', 'select') FROM calls", /asks for the catalog/],
    ["SELECT write_log('x') FROM calls", /does something instead/],
    ["SELECT make_type('INTEGER') FROM calls", /computes a type/],
    ['SELECT read_secret() FROM calls', NO_FUNCTION],
    ["SELECT list_aggregate(tags, 'approx_quantile', 0.5) FROM calls", /approx_quantile\(\) estimates/],
    ["SELECT list_aggr(tags, 'reservoir_quantile', 0.5) FROM calls", /reservoir_quantile\(\) estimates/],
    ["SELECT tags.array_aggregate('approx_top_k', 3) FROM calls", /approx_top_k\(\) estimates/],
    ["SELECT aggregate(tags, 'approx' || '_quantile', 0.5) FROM calls", /as plain text/],
    ["SELECT list_aggregate(tags, 'nope') FROM calls", NO_FUNCTION],
    ['SELECT list(s ORDER BY 1, 2) FROM calls', /depends on the order of rows/],
    ['SELECT row_number() OVER (ORDER BY 1) FROM calls', /depends on the order of rows/],
    ['SELECT ARRAY(SELECT s FROM calls)', /depends on the order of rows/],
    ['SELECT len(list(s)) FROM calls', /depends on the order of rows/],
    ['SELECT list_sort([x], list(s)) FROM calls', /depends on the order of rows/],
  ])('is refused: %s', async (sql, words) => {
    expect((await messages(sql)).join('\n')).toMatch(words)
  })
})

describe('SQL that features are made of', () => {
  it.each([
    'id, abs(x), round(m, 1), x ** 2, -k, k % 2, ln(x), greatest(k, 2), x // 2',
    "upper(s), s || 'a', substring(s FROM 1 FOR 2), trim(BOTH 'x' FROM s), s LIKE 'a%' ESCAPE '$', s NOT ILIKE 'b', s SIMILAR TO 'c', s GLOB 'd*', regexp_replace(s, 'a', 'b'), s.lower(), position('a' IN s), printf('%d', k), levenshtein(s, 'x'), md5(s), hash(s)",
    "t - INTERVAL 30 DAY, INTERVAL (k) HOUR, t AT TIME ZONE 'UTC', extract(year FROM t), date_trunc('month', t), date_diff('day', t, $as_of), age($as_of, t), strftime(t, '%Y'), time_bucket(INTERVAL 7 DAY, t), last_day(d), d + 1, epoch(t), isodow(t), DATE '2026-01-01'",
    "tags[1], tags[1:2], [1, 2], list_filter([1, k], lambda v: v > 1), [v + 1 FOR v IN [1, 2] IF v > 1], list_sum([k]), list_aggregate([k], 'sum'), len(tags), list_contains(tags, 'a'), array_to_string(tags, ','), list_distinct(tags), flatten([[1]])",
    "st.a, {'a': k}.a, struct_pack(a := k), row(k, s), mp['a'], map_keys(mp), MAP {'a': k}['a'], j->'a', j->>'$.b', json_extract_string(j, '$.c'), CAST(j AS VARCHAR)",
    "CASE k WHEN 1 THEN 'a' ELSE 'b' END, coalesce(k, 0), nullif(k, 0), ifnull(k, 0), if(k > 1, 1, 0), TRY_CAST(s AS INTEGER), TRY(k / 0), k BETWEEN 1 AND 2, k IN (1, 2), k IS DISTINCT FROM 1, typeof(k), s COLLATE NOCASE, EXISTS (SELECT 1 FROM calls), k = ANY ([1, 2]), calls.user",
    'sum(x) OVER (PARTITION BY k), rank() OVER (ORDER BY t), sum(x) OVER (ORDER BY t RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND CURRENT ROW), avg(x) OVER (ORDER BY t, id ROWS 3 PRECEDING)',
  ])('may call: %s', async (list) => {
    const sql = `SELECT ${list} FROM calls`
    expect(await messages(sql)).toEqual([])
    await engine.rows(`DESCRIBE ${sql.replaceAll('$as_of', "TIMESTAMP '2026-11-22'")}`)
  })

  it.each([
    'SELECT k, count(*), count(DISTINCT s), sum(x), avg(m), min(t), median(x), quantile_cont(x, 0.9), percentile_cont(0.5) WITHIN GROUP (ORDER BY x), stddev(x), bool_or(k > 1), approx_count_distinct(s), histogram(k), corr(x, k), entropy(k), count_if(k > 1), mad(x), skewness(x), arg_max(s, (t, id)) FROM calls GROUP BY ROLLUP (k)',
    "SELECT grouping(k), list(s ORDER BY s), list(s ORDER BY s DESC), list(DISTINCT s ORDER BY s), array_agg(s ORDER BY s NULLS LAST), list_sort(list(s)), string_agg(s, ',' ORDER BY s), first(s ORDER BY t, id) FROM calls GROUP BY k",
    'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r, calls',
    'WITH RECURSIVE calls2(a, n) USING KEY (a) AS (SELECT 1, 1 UNION SELECT c.a, c.n + 1 FROM calls2 c JOIN recurring.calls2 r USING (a) WHERE c.n < 3) SELECT * FROM calls2',
    'WITH calls AS (SELECT * FROM calls WHERE k > 1), more AS MATERIALIZED (SELECT * FROM calls) SELECT * FROM more',
    'WITH RECURSIVE calls AS (SELECT id FROM calls UNION ALL SELECT id + 1 FROM calls WHERE id < 3) SELECT * FROM calls',
    'WITH x AS (SELECT 1 AS id) SELECT * FROM (WITH x AS (SELECT id + 1 AS id FROM x) SELECT * FROM x)',
    'SELECT * FROM calls c, LATERAL (SELECT max(x) FROM calls e WHERE e.id = c.id) l, unnest(c.tags) AS u(tag)',
    'SELECT v.a FROM (VALUES (1, 2), (3, 4)) v(a, b), range(3) r(i), generate_series(1, 2) g(i)',
    'SELECT (SELECT 1) AS "a/b", count(*) AS "count(*)" FROM calls',
    "SELECT * EXCLUDE (x) REPLACE (k + 1 AS k), COLUMNS(c -> c LIKE 't%') FROM calls",
    'FROM calls SELECT id QUALIFY rank() OVER (PARTITION BY id ORDER BY t) = 1',
    'SELECT id FROM calls UNION BY NAME SELECT id FROM calls EXCEPT SELECT id FROM calls',
  ])('may say: %s', async (sql) => {
    expect(await messages(sql)).toEqual([])
    await engine.rows(`DESCRIBE ${sql}`)
  })
})

describe('an order that leaves ties', () => {
  it.each<[string, RegExp]>([
    ['SELECT first(s ORDER BY t) FROM calls', /^first\(\) takes rows that its ORDER BY leaves equal/],
    ["SELECT string_agg(s, ',' ORDER BY t) FROM calls", /^string_agg\(\) takes rows/],
    ['SELECT arg_max(s, t) OVER (PARTITION BY k) FROM calls', /^arg_max\(\) takes whichever row comes first/],
    ["SELECT string_agg(s, ',' ORDER BY t, t) FROM calls", /^string_agg\(\) takes rows/],
    ['SELECT arg_max(s, (t, t)) FROM calls', /^arg_max\(\) takes whichever row/],
    ['SELECT arg_max(s, row(t)) FROM calls', /^arg_max\(\) takes whichever row/],
    ['SELECT sum(x) OVER (ORDER BY t, 1 ROWS 3 PRECEDING) FROM calls', /^ROWS counts rows that tie/],
    ['SELECT DISTINCT s COLLATE NOCASE FROM calls', /^COLLATE makes texts equal that differ/],
    ['SELECT list(s) OVER (ORDER BY t) FROM calls', /^list\(\) takes rows/],
    ['SELECT sum(x) OVER (ORDER BY t ROWS 3 PRECEDING) FROM calls', /^ROWS counts rows that tie/],
    [
      'SELECT c.id FROM calls c ASOF JOIN calls d ON c.id = d.id AND c.t >= d.t',
      /^ASOF JOIN takes whichever row/,
    ],
    ["SELECT list_aggregate(tags, 'arg_max', 1) FROM calls", /^arg_max\(\) takes whichever row/],
  ])('is advised about: %s', async (sql, words) => {
    expect(await messages(sql)).toEqual([])
    expect((await messages(sql, 'advice')).join('\n')).toMatch(words)
  })

  it.each([
    'SELECT arg_max(s, (t, id)) OVER (PARTITION BY k) FROM calls',
    'SELECT sum(x) OVER (ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM calls',
    'SELECT sum(x) OVER (ORDER BY t GROUPS 3 PRECEDING) FROM calls',
    'SELECT s.arg_max((t, id)) FROM calls',
    'SELECT list(s ORDER BY t, s) FROM calls',
  ])('is no matter of: %s', async (sql) => {
    expect(await messages(sql, 'advice')).toEqual([])
  })
})
