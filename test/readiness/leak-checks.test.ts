import { utimesSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openProject } from '../../src/project/files/load-project.ts'
import type { Source } from '../../src/project/project.ts'
import { type LeakCheck, leakCheck } from '../../src/readiness/leak-checks.ts'
import { handlers } from '../../src/workers/child/handlers.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { makeFolder, makeView, writeParquet } from '../pipeline/feature-case.ts'
import { purchases, writePurchases } from '../pipeline/leaks/leak-case.ts'

const example = openProject(resolve(import.meta.dirname, '../..'))
const SPEND = 'SELECT id, sum(amount)::FLOAT AS spend FROM purchases GROUP BY id'

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
})
afterAll(() => fresh.drop())

let root: string
let searches: number
beforeEach(async () => {
  root = makeFolder()
  searches = 0
  await writePurchases(root)
})

interface Changed {
  sql?: string
  later?: number
  sources?: Record<string, Source>
  model?: string
  parity?: 'nightly' | 'weekly'
}

/** Asked as the gate asks, with tasks that run here. */
function ask({
  sql = SPEND,
  later = 0,
  sources = { purchases },
  model = root,
  parity = 'nightly',
}: Changed = {}): Promise<LeakCheck> {
  const [declared] = Object.values(example.models)
  if (declared === undefined) throw new Error('the example has no model')
  return leakCheck(
    {
      database: fresh.database,
      project: { ...example, root, timezone: 'UTC' },
      model: { ...declared, name: model, sources: {}, labels: undefined },
      version: undefined,
      champion: undefined,
      now: new Date(Date.now() + 1000 + later),
      warehouse: root,
      children: {
        run(task, request) {
          if (task === 'leaks') searches += 1
          return handlers[task](request, () => undefined)
        },
      },
    },
    { ...makeView(root, { sql, sources }), parity },
  )
}
const DAY = 86_400_000

test('a search is made once for the same definitions and files, and its day is kept', async () => {
  const first = await ask()
  expect(first).toMatchObject({ leaks: [], labelled_rows: 0 })
  expect(await ask({ later: 29 * DAY })).toEqual(first)
  expect(searches).toBe(1)
})

test('it stands in a simulation, which compares its nights once a week', async () => {
  const first = await ask()
  expect(await ask({ parity: 'weekly' })).toEqual(first)
  expect(searches).toBe(1)
})

test('it is made anew after 30 days, and by a clock that was set back', async () => {
  await ask()
  await ask({ later: 31 * DAY })
  expect(searches).toBe(2)
  await ask({ later: -2 * DAY })
  expect(searches).toBe(3)
})

test.each<[string, (root: string) => Promise<Changed>]>([
  ['another features.sql', async () => ({ sql: SPEND.replace('sum', 'max') })],
  [
    'a source declared otherwise',
    async () => ({
      sources: { purchases: { ...purchases, cutoff: { text: '1h', ms: 3_600_000, days: undefined } } },
    }),
  ],
  ['another model', async (root) => ({ model: `${root}-other` })],
  [
    'one file more',
    async (root) => {
      await writeParquet(
        join(root, 'data/purchases/more.parquet'),
        `SELECT 1 AS id, TIMESTAMP '2026-02-02' AS happened, 1.0::DOUBLE AS amount`,
      )
      return {}
    },
  ],
  [
    'a file that was written again',
    async (root) => {
      await writePurchases(root)
      utimesSync(join(root, 'data/purchases/all.parquet'), 1_700_000_000, 1_700_000_000)
      return {}
    },
  ],
])('it is made anew for %s', async (_, change) => {
  await ask()
  await ask(await change(root))
  expect(searches).toBe(2)
})

test('a leak is kept with its message, and is gone with what it was found in', async () => {
  const refunds = { kind: 'static', path: 'data/refunds/*.parquet' } as const
  await writeParquet(join(root, 'data/refunds/all.parquet'), 'SELECT i AS id FROM range(100) t(i)')
  const sql = `${SPEND.replace(' GROUP BY', ' WHERE id IN (SELECT id FROM refunds) GROUP BY')}`
  const leaky = { sql, sources: { purchases, refunds } }
  expect((await ask(leaky)).leaks).toEqual([expect.stringContaining('refunds')])
  expect((await ask(leaky)).leaks).toEqual([expect.stringContaining('refunds')])
  expect(searches).toBe(1)
  expect((await ask()).leaks).toEqual([])
})
