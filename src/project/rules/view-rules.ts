import type { Fault } from '../files/entry.ts'
import { didYouMean, nearestName } from '../files/nearest.ts'
import { MOST_PROBLEMS } from '../files/problem.ts'
import { listed } from '../files/value-text.ts'
import { COLUMN_FIELDS, columnFields } from '../source-kinds.ts'
import { entriesOf, isMap, minOverMax } from './map.ts'
import { shardRules } from './shard-rules.ts'

/** Rules over several keys of one view.yaml. */
export function viewRules(data: Record<string, unknown>): Fault[] {
  const sources = isMap(data.sources) ? data.sources : {}
  const expect = isMap(data.expect) ? data.expect : {}
  return [
    ...sourceRules(sources),
    ...shardRules(data, sources),
    ...entriesOf(data.columns).flatMap(([column, bounds]) => minOverMax(bounds, ['columns', column])),
    ...minOverMax(expect.rows, ['expect', 'rows']),
    ...fresh(
      entriesOf(expect.fresh).map(([table]) => table),
      sources,
    ),
  ]
}

/** Rules of sources, for both files that declare them. */
export function sourceRules(sources: Record<string, unknown>): Fault[] {
  return [...arrival(sources), ...optional(sources), ...textOnly(sources), ...sameTable(Object.keys(sources))]
}

/** `available_at` and `cutoff` only work together. */
function arrival(sources: Record<string, unknown>): Fault[] {
  return Object.entries(sources).flatMap(([table, source]) => {
    if (!isMap(source) || !columnFields(source.kind)?.includes('available_at')) return []
    const path = (key: string) => ['sources', table, key]
    if ('available_at' in source && !meant('cutoff', source)) {
      const message = `sources.${table} has available_at but no cutoff: add how long after the as-of its rows may still arrive, such as \`cutoff: 4h\``
      return [{ path: path('available_at'), key: true, message }]
    }
    if ('cutoff' in source && !meant('available_at', source)) {
      const message = `sources.${table} has cutoff but no available_at: name the column with the time when a row arrived, or remove cutoff`
      return [{ path: path('cutoff'), key: true, message }]
    }
    return []
  })
}

/** Without the columns that a source is cut by, its rows would be visible at the wrong time, or never. */
function optional(sources: Record<string, unknown>): Fault[] {
  return Object.entries(sources).flatMap(([table, source]) => {
    if (!isMap(source) || !Array.isArray(source.optional)) return []
    return source.optional.flatMap((name: unknown, index) => {
      const field = COLUMN_FIELDS.find((each) => [source[each]].flat().includes(name))
      if (typeof name !== 'string' || field === undefined) return []
      const message = `sources.${table}.optional names ${name}, which is its ${field}: every file must have that column; remove it from optional`
      return [{ path: ['sources', table, 'optional', index], message }]
    })
  })
}

/** What says how text is read says nothing of Parquet files. */
function textOnly(sources: Record<string, unknown>): Fault[] {
  return Object.entries(sources).flatMap(([table, source]) => {
    if (!isMap(source)) return []
    const { format = 'parquet' } = source
    if (format !== 'parquet' && format !== 'csv' && format !== 'json') return []
    const wrong = [
      ...(format === 'parquet' ? ['types'] : []),
      ...(format === 'csv' ? [] : ['delimiter']),
    ].filter((key) => key in source)
    return wrong.map((key) => ({
      path: ['sources', table, key],
      key: true,
      message: `sources.${table} has ${key}, which is for ${key === 'types' ? 'CSV and JSON' : 'CSV'} files, and its format is ${format}: ${key === 'types' ? 'add `format: csv`, or cast in `select`, such as SELECT * REPLACE (try_cast(amount AS DOUBLE) AS amount) FROM raw' : 'remove it'}`,
    }))
  })
}

/** True if the key is present, even misspelt: that is already reported. */
function meant(key: string, source: Record<string, unknown>): boolean {
  return key in source || nearestName(key, Object.keys(source)) !== undefined
}

function sameTable(tables: string[]): Fault[] {
  const seen = new Map<string, string>()
  return tables.flatMap((table) => {
    const first = seen.get(table.toLowerCase())
    if (first === undefined) seen.set(table.toLowerCase(), table)
    const message = `sources has ${first} and ${table}: SQL does not distinguish them; rename one`
    return first === undefined ? [] : [{ path: ['sources', table], key: true, message }]
  })
}

function fresh(tables: string[], sources: Record<string, unknown>): Fault[] {
  const known = Object.keys(sources)
  const wrong = tables.filter((table) => !isMap(sources[table]) || isTimeless(sources[table].kind))
  return wrong.slice(0, MOST_PROBLEMS + 1).flatMap((table) => {
    const path = ['expect', 'fresh', table]
    if (!Object.hasOwn(sources, table)) {
      const message = `expect.fresh names ${table}, which is not a source of this view; it has: ${listed(known) || 'none'}${didYouMean(table, known)}`
      return [{ path, key: true, message }]
    }
    const source = sources[table]
    if (!isMap(source) || !isTimeless(source.kind)) return []
    return [
      {
        path,
        key: true,
        message: `expect.fresh names ${table}, a ${source.kind} source: it has no time column; remove it`,
      },
    ]
  })
}

function isTimeless(kind: unknown): boolean {
  return columnFields(kind)?.length === 0
}
