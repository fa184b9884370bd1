import { showPath } from '../../project/object-path.ts'
import type { View } from '../../project/project.ts'
import { openEngine } from '../engine/duckdb.ts'
import { type CheckedSql, checkFeatureSql, type SqlOptions } from './check-sql.ts'

/** So many texts are remembered: the views and labels of a project, each for several declarations. */
const MOST = 100
const parsed = new Map<string, Promise<CheckedSql>>()

/**
 * What SQL over a view's sources says by itself, without a look at any of them: parsed in an engine of its own (30
 * ms), once for each text in the life of a process. Of features.sql `tables` are the sources that a partition depends
 * on. Others are declared for labels.sql and `outcomes`: they are no inputs of it, and whether they are late or gone
 * is no matter of a night.
 */
export function parseAlone(
  root: string,
  { sql, sqlFile, sources }: Pick<View, 'sources' | 'sql' | 'sqlFile'>,
  timezone: string,
  temp: string,
): Promise<CheckedSql> {
  const options: SqlOptions = { file: showPath(root, sqlFile), declaredSources: Object.keys(sources) }
  const key = JSON.stringify([sql, options])
  const known = parsed.get(key)
  if (known !== undefined) return known
  const result = parse(sql, options, timezone, temp)
  parsed.set(key, result)
  result.catch(() => parsed.delete(key))
  const [oldest] = parsed.keys()
  if (parsed.size > MOST && oldest !== undefined) parsed.delete(oldest)
  return result
}

async function parse(sql: string, options: SqlOptions, timezone: string, temp: string): Promise<CheckedSql> {
  const engine = await openEngine({ readable: [], writable: [], temp, threads: 1, timezone })
  try {
    return await checkFeatureSql(engine, sql, options)
  } finally {
    engine.close()
  }
}

/** The sources that checked SQL reads: all, if it cannot be parsed. */
export function sourcesRead(checked: CheckedSql, { sources }: Pick<View, 'sources'>): string[] {
  return checked.hash === '' ? Object.keys(sources) : checked.tables
}
