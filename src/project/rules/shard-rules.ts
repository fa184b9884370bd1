import type { Fault } from '../files/entry.ts'
import { isMap } from './map.ts'

/** Rules of a view whose nights are divided by entity: `per_entity`, `shards`, and `buckets` of its sources. */
export function shardRules(data: Record<string, unknown>, sources: Record<string, unknown>): Fault[] {
  const bucketed = Object.entries(sources).filter(([, source]) => isMap(source) && 'buckets' in source)
  return [
    ...together(data, bucketed.length > 0),
    ...(data.per_entity === true ? [] : bucketed.map(([table]) => unused(table))),
    ...bucketed.flatMap((each) => ofSource(each, data.entity)),
  ]
}

function together(data: Record<string, unknown>, isBucketed: boolean): Fault[] {
  const { per_entity: perEntity = false, shards } = data
  if (perEntity === false && typeof shards === 'number' && shards > 1) {
    const message = `shards is ${shards}, and per_entity is not true: a night can be divided only if a row depends on rows of its own entity alone; say \`per_entity: true\` if that holds, or remove shards`
    return [{ path: ['shards'], message }]
  }
  if (perEntity !== true || isBucketed) return []
  const message =
    'per_entity is true, and no source has buckets: name the key of the folders that divide a source by the entity, such as `calls: { path: lake/calls/bucket=*/*.parquet, ..., buckets: bucket }`, or remove per_entity'
  return [{ path: ['per_entity'], message }]
}

function unused(table: string): Fault {
  const message = `sources.${table} has buckets, and per_entity is not true: every night reads all of it at once; say \`per_entity: true\`, or remove buckets`
  return { path: ['sources', table, 'buckets'], key: true, severity: 'warning', message }
}

function ofSource([table, source]: [string, unknown], entity: unknown): Fault[] {
  if (!isMap(source) || typeof source.buckets !== 'string') return []
  const { buckets, path, key } = source
  const faults: Fault[] = []
  const names = typeof path === 'string' ? keysIn(path) : undefined
  if (names !== undefined && !names.includes(buckets.toLowerCase()))
    faults.push({
      path: ['sources', table, 'buckets'],
      message: `sources.${table}.buckets is ${buckets}, and the path has no folder ${buckets}=...; it has: ${names.join(', ') || 'none'}. Name a key of the path, or write it there, such as lake/${table}/${buckets}=*/*.parquet`,
    })
  if (key === undefined) return faults
  const own: unknown[] = [key].flat()
  const columns: unknown[] = [entity].flat()
  const without = columns.filter((column) => !own.includes(column))
  if (without.length > 0)
    faults.push({
      path: ['sources', table, 'key'],
      message: `sources.${table} has buckets, and its key lacks ${without.join(', ')} of the entity: the latest row of a key may then lie in another bucket. Add it to key, or remove buckets`,
    })
  return faults
}

/** Names of the `key=value` folders of a pattern, in lower case; undefined where a wildcard may stand for others. */
function keysIn(pattern: string): string[] | undefined {
  const folders = pattern.split('/').slice(0, -1)
  if (folders.some((folder) => /[*?{[]/.test(folder.split('=')[0] ?? ''))) return undefined
  return folders.flatMap((folder) =>
    folder.indexOf('=') > 0 ? [folder.split('=')[0]?.toLowerCase() ?? ''] : [],
  )
}

/** Sources of a model are read by labels, outcomes and metrics, which are never divided. */
export function withoutBuckets(sources: Record<string, unknown>): Fault[] {
  return Object.entries(sources).flatMap(([table, source]) =>
    isMap(source) && 'buckets' in source
      ? [
          {
            path: ['sources', table, 'buckets'],
            key: true,
            message: `sources.${table} has buckets, which divide the features of a view: a model's own sources are read whole; remove it`,
          },
        ]
      : [],
  )
}
