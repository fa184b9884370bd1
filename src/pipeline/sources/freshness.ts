import type { View } from '../../project/project.ts'
import { type Cut, momentFrom } from '../cut/cut.ts'
import { type SourceTable, timeOfTable } from '../cut/cut-view.ts'
import { rawLimit } from '../cut/time-column.ts'
import { showInstant } from '../cut/wall-time.ts'
import type { Engine } from '../engine/duckdb.ts'
import type { Check } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { rawInstant } from './admitted.ts'
import { type CutSource, newestVisible } from './source-tables.ts'

const PREFIX = 'expect.fresh.'

/**
 * Evaluates `expect.fresh`: of each named source the newest row that can be seen at the as-of must be no older than
 * the duration. A row at exactly that age is fresh.
 */
export async function checkFreshness(
  engine: Engine,
  view: Pick<View, 'expect'>,
  { tables, sources }: { tables: SourceTable[]; sources: CutSource[] },
  cut: Cut,
): Promise<Check[]> {
  const checks: Check[] = []
  for (const [name, duration] of Object.entries(view.expect.fresh)) {
    const table = tables.find(({ found }) => found.name === name)
    if (table === undefined) continue
    const oldest = momentFrom(cut, duration, -1)
    const key = sources.find(({ found }) => found.name === name)?.admitted.newestKey
    const newest = key ?? (await newestInstant(engine, table, cut, oldest))
    const passed = newest !== undefined && newest >= oldest
    const needed = showInstant(oldest)
    const observed = newest === undefined ? null : showInstant(newest)
    checks.push({
      id: `${PREFIX}${name}`,
      kind: 'fresh',
      column: undefined,
      passed,
      observed,
      bound: needed,
      message: `source ${name}: expected its newest row to be no older than ${duration.text} at the as-of (${needed} or later), got: ${observed ?? 'no row before the as-of'}`,
      samples: [],
    })
  }
  return checks
}

/** Throws `late-data` with the sources whose newest row is too old: that is a matter of waiting. */
export function refuseLate(checks: Check[]): void {
  const late = checks.flatMap(({ id, passed, observed, bound }) =>
    passed ? [] : [{ source: id.slice(PREFIX.length), newest: observed, needed: bound }],
  )
  const [first] = late
  if (first === undefined) return
  const others = late.length === 1 ? '' : ` (and ${late.length - 1} more)`
  throw new Failure(
    'late-data',
    `source ${first.source} is late${others}: its newest row is of ${first.newest ?? 'never'}, required is ${first.needed} or later`,
    { evidence: { late } },
  )
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
