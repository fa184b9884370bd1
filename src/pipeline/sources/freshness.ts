import type { View } from '../../project/project.ts'
import { type Cut, momentFrom } from '../cut/cut.ts'
import { type SourceTable, timeOfTable } from '../cut/cut-view.ts'
import { rawLimit } from '../cut/time-column.ts'
import { showInstant } from '../cut/wall-time.ts'
import type { Engine } from '../engine/duckdb.ts'
import type { Check, FeatureFacts } from '../engine/facts.ts'
import { rawInstant } from './admitted.ts'
import { type CutSource, newestVisible } from './source-tables.ts'

export type Late = FeatureFacts['late'][number]

/**
 * Evaluates `expect.fresh`: of each named source the newest row that can be seen at the as-of must be no older than
 * the duration. A row at exactly that age is fresh.
 */
export async function checkFreshness(
  engine: Engine,
  view: Pick<View, 'expect'>,
  { tables, sources }: { tables: SourceTable[]; sources: CutSource[] },
  cut: Cut,
): Promise<{ checks: Check[]; late: Late[] }> {
  const checks: Check[] = []
  const late: Late[] = []
  for (const [name, duration] of Object.entries(view.expect.fresh)) {
    const table = tables.find(({ found }) => found.name === name)
    if (table === undefined) continue
    const oldest = momentFrom(cut, duration, -1)
    const key = sources.find(({ found }) => found.name === name)?.admitted.newestKey
    const newest = key ?? (await newestInstant(engine, table, cut, oldest))
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

/** Looks at what is young enough first: of a long history that is the last row groups alone. */
async function newestInstant(
  engine: Engine,
  table: SourceTable,
  cut: Cut,
  oldest: bigint,
): Promise<bigint | undefined> {
  const time = timeOfTable(table)
  if (time === undefined) return undefined
  const raw =
    (await newestVisible(engine, table, cut, rawLimit(time, oldest))) ??
    (await newestVisible(engine, table, cut))
  return raw === undefined ? undefined : rawInstant(raw, time)
}
