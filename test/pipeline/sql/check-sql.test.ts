import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Engine, openEngine } from '../../../src/pipeline/engine/duckdb.ts'
import { viewHash } from '../../../src/pipeline/features/view-hash.ts'
import { checkFeatureSql } from '../../../src/pipeline/sql/check-sql.ts'
import type { View } from '../../../src/project/project.ts'
import { duration, makeView } from '../feature-case.ts'

let engine: Engine

beforeAll(async () => {
  engine = await openEngine({ readable: [], writable: [], temp: '/tmp', threads: 1, timezone: 'UTC' })
})
afterAll(() => engine.close())

const check = (sql: string, more = {}) =>
  checkFeatureSql(engine, sql, { file: 'features.sql', declaredSources: ['calls', 'customers'], ...more })

/** Problems as `severity line:column message`. */
async function problems(sql: string, more = {}): Promise<string[]> {
  const { problems: found } = await check(sql, more)
  return found.map(({ severity, line, column, message }) => `${severity} ${line}:${column} ${message}`)
}

describe('SQL of features', () => {
  it('may read its sources, common tables and $as_of', async () => {
    const sql = `-- now() in a comment\nWITH recent AS (SELECT * FROM Calls WHERE started_at >= $as_of - INTERVAL 30 DAY),\n  n AS (SELECT id, count(*) AS n FROM recent GROUP BY id)\nSELECT customers.id, n.n, 'random()' AS "now()" FROM customers LEFT JOIN n USING (id);`
    const { problems: found, tables, parameters } = await check(sql)
    expect(found).toEqual([])
    expect(tables).toEqual(['calls', 'customers'])
    expect(parameters).toEqual(['as_of'])
  })

  it('costs what its length is: 1,500 columns take less than a second of processor time', async () => {
    const columns = Array.from({ length: 1500 }, (_, index) => `column_${index}`)
    const before = process.cpuUsage()
    expect(await problems(`SELECT ${columns.join(', ')} FROM calls`)).toEqual([])
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1e6).toBeLessThan(1)
  })

  it.each([
    ['SELECT 1; SELECT 2', 'error 1:11 expected one SELECT, got: a second statement (SELECT ...): remove it'],
    [
      'SELECT 1;\nDROP TABLE calls',
      'error 2:1 expected one SELECT, got: a second statement (DROP ...): remove it',
    ],
    ["COPY calls TO 'x'", 'error 1:1 expected one SELECT, got: COPY'],
    ['  -- nothing', 'error undefined:undefined expected one SELECT, got: nothing'],
    ['SELECT a frm x y FROM calls', 'error 1:14 syntax error at or near "x"'],
    ['PIVOT calls ON a USING sum(b)', 'error 1:1 expected one SELECT, got: PIVOT'],
  ])('is one SELECT: %s', async (sql, problem) => {
    expect(await problems(sql)).toEqual([problem])
  })

  it.each([
    [
      "SELECT *\nFROM read_parquet('x.parquet')",
      'error 2:6 table functions are refused, got: read_parquet(...); legal are the declared sources: calls, customers',
    ],
    [
      "SELECT * FROM 'x.parquet'",
      'error 1:15 expected the name of a declared source, got: x.parquet; files are not read directly: declare them in view.yaml under sources',
    ],
    [
      'SELECT * FROM call',
      'error 1:15 expected the name of a declared source, got: call; legal are: calls, customers; did you mean calls?',
    ],
    [
      'SELECT * FROM main.calls',
      'error 1:15 expected the name of a declared source, got: main.calls; legal are: calls, customers',
    ],
    [
      'SELECT (SELECT max(x) FROM duckdb_settings) FROM calls',
      'error 1:28 expected the name of a declared source, got: duckdb_settings; legal are: calls, customers',
    ],
    [
      'WITH x AS (SELECT * FROM x) SELECT * FROM x',
      'error 1:26 expected the name of a declared source, got: x; legal are: calls, customers',
    ],
    [
      'SELECT * FROM (SUMMARIZE calls)',
      'error 1:16 DESCRIBE, SHOW and SUMMARIZE are refused: features are a plain SELECT',
    ],
    ['SELECT $asof FROM calls', 'error 1:8 expected a parameter of $as_of, got: $asof; did you mean $as_of?'],
    ['SELECT $label_end FROM calls', 'error 1:8 expected a parameter of $as_of, got: $label_end'],
  ])('cannot look elsewhere: %s', async (sql, problem) => {
    expect(await problems(sql)).toEqual([problem])
  })

  it('of labels has $label_end', async () => {
    expect(
      await problems('SELECT id FROM calls WHERE x < $label_end', { parameters: ['as_of', 'label_end'] }),
    ).toEqual([])
  })

  it.each([
    ['SELECT a,\n  now() FROM calls', 'error 2:3 now() depends on when it runs: use $as_of'],
    ["SELECT 'äöü' AS ü, now() FROM calls", 'error 1:20 now() depends on when it runs: use $as_of'],
    ['SELECT current_date FROM calls', 'error 1:8 current_date depends on when it runs: use $as_of'],
    ['SELECT ago(INTERVAL 1 DAY) FROM calls', 'error 1:8 ago() depends on when it runs: use $as_of'],
    ['SELECT age(a) FROM calls', 'error 1:8 age() with one argument depends on when it runs: age($as_of, x)'],
    [
      'SELECT 1 FROM calls WHERE random() < 0.5',
      'error 1:27 random() differs from run to run: for a stable choice use hash() of a column',
    ],
    [
      'SELECT uuid() FROM calls',
      'error 1:8 uuid() differs from run to run: for a stable choice use hash() of a column',
    ],
    [
      "SELECT getvariable('x') FROM calls",
      'error 1:8 getvariable() depends on the session it runs in: features depend on their sources and $as_of alone',
    ],
    [
      'SELECT user FROM calls',
      'error 1:8 user depends on the session it runs in: features depend on their sources and $as_of alone',
    ],
    [
      'SELECT a FROM calls TABLESAMPLE 10%',
      'error 1:21 TABLESAMPLE differs from run to run: for a stable sample filter by hash() of the entity',
    ],
    [
      'SELECT a FROM calls USING SAMPLE 5',
      'error 1:27 TABLESAMPLE differs from run to run: for a stable sample filter by hash() of the entity',
    ],
    [
      'SELECT approx_quantile(a, 0.5) FROM calls',
      'error 1:8 approx_quantile() estimates by the order in which rows arrive: use quantile_cont or an exact count',
    ],
  ])('cannot depend on the moment or on chance: %s', async (sql, problem) => {
    expect(await problems(sql)).toEqual([problem])
  })

  it.each([
    'first',
    'last',
    'any_value',
    'arbitrary',
    'mode',
    'list',
    'array_agg',
    'string_agg',
    'group_concat',
    'listagg',
  ])('cannot use %s without ORDER BY', async (name) => {
    expect(await problems(`SELECT ${name}(a) FROM calls`)).toEqual([
      `error 1:8 ${name}() depends on the order of rows: add ORDER BY, as in ${name}(x ORDER BY y)`,
    ])
    expect(await problems(`SELECT ${name}(a ORDER BY b) FROM calls`)).toEqual([
      `advice 1:8 ${name}() takes rows that its ORDER BY leaves equal as they come, and runs may differ: order by enough columns to leave none, as in ${name}(x ORDER BY y, x)`,
    ])
    for (const order of ['a', 'A DESC', 'b, a', '(b, c)'])
      expect(await problems(`SELECT ${name}(a ORDER BY ${order}) FROM calls`), order).toEqual([])
  })

  it.each([
    [
      'SELECT DISTINCT ON (a) a, b FROM calls',
      'error 1:8 DISTINCT ON depends on the order of rows: add ORDER BY',
    ],
    ['SELECT a FROM calls LIMIT 3', 'error 1:21 LIMIT depends on the order of rows: add ORDER BY'],
    [
      'SELECT row_number() OVER (PARTITION BY a) FROM calls',
      'error 1:8 row_number() OVER without ORDER BY depends on the order of rows: add ORDER BY',
    ],
    [
      'SELECT a FROM calls POSITIONAL JOIN customers',
      'error 1:21 POSITIONAL JOIN depends on the order of rows: join by a key',
    ],
    [
      'SELECT json_group_array(a) FROM calls',
      'error 1:8 json_group_array() depends on the order of rows: use to_json(list(x ORDER BY y))',
    ],
  ])('cannot depend on the order of rows: %s', async (sql, problem) => {
    expect(await problems(sql)).toEqual([problem])
  })

  it('is advised where ties decide', async () => {
    const sql =
      'SELECT arg_max(a, b), arg_max(a, (b, c)), row_number() OVER (ORDER BY b) FROM calls ORDER BY a LIMIT 3'
    const found = await problems(sql)
    expect(found.map((problem) => problem.split(' ').slice(0, 3).join(' '))).toEqual([
      'advice 1:8 arg_max()',
      'advice 1:43 row_number()',
      'advice 1:96 LIMIT',
    ])
  })

  it('may call a column user, where a source has one', async () => {
    expect(await problems('SELECT user FROM calls', { columns: ['User'] })).toEqual([])
  })

  it('tells which columns it may read, so that others cost nothing', async () => {
    expect((await check('SELECT c.A, count(*) FROM calls c WHERE b > 1 GROUP BY ALL')).names).toEqual(
      new Set(['c', 'a', 'b']),
    )
    expect((await check('WITH x AS (SELECT a FROM calls) SELECT * FROM x')).names).toEqual(new Set(['a']))
    for (const sql of [
      'SELECT * FROM calls',
      'SELECT c FROM calls AS c',
      "SELECT COLUMNS('a.*') FROM calls",
      'SELECT a FROM calls NATURAL JOIN customers',
      'SELECT 1 FROM calls WHERE COLUMNS(*) > 1',
    ]) {
      expect((await check(sql)).names, sql).toBeUndefined()
    }
  })
})

describe('the hash', () => {
  const hash = async (sql: string) => (await check(sql)).hash

  it('stays where comments, spaces and the case of keywords change, and moves with a number or a name', async () => {
    const base = await hash('SELECT a, sum(b) FROM calls WHERE c >= $as_of - INTERVAL 30 DAY GROUP BY a')
    expect(base).toMatch(/^[0-9a-f]{64}$/)
    expect(
      await hash(
        '/* why */ select a,\n\n sum(b) from calls -- what\n where c >= $as_of - interval 30 day group by a;',
      ),
    ).toBe(base)
    expect(await hash('SELECT a, sum(b) FROM calls WHERE c >= $as_of - INTERVAL 31 DAY GROUP BY a')).not.toBe(
      base,
    )
    expect(await hash('SELECT a, sum(d) FROM calls WHERE c >= $as_of - INTERVAL 30 DAY GROUP BY a')).not.toBe(
      base,
    )
  })

  it('of a view moves with its sources and its entity, and not with what is expected of it', async () => {
    const view = makeView('/project', {
      sql: '',
      sources: {
        calls: {
          kind: 'events',
          path: 'calls/*.parquet',
          event_time: 'at',
          available_at: 'arrived',
          cutoff: duration('4h'),
        },
      },
    })
    const parsed = { hash: 'x', tables: ['calls'], names: new Set(['id', 'at']) }
    const hash = (of: View, sql = parsed, zone = 'UTC') => viewHash(sql, of, zone)
    const base = hash(view)
    const same = { ...view, owner: 'other@example.com', description: 'words', columns: { a: { min: 1 } } }
    expect(hash(same)).toBe(base)
    expect(hash(view, { ...parsed, hash: 'y' })).not.toBe(base)
    expect(hash({ ...view, entity: ['id', 'plan'] })).not.toBe(base)
    const [calls] = Object.values(view.sources)
    if (calls?.kind !== 'events') throw new Error('expected events')
    for (const changed of [
      { cutoff: duration('5h') },
      { timezone: 'Europe/Berlin' },
      { event_time: 'ended' },
      { timezones: { at: 'Europe/Berlin' } },
      { timezones: { arrived: 'Europe/Berlin' } },
      { optional: ['At'] },
      { hive: { at: 'VARCHAR' as const } },
    ]) {
      expect(
        hash({ ...view, sources: { calls: { ...calls, ...changed } } }),
        JSON.stringify(changed),
      ).not.toBe(base)
    }
    expect(hash(view, parsed, 'Europe/Berlin')).not.toBe(base)
    // Where files lie, what nobody reads, and a default that is written out change nothing.
    for (const changed of [
      { path: 'other/*.parquet' },
      { settle: duration('1m') },
      { timezone: 'UTC' },
      { timezones: { unread: 'Asia/Tokyo' } },
      { optional: ['unread'], hive: { unread: 'BIGINT' as const } },
    ]) {
      expect(hash({ ...view, sources: { calls: { ...calls, ...changed } } }), JSON.stringify(changed)).toBe(
        base,
      )
    }
    expect(hash({ ...view, sources: { calls, labels: { kind: 'static', path: 'l.parquet' } } })).toBe(base)
  })
})
