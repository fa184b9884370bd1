import { existsSync, readdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { classify } from '../../../src/pipeline/engine/classify.ts'
import { Failure } from '../../../src/pipeline/engine/failure.ts'
import { literal } from '../../../src/pipeline/engine/quote.ts'
import { snapshotInputs } from '../../../src/pipeline/features/compute-features.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import {
  type CaseView,
  compute,
  duration,
  makeFolder,
  makeView,
  query,
  SHARED,
  writeParquet,
} from '../feature-case.ts'

const SOURCES: CaseView['sources'] = { t: { kind: 'events', path: 'data/*.parquet', event_time: 'ts' } }

async function project(
  sql = `SELECT i AS n, i % 3 AS k, i / 7 AS x, (i / 7)::FLOAT AS f, 'p' || i % 2 AS plan, TIMESTAMP '2026-11-01' + to_hours(i::INTEGER) AS ts FROM range(200) t(i)`,
) {
  const root = makeFolder()
  await writeParquet(join(root, 'data/a.parquet'), sql)
  return root
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Failure)) throw new Error(`expected a Failure, got: ${String(error)}`)
  return error
}

describe('a partition', () => {
  it('is sorted by entity, and says what it is', async () => {
    const root = await project()
    const view: CaseView = {
      sql: 'SELECT plan, k AS id, count(*) AS n, sum(x)::FLOAT AS total FROM t GROUP BY ALL -- done',
      sources: SOURCES,
      entity: ['id', 'plan'],
    }
    const { facts, rows } = await compute(root, view, '2026-11-22')
    expect(rows.map(({ id, plan }) => `${id} ${plan}`)).toEqual([
      '0 p0',
      '0 p1',
      '1 p0',
      '1 p1',
      '2 p0',
      '2 p1',
    ])
    expect(facts.file).toMatchObject({
      rows: 6,
      columns: [
        { name: 'plan', type: 'VARCHAR' },
        { name: 'id', type: 'BIGINT' },
        { name: 'n', type: 'BIGINT' },
        { name: 'total', type: 'FLOAT' },
      ],
      metadata: { run: 'test', view_hash: facts.viewHash },
    })
    const [sha] = await query(
      `SELECT sha256(content) AS sha, size FROM read_blob(${literal(facts.file.path)})`,
    ).catch(() => [])
    if (sha !== undefined) expect(sha.sha).toBe(facts.file.sha256)
    expect(facts.checks.every(({ passed }) => passed)).toBe(true)
    expect(facts.steps.map(({ step }) => step)).toEqual(
      expect.arrayContaining(['open', 'compute', 'check', 'read back']),
    )
  })

  it('has the same inputs and hash as a look at the files alone', async () => {
    const root = await project()
    const view: CaseView = { sql: 'SELECT n AS id FROM t', sources: SOURCES }
    const { facts } = await compute(root, view, '2026-11-22')
    const seen = await snapshotInputs({
      root,
      view: makeView(root, view),
      asOf: parseAsOf('2026-11-22', 'UTC'),
      timezone: 'UTC',
    })
    const inputs = facts.inputs.map(({ visible: _visible, ...file }) => file)
    expect(seen).toEqual({ inputs, viewHash: facts.viewHash, formerHash: facts.formerHash })
  })

  it.each(['FLOAT', 'DOUBLE'])('counts NaN of a %s with the nulls, and in no entity', async (type) => {
    const root = await project(
      `SELECT CASE WHEN i < 4 THEN 'nan' WHEN i = 5 THEN 'inf' ELSE i::VARCHAR END::${type} AS id, CASE WHEN i = 7 THEN 'nan' WHEN i = 8 THEN '-inf' ELSE i::VARCHAR END::${type} AS x, TIMESTAMP '2026-11-01' AS ts FROM range(100) t(i)`,
    )
    const night = async (rate: number) =>
      (
        await compute(
          root,
          {
            sql: 'SELECT id, x FROM t',
            sources: SOURCES,
            columns: { x: { max_null_rate: rate } },
          },
          '2026-11-22',
        )
      ).facts.checks.flatMap(({ passed, message }) => (passed ? [] : [message]))
    const entity = [
      'entity id: expected no null or NaN, got: 4 (4 of 100 rows)',
      'entity id: expected one row each, got: more than one for 1 of them. Check whether a join in features.sql multiplies rows',
    ]
    expect(await night(0.01)).toEqual(entity)
    expect(await night(0)).toEqual([
      entity[0],
      'column x: expected at most 0 % null or NaN, got: 1 % (1 of 100 rows)',
      entity[1],
    ])
  })

  it('looks at more columns than one statement takes, and finds the one that breaks', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `c${index}`)
    const list = names.map((name, index) => `${index === 250 ? -1 : index}::FLOAT AS ${name}`).join(', ')
    const root = await project(`SELECT i AS id, ${list}, TIMESTAMP '2026-11-01' AS ts FROM range(20) t(i)`)
    const { facts } = await compute(
      root,
      {
        sql: `SELECT id, ${names.join(', ')} FROM t`,
        sources: SOURCES,
        columns: Object.fromEntries(names.map((name) => [name, { min: 0, max: 300, max_null_rate: 0 }])),
      },
      '2026-11-22',
    )
    expect(facts.checks).toHaveLength(903)
    expect(facts.checks.flatMap(({ passed, message }) => (passed ? [] : [message]))).toEqual([
      'column c250: expected 0 or more, got: -1 (20 of 20 rows)',
    ])
    expect(facts.checks.find(({ id }) => id === 'columns.c299.max')).toMatchObject({ observed: 299 })
  })

  it('is held by what it breaks, with rows to look at', async () => {
    const root = await project(
      `SELECT i % 60 AS n, CASE WHEN i < 10 THEN NULL WHEN i = 20 THEN 'NaN'::DOUBLE WHEN i = 21 THEN 'inf' ELSE i END AS x, 'p' || i % 4 AS plan, TIMESTAMP '2026-11-01' AS ts FROM range(100) t(i)`,
    )
    const { facts } = await compute(
      root,
      {
        sql: `SELECT nullif(n, 59) AS id, x, plan FROM t`,
        sources: SOURCES,
        columns: { x: { min: 12, max: 90, max_null_rate: 0.05 }, plan: { values: ['p0', 'p1', 'p2'] } },
        expect: { rows: { min: 200, max: 300, max_change: 0.2 }, fresh: { t: duration('26h') } },
      },
      '2026-11-22',
      { previous: { rows: 150, label: '2026-11-21' } },
    )
    const failed = Object.fromEntries(
      facts.checks.filter(({ passed }) => !passed).map((check) => [check.id, check]),
    )
    expect(Object.keys(failed).sort()).toEqual([
      'columns.plan.values',
      'columns.x.max',
      'columns.x.max_null_rate',
      'columns.x.min',
      'entity.null.id',
      'entity.unique',
      'expect.fresh.t',
      'expect.rows.max_change',
      'expect.rows.min',
    ])
    expect(failed['columns.x.max']).toMatchObject({
      observed: 'NaN',
      bound: 90,
      message: 'column x: expected 90 or less, got: NaN (11 of 100 rows)',
    })
    expect(failed['columns.x.min']).toMatchObject({
      observed: 10,
      message: 'column x: expected 12 or more, got: 10 (3 of 100 rows)',
    })
    expect(failed['columns.x.max_null_rate']?.message).toBe(
      'column x: expected at most 5 % null or NaN, got: 11 % (11 of 100 rows)',
    )
    expect(failed['columns.plan.values']).toMatchObject({ observed: 'p3', bound: 'p0, p1, p2' })
    expect(failed['columns.plan.values']?.samples).toHaveLength(5)
    expect(failed['columns.plan.values']?.samples[0]).toEqual({ id: '3', plan: 'p3' })
    expect(failed['entity.unique']?.samples[0]).toEqual({ id: '0', rows: '2' })
    expect(failed['entity.null.id']?.samples).toEqual([{ id: 'null' }])
    expect(failed['expect.rows.max_change']?.message).toBe(
      'expected the number of rows to be within 20 % of the 150 as of 2026-11-21, got: 100 (-33.33 %)',
    )
    expect(failed['expect.fresh.t']).toMatchObject({
      observed: '2026-11-01T00:00:00Z',
      bound: '2026-11-20T22:00:00Z',
    })
  })

  it('waits for a late source before anything is computed', async () => {
    const root = await project()
    const view: CaseView = {
      sql: 'SELECT n AS id FROM t',
      sources: SOURCES,
      expect: { rows: undefined, fresh: { t: duration('26h') } },
    }
    const out = join(makeFolder(), 'features.parquet')
    const failure = await compute(root, view, '2026-11-22', { waits: true, out }).catch(
      (error: unknown) => error,
    )
    expect(existsSync(out)).toBe(false)
    expect(failure).toMatchObject({
      failureClass: 'late-data',
      message:
        'source t is late: its newest row is of 2026-11-09T07:00:00Z, required is 2026-11-20T22:00:00Z or later',
      evidence: { late: [{ source: 't', newest: '2026-11-09T07:00:00Z', needed: '2026-11-20T22:00:00Z' }] },
    })
  })

  it('without rows is held unless that is said to be right', async () => {
    const root = await project()
    const view: CaseView = {
      sql: 'SELECT n AS id, x FROM t WHERE n > 1000',
      sources: SOURCES,
      columns: { x: { min: 0, max_null_rate: 0 } },
    }
    const failed = (await compute(root, view, '2026-11-22')).facts.checks.filter(({ passed }) => !passed)
    expect(failed.map(({ id }) => id)).toEqual(['expect.rows.min'])
    const said = await compute(
      root,
      { ...view, expect: { rows: { min: 0, max_change: 0.1 }, fresh: {} } },
      '2026-11-22',
    )
    expect(said.facts.checks.every(({ passed }) => passed)).toBe(true)
    expect(said.facts.checks.find(({ id }) => id === 'expect.rows.max_change')?.message).toContain(
      'not tested',
    )
  })

  it('is fresh where its newest row is, to the microsecond', async () => {
    const root = await project(`SELECT 1 AS n, TIMESTAMP '2026-11-20 22:00:00' AS ts`)
    const fresh = async (text: string) => {
      const view: CaseView = {
        sql: 'SELECT n AS id FROM t',
        sources: SOURCES,
        expect: { rows: undefined, fresh: { t: duration(text) } },
      }
      return (await compute(root, view, '2026-11-22')).facts.checks.every(({ passed }) => passed)
    }
    expect(await fresh('26h')).toBe(true)
    expect(await fresh('25h')).toBe(false)
  })
})

describe('what cannot be computed', () => {
  it.each([
    ['SELECT n AS id, now() AS t FROM t', 'features/view/features.sql:1:17: now() depends on when it runs'],
    [
      'SELECT n AS id,\n  nope FROM t',
      'features/view/features.sql:2:3: expected the name of a column, got: nope; t has n, k, x, f, plan, ts',
    ],
    ['SELECT n AS id, plann FROM t', 'did you mean plan?'],
    [
      'SELECT n AS id, sum(k) AS total FROM t GROUP BY n',
      'column total is HUGEINT: Parquet would store it as DOUBLE and lose digits. Cast it: (...)::BIGINT AS total',
    ],
    ['SELECT n AS id, $as_of - ts AS age FROM t', 'column age is INTERVAL: a model needs a number'],
    ['SELECT n AS id, [k] AS ks FROM t', 'column ks is BIGINT[]: a feature is one value'],
    ['SELECT n AS id, k, x AS K FROM t', 'expected every column to have a unique name, got: a second K'],
    [
      'SELECT n FROM t',
      'features/view/view.yaml: entity: expected a column of features.sql, got: id; it has: n',
    ],
  ])('is refused with its place: %s', async (sql, message) => {
    const root = await project()
    const failure = await failureOf(compute(root, { sql, sources: SOURCES }, '2026-11-22'))
    expect(failure.failureClass).toBe('contract')
    expect(failure.message).toContain(message)
  })

  it('for a value that does not fit is a contract, and for want of memory a resource', async () => {
    const root = await project()
    const cast = await failureOf(
      compute(root, { sql: 'SELECT n AS id, plan::INTEGER AS p FROM t', sources: SOURCES }, '2026-11-22'),
    )
    expect([cast.failureClass, cast.message]).toEqual([
      'contract',
      "Could not convert string 'p0' to INT32 when casting from source column plan",
    ])
    const large = 'SELECT 1 AS id, len(list(a.n ORDER BY b.n)) AS n FROM t a, t b, t c WHERE c.n < 80'
    const memory = await failureOf(
      compute(root, { sql: large, sources: SOURCES }, '2026-11-22', { memoryLimit: '40MB', threads: 1 }),
    )
    expect(memory.failureClass).toBe('resource')
  })
})

it('a source that changes while it is read has to be read again', async () => {
  const root = await project()
  const sql =
    'SELECT 1 AS id, count(*) AS n FROM t a, t b, t c, t d WHERE d.n < 30 AND hash(a.n, b.n, c.n, d.n) % 7 = 1'
  const touch = () => utimesSync(join(root, 'data/a.parquet'), 0, 1)
  const failure = await failureOf(compute(root, { sql, sources: SOURCES }, '2026-11-22', { progress: touch }))
  expect([failure.failureClass, failure.message]).toEqual([
    'transient',
    'data/a.parquet changed while it was read: the run must be repeated',
  ])
})

const CDNOW = join(SHARED, 'cdnow')

describe.skipIf(!existsSync(CDNOW))('the purchases of cdnow (skipped where ../shared/data is absent)', () => {
  const view = async (path: string): Promise<CaseView> => ({
    sql: String((await query(`SELECT content FROM read_text('${CDNOW}/features.sql')`))[0]?.content),
    entity: ['customer_id'],
    sources: { purchases: { kind: 'events', path, event_time: 'purchased_at' } },
  })

  it('give 2,357 customers, and as of 1997-07-01 the same from a file that ends there', async () => {
    const spring = await compute(makeFolder(), await view(`${CDNOW}/*.parquet`), '1998-04-01')
    expect(spring.facts.file.rows).toBe(2357)
    expect(spring.facts.file.columns.slice(1).every(({ type }) => type === 'FLOAT')).toBe(true)
    const root = makeFolder()
    await writeParquet(
      join(root, 'purchases.parquet'),
      `SELECT * FROM '${CDNOW}/purchases.parquet' WHERE purchased_at < '1997-07-01'`,
    )
    const whole = await compute(root, await view(`${CDNOW}/*.parquet`), '1997-07-01')
    const ended = await compute(root, await view('*.parquet'), '1997-07-01')
    expect(whole.rows.length).toBeGreaterThan(2000)
    expect(ended.rows).toEqual(whole.rows)
  })
})

const PARQUET = join(SHARED, 'parquet')

describe.skipIf(!existsSync(PARQUET))(
  'files of apache/parquet-testing (skipped where ../shared/data is absent)',
  () => {
    const files = existsSync(PARQUET)
      ? ['bad', 'good'].flatMap((kind) =>
          readdirSync(join(PARQUET, kind)).map((name) => join(PARQUET, kind, name)),
        )
      : []
    /** What is read in silence: nested levels that are off, and a dictionary of zero bits, which is right. */
    const READ = ['ARROW-GH-43605', 'ARROW-GH-45185', 'ARROW-RS-GH-6229-LEVELS', '/good/']
    const WARNED = ['datapage_v1-corrupt-checksum']

    it.each(files)(
      'end in a partition, a warning or a contract that names the file, and the next run works: %s',
      async (path) => {
        const view: CaseView = {
          sql: 'SELECT 1 AS id, count(*) AS n, bit_xor(v.h) AS x FROM (SELECT hash(t) AS h FROM t) v',
          sources: { t: { kind: 'static', path } },
        }
        const result = await compute(makeFolder(), view, '2026-11-22').catch((error: unknown) =>
          classify(error),
        )
        if (WARNED.some((name) => path.includes(name))) {
          expect(result).toMatchObject({
            facts: {
              warnings: [expect.stringContaining(`${path}: the page checksums of columns a, b do not match`)],
            },
          })
        } else if (READ.some((name) => path.includes(name))) {
          expect(result).toMatchObject({ facts: { warnings: [] } })
        } else {
          expect(result).toMatchObject({ failureClass: 'contract', message: expect.stringContaining(path) })
        }
        const good = {
          ...view,
          sources: { t: { kind: 'static', path: join(PARQUET, 'good/alltypes_plain.parquet') } },
        } satisfies CaseView
        expect((await compute(makeFolder(), good, '2026-11-22')).rows[0]?.n).toBe('8')
      },
    )
  },
)
