import type { View } from '../../project/project.ts'
import { openEngine } from '../engine/duckdb.ts'
import { showPath } from '../sources/sources.ts'
import { type CheckedSql, checkFeatureSql } from './check-sql.ts'

/**
 * What SQL over a view's sources says by itself, without a look at any of them: parsed in an engine of its own (10 ms).
 * Of features.sql `tables` are the sources that a partition depends on. Others are declared for labels.sql and
 * `outcomes`: they are no inputs of it, and whether they are late or gone is no matter of a night.
 */
export async function parseAlone(
  root: string,
  { sql, sqlFile, sources }: Pick<View, 'sources' | 'sql' | 'sqlFile'>,
  timezone: string,
  temp: string,
): Promise<CheckedSql> {
  const engine = await openEngine({ readable: [], writable: [], temp, threads: 1, timezone })
  try {
    return await checkFeatureSql(engine, sql, {
      file: showPath(root, sqlFile),
      declaredSources: Object.keys(sources),
    })
  } finally {
    engine.close()
  }
}

/** The sources that checked SQL reads: all, where it cannot be parsed and nobody knows. */
export function sourcesRead(checked: CheckedSql, { sources }: Pick<View, 'sources'>): string[] {
  return checked.hash === '' ? Object.keys(sources) : checked.tables
}
