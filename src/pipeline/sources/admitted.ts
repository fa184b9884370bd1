import { Temporal } from 'temporal-polyfill'
import type { Source } from '../../project/project.ts'
import { traitsOf } from '../../project/source-kinds.ts'
import { arrivalBefore, type Cut } from '../cut/cut.ts'
import { timeColumn } from '../cut/source-zones.ts'
import { rawLimit, type TimeColumn, ZONED } from '../cut/time-column.ts'
import { dateBound, fromLocal, readInstant, showInstant } from '../cut/wall-time.ts'
import type { InputFile } from '../engine/facts.ts'
import type { FooterColumn, Range } from './footers.ts'
import { HIVE_NULL } from './glob.ts'
import { contract, type FoundSource, type SourceFile } from './sources.ts'
import { type Unreadable, unreadableFailure } from './unreadable-files.ts'

const DAY = 86_400_000_000n

/** Which of a source's files can hold rows that are seen at a cut, by their footers and paths alone. */
export interface Admitted {
  files: SourceFile[]
  /** Of a source whose time is a hive key: the instant of the newest key before the cut. */
  newestKey: bigint | undefined
}

/** Name of the column or hive key that a source's rows are ordered in time by. */
export function timeName(source: Source): string | undefined {
  return traitsOf(source).time?.name
}

/** Names of the columns or keys whose times decide what a cut shows of the source. */
export function declaredTimes(source: Source): string[] {
  const { time, arrival, end } = traitsOf(source)
  return [time, arrival, end].flatMap((each) => each?.name ?? [])
}

/** The source's time is a key of its folders, not a column of its files. */
export function isKeyed({ source, hiveKeys }: FoundSource): boolean {
  const name = timeName(source)
  return name !== undefined && keyNamed(hiveKeys, name) !== undefined
}

/**
 * Leaves out what lies wholly behind the cut. So a file that arrives for a later night changes nothing of an
 * earlier one. Throws a contract Failure where a hive key is no time, and where a file that may matter cannot be read
 * (late-data while it may still be being written).
 */
export function admit(found: FoundSource, cut: Cut): Admitted {
  const { source, hiveKeys, files, unreadable } = found
  const name = timeName(source)
  const key = name === undefined ? undefined : keyNamed(hiveKeys, name)
  if (key === undefined) refuseUnreadable(found, unreadable, cut)

  if (name === undefined) return { files, newestKey: undefined }
  if (key === undefined) {
    const arrived = arrivalBefore(source, cut)
    const kept = files.filter(
      (file) =>
        startsBefore(columnOf(file, name), found, cut.at) &&
        (arrived === undefined || startsBefore(columnOf(file, arrived.name), found, arrived.before)),
    )
    return { files: kept, newestKey: undefined }
  }
  const [dated, broken] = [datedBefore(found, files, key, cut), datedBefore(found, unreadable, key, cut)]
  const newest = [...dated, ...broken].reduce<bigint | undefined>(
    (max, { at }) => (max === undefined || at > max ? at : max),
    undefined,
  )
  const isNewestOnly = traitsOf(source).rows === 'newest-time'
  const counts = ({ at }: { at: bigint }) => !isNewestOnly || at === newest
  refuseUnreadable(
    found,
    broken.filter(counts).map(({ file }) => file),
    cut,
  )
  return { files: dated.filter(counts).map(({ file }) => file), newestKey: newest }
}

/** Those whose key is a time before the cut, a date one whose day is over. A null time is before none. */
function datedBefore<F extends Keyed>(
  found: FoundSource,
  files: F[],
  key: string,
  cut: Cut,
): { file: F; at: bigint }[] {
  return files.flatMap((file) => {
    const at = keyInstant(found, file, key)
    if (at === undefined || at >= cut.at) return []
    return isOver(found, file.keys.get(key) ?? '', key, cut) ? [{ file, at }] : []
  })
}

/** A time of a folder is over at once, a date with its day. */
function isOver(found: FoundSource, value: string, key: string, cut: Cut): boolean {
  if (!isDate(value)) return true
  const { zone } = timeColumn(found.zones, { name: key, type: 'DATE' })
  return readInstant(`${value}T00:00:00Z`) / DAY < dateBound(zone, cut.at)
}

function refuseUnreadable(found: FoundSource, unreadable: Unreadable[], cut: Cut): void {
  const failure = unreadableFailure(found.name, found.source, unreadable, Number(cut.knownAt / 1000n))
  if (failure !== undefined) throw failure
}

/** What a run records of the files it reads. */
export function inputFiles(found: FoundSource, files: SourceFile[]): InputFile[] {
  const name = timeName(found.source)
  return files.map((file) => ({
    source: found.name,
    path: file.shown,
    size: file.size,
    modified: new Date(file.modified).toISOString(),
    rows: file.footer.rows,
    newest: name === undefined ? null : newestOf(found, file, name),
  }))
}

function newestOf(found: FoundSource, file: SourceFile, name: string): string | null {
  const key = keyNamed(found.hiveKeys, name)
  if (key !== undefined) {
    const at = keyInstant(found, file, key)
    return at === undefined ? null : showInstant(at)
  }
  const span = spanOf(found, file, name)
  return span === undefined ? null : showInstant(span.last)
}

/** The instant of a raw value: microseconds, or days of a date. */
export function rawInstant(value: bigint, { type, zone }: TimeColumn): bigint {
  return fromLocal(zone, type === 'DATE' ? value * DAY : value)
}

/** Statistics over several files, undefined where one of them says nothing. Files without a value have nothing to say. */
export function rangeOver(files: SourceFile[], name: string): Range | undefined {
  let range: Range | undefined
  for (const file of files) {
    const column = columnOf(file, name)
    if (file.footer.rows === 0 || column === undefined || column.isVoid) continue
    const own = column.range
    if (own === undefined) return undefined
    range =
      range === undefined
        ? own
        : { min: own.min < range.min ? own.min : range.min, max: own.max > range.max ? own.max : range.max }
  }
  return range
}

/** Names of columns are compared without case, as DuckDB does. */
export function columnOf(file: SourceFile, name: string): FooterColumn | undefined {
  const { columns } = file.footer
  return (
    columns.find((column) => column.name === name) ??
    columns.find((column) => column.name.toLowerCase() === name.toLowerCase())
  )
}

/** Unknown bounds admit. */
function startsBefore(column: FooterColumn | undefined, found: FoundSource, instant: bigint): boolean {
  const time = column && timeOf(column, found)
  if (column?.range === undefined || time === undefined) return true
  return column.range.min < rawLimit(time, instant)
}

/** How the statistics of a footer count time; undefined where they do not. */
function timeOf({ name, time }: FooterColumn, { zones }: FoundSource): TimeColumn | undefined {
  return time === undefined ? undefined : timeColumn(zones, { name, type: TYPES[time] })
}

const TYPES = { instant: ZONED, naive: 'TIMESTAMP', date: 'DATE' }

/** The first and the last instant of a time column by a file's statistics; undefined where they say none. */
export function spanOf(
  found: FoundSource,
  file: SourceFile,
  name: string,
): { first: bigint; last: bigint } | undefined {
  const column = columnOf(file, name)
  const time = column && timeOf(column, found)
  if (column?.range === undefined || time === undefined) return undefined
  return { first: rawInstant(column.range.min, time), last: rawInstant(column.range.max, time) }
}

function keyNamed(keys: string[], name: string): string | undefined {
  return keys.find((key) => key.toLowerCase() === name.toLowerCase())
}

/** What has keys in its path. */
type Keyed = Pick<SourceFile, 'keys' | 'shown'>

/** `2026-11-21` is the local midnight that begins that day, `2026-11-21T03:00` a wall time, `2026-11-21T03Z` an instant. */
export function keyInstant(found: FoundSource, file: Keyed, key: string): bigint | undefined {
  const value = file.keys.get(key) ?? ''
  if (value === HIVE_NULL) return undefined
  try {
    if (/^\d{4}-\d{2}-\d{2}T\d{2}Z$/.test(value)) return readInstant(value.replace('Z', ':00Z'))
    if (/Z$|[+-]\d{2}:?\d{2}$/.test(value.slice(10))) return readInstant(value.replace(' ', 'T'))
    const wall = Temporal.PlainDateTime.from(value.replace(' ', 'T'), { overflow: 'reject' })
    const type = isDate(value) ? 'DATE' : 'TIMESTAMP'
    const { zone } = timeColumn(found.zones, { name: key, type })
    return BigInt(wall.toZonedDateTime(zone).epochMilliseconds) * 1000n
  } catch (cause) {
    throw contract(
      found.name,
      file.shown,
      `expected ${key}= to be a date such as 2026-11-21 or a time such as 2026-11-21T03Z, got: ${value}`,
      cause,
    )
  }
}

/**
 * True where builds before 2026-11-28 have cut the source elsewhere: they took its dates for days of UTC where no zone
 * is declared, and saw a day as soon as it had begun.
 */
export function hasMovedDates(found: FoundSource, cut: Cut): boolean {
  const former = found.source.timezone ?? 'UTC'
  if (former === cut.timezone && cut.local.endsWith(' 00:00:00')) return false
  return declaredTimes(found.source).some((name) => {
    const key = keyNamed(found.hiveKeys, name)
    return found.files.some((file) =>
      key === undefined ? columnOf(file, name)?.time === 'date' : isDate(file.keys.get(key) ?? ''),
    )
  })
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text)
}
