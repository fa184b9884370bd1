import { didYouMean } from '../../project/files/nearest.ts'
import type { Source } from '../../project/project.ts'
import { traitsOf } from '../../project/source-kinds.ts'
import { LOCAL } from '../../project/time/zone.ts'
import { isTime, ZONED } from '../cut/time-column.ts'
import { Failure } from '../engine/failure.ts'
import type { SourceColumn } from './file-kinds.ts'
import { noColumn } from './misfit-columns.ts'
import { columnNamed, type Schema } from './source-columns.ts'
import type { FoundSource, SourceFile } from './sources.ts'

/** Fields of a declaration that name columns; `time` where the column has to be one. */
function declared(source: Source): { field: string; name: string; time: boolean }[] {
  const { key, time, end, arrival } = traitsOf(source)
  return [
    ...key.map((name) => ({ field: 'key', name, time: false })),
    ...[time, end, arrival].flatMap((each) => (each === undefined ? [] : [{ ...each, time: true }])),
  ]
}

/** The columns that a source's cut is made with, whatever a query reads beside them. */
export function declaredColumns({ source }: FoundSource, schema: Schema): SourceColumn[] {
  return declared(source).flatMap(({ name }) => columnNamed(schema.columns, name) ?? [])
}

/**
 * True where a query that reads columns of these names in lower case (undefined: any) may need a key of the source's
 * folders. Asked before the types are known.
 */
export function mayReadKeys(
  { found, files }: { found: FoundSource; files: SourceFile[] },
  names: ReadonlySet<string> | undefined,
): boolean {
  if (found.hiveKeys.length === 0) return false
  if (names === undefined) return true
  const all = new Set([...names, ...declared(found.source).map(({ name }) => name.toLowerCase())])
  const isRead = (name: string) => all.has(name.toLowerCase())
  // A query that reads no column is given one, which may be a key.
  return (
    found.hiveKeys.some(isRead) ||
    !files.some(({ footer }) => footer.columns.some(({ name }) => isRead(name)))
  )
}

/** Throws a contract Failure where a declared column is missing or no time. */
export function checkDeclared(found: FoundSource, schema: Schema): void {
  const traits = traitsOf(found.source)
  for (const { field, name, time } of declared(found.source)) {
    const column = columnNamed(schema.columns, name)
    if (column === undefined)
      throw noColumn(
        found.name,
        field,
        name,
        schema.columns.map((each) => each.name),
      )
    if (column.isKey && time && (traits.rows === 'latest-of-key' || field === traits.arrival?.field)) {
      throw refuse(
        found,
        field,
        `expected ${field} to be a column of the files, got: ${name}, a key of the folders`,
      )
    }
    if (!column.isKey && time && !isTime(column.type))
      throw refuse(found, field, `expected ${field} to be a TIMESTAMP or a DATE, got: ${name} ${column.type}`)
  }
  checkZones(found, schema)
  checkKeys(found)
}

/** A type that names no key would leave one to be decided by what lies on disk, in silence. */
function checkKeys(found: FoundSource): void {
  for (const name of Object.keys(found.source.hive ?? {})) {
    if (found.hiveKeys.some((key) => key.toLowerCase() === name.toLowerCase())) continue
    const keys = found.hiveKeys.join(', ') || 'none'
    throw refuse(
      found,
      'hive',
      `expected hive to name keys of the folders, got: ${name}; they have: ${keys}${didYouMean(name, found.hiveKeys)}`,
    )
  }
}

/** A zone that names no column would leave one in another zone, in silence. */
function checkZones(found: FoundSource, { columns }: Schema): void {
  const names = columns.map(({ name }) => name)
  for (const [name, zone] of Object.entries(found.source.timezones ?? {})) {
    const column = columnNamed(columns, name)
    const why =
      column === undefined
        ? `expected timezones to name columns, got: ${name}; its columns are: ${names.join(', ')}${didYouMean(name, names)}`
        : column.isKey || isTime(column.type)
          ? zonedFault(column, zone)
          : `expected timezones to name columns of times, got: ${name} ${column.type}; remove it`
    if (why !== undefined) throw refuse(found, 'timezones', why)
  }
}

function zonedFault({ name, type }: SourceColumn, zone: string): string | undefined {
  if (type !== ZONED || zone === LOCAL || zone === 'UTC') return undefined
  return `expected timezones.${name} to be ${LOCAL} or UTC, got: ${zone}; ${name} is ${ZONED}, which says its zone itself: remove it`
}

function refuse(found: FoundSource, field: string, why: string): Failure {
  return new Failure('contract', `source ${found.name}: ${why}`, { evidence: { source: found.name, field } })
}
