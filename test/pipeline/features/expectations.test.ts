import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openEngine } from '../../../src/pipeline/engine/duckdb.ts'
import { checkExpectations } from '../../../src/pipeline/features/expectations.ts'
import { makeFolder, writeParquet } from '../feature-case.ts'

/** How many entities of a file have more than one row, and the first of them. */
async function doublesIn(sql: string, entity: string[]) {
  const folder = makeFolder()
  const path = await writeParquet(join(folder, 'a.parquet'), sql)
  const engine = await openEngine({
    readable: [path],
    writable: [],
    temp: join(folder, 'temp'),
    threads: 2,
    timezone: 'UTC',
  })
  try {
    const columns = entity.map((name) => ({ name, type: 'BIGINT' }))
    const view = { entity, columns: {}, expect: { rows: undefined, fresh: {} } }
    const checks = await checkExpectations(engine, { view, path, columns, previous: undefined })
    const { observed, samples } = checks.find(({ kind }) => kind === 'entity.unique') ?? {}
    return { observed, samples }
  } finally {
    engine.close()
  }
}

it('doubles are counted by entity, over the borders of row groups and where a part of the entity is null', async () => {
  // Three rows of 122,879, which lie in two row groups of 122,880 rows; two of (7, null).
  const sql = `SELECT a, b FROM (
      SELECT range AS a, range % 2 AS b FROM range(300000)
      UNION ALL SELECT 122879, 1 FROM range(2) UNION ALL SELECT 7, NULL FROM range(2)
    ) ORDER BY a, b`
  expect(await doublesIn(sql, ['a', 'b'])).toEqual({
    observed: 2,
    samples: [
      { a: '7', b: 'null', rows: '2' },
      { a: '122879', b: '1', rows: '3' },
    ],
  })
})

it('doubles are found in a file that is not in order, too', async () => {
  expect(await doublesIn('SELECT unnest([3, 1, 2, 3, 1]) AS a', ['a'])).toMatchObject({ observed: 2 })
  expect(await doublesIn('SELECT unnest([3, 1, 2]) AS a', ['a'])).toEqual({ observed: 0, samples: [] })
})
