import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeView } from '../../../src/pipeline/features/compute-features.ts'
import { type CaseView, makeFolder, makeView, writeParquet } from '../feature-case.ts'

const SOURCES: CaseView['sources'] = { t: { kind: 'events', path: 'data/*.parquet', event_time: 'ts' } }

async function project(
  sql = `SELECT i AS n, i % 3 AS k, i / 7 AS x, (i / 7)::FLOAT AS f, 'p' || i % 2 AS plan, TIMESTAMP '2026-11-01' + to_hours(i::INTEGER) AS ts FROM range(200) t(i)`,
) {
  const root = makeFolder()
  await writeParquet(join(root, 'data/a.parquet'), sql)
  return root
}

describe('a description', () => {
  const describeSql = async (sql: string, more: Partial<CaseView> = {}, root?: string) => {
    const folder = root ?? (await project())
    return describeView({
      root: folder,
      view: makeView(folder, { sql, sources: SOURCES, ...more }),
      timezone: 'Europe/Berlin',
    })
  }

  it('tells columns, types and hash without computing', async () => {
    const { columns, problems, viewHash } = await describeSql(
      'SELECT n AS id, avg(x)::FLOAT AS mean, max(ts) AS newest FROM t GROUP BY n',
    )
    expect(columns).toEqual([
      { name: 'id', type: 'BIGINT' },
      { name: 'mean', type: 'FLOAT' },
      { name: 'newest', type: 'TIMESTAMP' },
    ])
    expect(problems).toEqual([])
    expect(viewHash).toMatch(/^[0-9a-f]{64}$/)
  })

  it('advises where a sum of doubles reaches the output, through subqueries too', async () => {
    const advice = async (sql: string) =>
      (await describeSql(sql)).problems.map(
        ({ severity, line, column, message }) => `${severity} ${line}:${column} ${message.split(',')[0]}`,
      )
    expect(await advice('SELECT n AS id, sum(x) AS total FROM t GROUP BY n')).toEqual([
      'advice 1:17 column total is a sum of doubles',
    ])
    expect(
      await advice(
        'WITH s AS (SELECT n, sum(x) AS t FROM t GROUP BY n) SELECT n AS id, t / 2 AS half FROM s',
      ),
    ).toEqual(['advice 1:71 column half is a sum of doubles'])
    for (const sql of [
      'sum(x)::FLOAT',
      'sum(x::DECIMAL(18, 6))',
      'avg(k)',
      'round(sum(x), 3)',
      'max(x)',
      'count(*) FILTER (x > 1) / 2',
    ]) {
      expect(await advice(`SELECT n AS id, ${sql} AS v FROM t GROUP BY n`), sql).toEqual([])
    }
  })

  it('says everything that is wrong with view.yaml at once', async () => {
    const { problems } = await describeSql('SELECT n AS id, plan, k FROM t', {
      entity: ['idd'],
      columns: { plan: { min: 1 }, k: { values: [1, 2.5] }, nope: { max: 1 } },
      fill: { plan: 3 },
    })
    expect(problems.map(({ file, message }) => `${file}: ${message}`)).toEqual([
      'features/view/view.yaml: entity: expected a column of features.sql, got: idd; it has: id, plan, k; did you mean id?',
      'features/view/view.yaml: columns.plan: min and max are for numbers, and plan is VARCHAR',
      'features/view/view.yaml: columns.k.values: expected values of type BIGINT, got: 2.5',
      'features/view/view.yaml: columns: expected a column of features.sql, got: nope; it has: id, plan, k',
      'features/view/view.yaml: fill.plan: expected a value of type VARCHAR, got: 3',
    ])
  })

  it('of a view whose files are not there says so, and checks the SQL all the same', async () => {
    const { columns, problems, viewHash } = await describeSql('SELECT now() AS id FROM t', {}, makeFolder())
    expect(columns).toEqual([])
    expect(problems.map(({ severity, message }) => `${severity} ${message.split(/[:,]/)[0]}`)).toEqual([
      'error now() depends on when it runs',
      'error source t',
    ])
    expect(viewHash).not.toBe('')
  })
})
