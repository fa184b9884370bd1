import type { View } from '../project/project.ts'
import { rawInstant } from './admitted.ts'
import { type Cut, later } from './cut.ts'
import { type SourceTable, timeOfTable } from './cutview.ts'
import type { Engine } from './duckdb.ts'
import type { Check, FeatureFacts } from './facts.ts'
import { showInstant } from './localtime.ts'
import { newestVisible } from './tables.ts'

export type Late = FeatureFacts['late'][number]

/**
 * Evaluates `expect.fresh`: of each named source the newest row that can be seen at the as-of must be no older than
 * the duration. A row at exactly that age is fresh.
 */
export async function checkFreshness(
  engine: Engine,
  view: Pick<View, 'expect'>,
  tables: SourceTable[],
  newestKeys: Map<string, bigint | undefined>,
  cut: Cut,
): Promise<{ checks: Check[]; late: Late[] }> {
  const checks: Check[] = []
  const late: Late[] = []
  for (const [name, duration] of Object.entries(view.expect.fresh)) {
    const table = tables.find(({ found }) => found.name === name)
    if (table === undefined) continue
    const newest = newestKeys.get(name) ?? (await newestInstant(engine, table, cut))
    const oldest = later(cut.at, duration, cut.timezone, -1)
    const passed = newest !== undefined && newest >= oldest
    const needed = showInstant(oldest)
    const observed = newest === undefined ? null : showInstant(newest)
    if (!passed) late.push({ source: name, newest: observed, needed })
    checks.push({
      id: `expect.fresh.${name}`,
      kind: 'fresh',
      column: undefined,
      passed,
      observed,
      bound: needed,
      message: `source ${name}: expected its newest row to be no older than ${duration.text} at the as-of (${needed} or later), got: ${observed ?? 'no row before the as-of'}`,
      samples: [],
    })
  }
  return { checks, late }
}

async function newestInstant(engine: Engine, table: SourceTable, cut: Cut): Promise<bigint | undefined> {
  const time = timeOfTable(table)
  const raw = await newestVisible(engine, table, cut)
  return time === undefined || raw === undefined ? undefined : rawInstant(raw, time)
}
