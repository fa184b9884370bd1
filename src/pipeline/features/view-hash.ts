import { createHash } from 'node:crypto'
import type { KeyTypes, Source, View } from '../../project/project.ts'
import { sourceIdentity } from '../../project/source-kinds.ts'
import { zonesOf } from '../cut/source-zones.ts'
import type { Identity } from '../engine/facts.ts'
import { declaredTimes } from '../sources/admitted.ts'
import type { CheckedSql } from '../sql/check-sql.ts'

type Parsed = Pick<CheckedSql, 'hash' | 'tables' | 'names'>
type Definition = Pick<View, 'entity' | 'fill' | 'sources'>

export function identityOf(checked: Parsed, view: Definition, projectZone: string): Identity {
  return checked.hash === ''
    ? { viewHash: '', formerHash: null }
    : { viewHash: viewHash(checked, view, projectZone), formerHash: formerHash(checked.hash, view) }
}

/**
 * The identity of a view (sha256, hex): its parsed SQL, its entity, the values that stand in for null on the way to
 * the model, the project's zone, and of each source that the SQL reads its kind, keys, times, cutoff and zones, and
 * which columns may be missing, of what type the folders' keys are, and how its files are read (`format`, `select`). Where the files lie, other sources, expectations,
 * owner and description are no part of it, nor is any order of writing.
 */
export function viewHash(checked: Parsed, view: Definition, projectZone: string): string {
  const sources = Object.entries(view.sources)
    .filter(([name]) => checked.tables.includes(name))
    .map(([name, source]) => [
      name,
      ...sourceIdentity(source, view.entity),
      ...ofColumns(source, checked.names, projectZone),
    ])
  return sha256([
    2,
    checked.hash,
    view.entity,
    sorted(Object.entries(view.fill)),
    projectZone,
    sorted(sources),
  ])
}

/** The hash of builds before 2026-11-28: it covers the paths, and every source that is declared. */
function formerHash(sqlHash: string, view: Definition): string | null {
  const sources = Object.entries(view.sources)
  if (sources.some(([, { timezones, optional, hive }]) => timezones ?? optional ?? hive)) return null
  const declared = sources.map(([name, source]) => {
    const [kind, ...rest] = sourceIdentity(source, view.entity)
    return [name, [kind, source.path, source.timezone ?? 'UTC', ...rest]]
  })
  return sha256([sqlHash, view.entity, sorted(Object.entries(view.fill)), sorted(declared)])
}

/** Types of keys as they were decided when this definition was first used, undefined where it never was. */
export function decidedKeys(
  checked: Parsed,
  view: Definition & Pick<View, 'decided'>,
  projectZone: string,
): KeyTypes | undefined {
  return checked.hash === '' ? undefined : view.decided?.[viewHash(checked, view, projectZone)]
}

/** Zones of timestamps and of dates; then the declarations of single columns, as far as the SQL or the cut reads them. */
function ofColumns(source: Source, names: CheckedSql['names'], projectZone: string): unknown[] {
  const { timestamps, dates, columns } = zonesOf(source, projectZone)
  const times = declaredTimes(source).map((name) => name.toLowerCase())
  const isRead = (name: string) => names === undefined || names.has(name) || times.includes(name)
  const hive = Object.entries(source.hive ?? {}).map(([name, type]) => [name.toLowerCase(), type])
  return [
    [timestamps, dates, sorted([...columns].filter(([name]) => isRead(name)))],
    (source.optional ?? [])
      .map((name) => name.toLowerCase())
      .filter(isRead)
      .sort(),
    sorted(hive.filter(([name = '']) => isRead(name))),
    ...ofFormat(source),
  ]
}

/** How rows come of the files, as written. A source of plain Parquet says nothing: its hash stays what it was. */
function ofFormat({ format = 'parquet', types = {}, delimiter, select }: Source): unknown[] {
  if (format === 'parquet' && select === undefined) return []
  return [[format, sorted(Object.entries(types)), delimiter ?? null, select?.trim() ?? null]]
}

function sorted<E extends unknown[]>(entries: E[]): E[] {
  return entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
}

function sha256(content: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}
