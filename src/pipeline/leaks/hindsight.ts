import type { View } from '../../project/project.ts'
import { traitsOf } from '../../project/source-kinds.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { timeColumn } from '../cut/source-zones.ts'
import type { Engine } from '../engine/duckdb.ts'
import { identifier } from '../engine/quote.ts'
import type { SourceColumn } from '../sources/file-kinds.ts'
import { columnNamed } from '../sources/source-columns.ts'
import { instantLiteral, instantSql, isSet } from './instant.ts'
import type { Leak } from './leak.ts'
import { rawSql, type Surveyed } from './survey.ts'
import type { OtherTime, Times } from './times.ts'
import type { Edit } from './truncate.ts'
import { rowsWith, worstAsOf } from './worst-as-of.ts'

const DAY_MS = 86_400_000
/** With fewer rows on either side, nothing is concluded. */
const ENOUGH = 10

/**
 * A time that was written into the row later, such as `cancelled_at`, lies after the row's own and never behind the
 * end of the data; one that was planned, such as `contract_end`, does lie behind it in the newest rows.
 */
function isLearnt({ source, rows, newest }: Times, other: OtherTime, end: number): boolean {
  if (other.later === 0 || other.newest === undefined || other.newest > end) return false
  // Of a source that ended long before the others plans have all come, and only gaps tell what was learnt.
  return source.time === undefined || (newest ?? 0) >= end - 8 * DAY_MS || other.filled < rows
}

/** The declared time is this one rounded down, to the day of a folder, say: rows are seen before they happened. */
function isRoundedDown({ source, rows, distinct }: Times, other: OtherTime): boolean {
  return (
    source.time !== undefined &&
    traitsOf(source.found.source).rows === 'all' &&
    distinct * 2 <= other.distinct &&
    distinct * 5 <= rows &&
    other.sameDay >= 0.99 * rows &&
    other.later >= 0.5 * rows
  )
}

/** What has to be hidden beside rows behind the as-of. What then changes no feature is used with care. */
export function editsOf(times: Times[], end: number | undefined): Edit[] {
  if (end === undefined) return []
  return times.flatMap((each) => {
    const { name, source } = each.source.found
    return each.others.flatMap((other): Edit[] => {
      const edit = { source: name, column: other.name }
      if (traitsOf(source).time === undefined) {
        return other.newest !== undefined && other.newest <= end ? [{ kind: 'rows', ...edit }] : []
      }
      if (isRoundedDown(each, other)) return [{ kind: 'rows', ...edit }]
      return each.source.reads(other.name) && isLearnt(each, other, end) ? [{ kind: 'value', ...edit }] : []
    })
  })
}

/** Something that a row says of its own future, and when that came. */
interface Outcome {
  /** Column as people know it. */
  what: string
  /** SQL of a boolean: the row says that it came. */
  came: string
  /** SQL of the instant at which it came. */
  at: string
}

/**
 * Columns that reveal what happened to the row later: `is_current`, or a status that was overwritten. Found where
 * each of a few values goes with one answer in 999 of 1,000 rows.
 */
export async function findFlags(
  engine: Engine,
  view: View,
  times: Times[],
  asOfs: AsOf[],
  end: number | undefined,
): Promise<Leak[]> {
  const leaks: Leak[] = []
  for (const each of times) {
    const { source } = each
    if (source.time === undefined || end === undefined) continue
    const outcomes = outcomesOf(each, end)
    const flags = flagsOf(source)
    if (outcomes.length === 0 || flags.length === 0) continue
    const rows = rowsSql(source, view, outcomes, flags)
    for (const [f, flag] of flags.entries()) {
      for (const [o, outcome] of outcomes.entries()) {
        if (!(await reveals(engine, rows, f, o))) continue
        const leak = await leakOf(engine, rows, { view, source, flag, outcome, o, asOfs })
        if (leak !== undefined) leaks.push(leak)
        break
      }
    }
  }
  return leaks
}

function outcomesOf(times: Times, end: number): Outcome[] {
  const { found, schema, time } = times.source
  const outcomes: Outcome[] = times.others
    .filter((other) => isLearnt(times, other, end) && other.filled < times.rows)
    .map(({ name, sql }) => columnOutcome(name, sql))
  const { key, end: declared, rows } = traitsOf(found.source)
  if (rows !== 'latest-of-key') return outcomes
  const column = declared === undefined ? undefined : columnNamed(schema.columns, declared.name)
  if (column !== undefined) {
    const sql = instantSql(rawSql(column), timeColumn(found.zones, column))
    outcomes.push(columnOutcome(column.name, sql))
  }
  const next = `lead(${time?.sql}) OVER (PARTITION BY ${key.map((name) => `s.${identifier(name)}`).join(', ')} ORDER BY ${time?.sql})`
  outcomes.push({ what: `the next row's ${time?.name}`, came: `${next} IS NOT NULL`, at: next })
  return outcomes
}

/** `sql` is the instant that the column says. */
function columnOutcome(name: string, sql: string): Outcome {
  return { what: name, came: isSet(sql), at: sql }
}

/** Columns of few values that features.sql reads. */
function flagsOf({ found, schema, reads }: Surveyed): SourceColumn[] {
  const { key } = traitsOf(found.source)
  return schema.columns.filter(
    ({ name, type, isKey }) =>
      !isKey &&
      /^(?:BOOLEAN|VARCHAR|U?(?:TINYINT|SMALLINT|INTEGER|BIGINT))$/.test(type) &&
      reads(name) &&
      !key.includes(name),
  )
}

function rowsSql(source: Surveyed, view: View, outcomes: Outcome[], flags: SourceColumn[]): string {
  return rowsWith(source, view, [
    ...flags.map((flag, index) => `coalesce(${rawSql(flag)}::VARCHAR, '') AS f${index}`),
    ...outcomes.flatMap(({ came, at }, index) => [`${came} AS came${index}`, `${at} AS at${index}`]),
  ])
}

async function reveals(engine: Engine, rows: string, f: number, o: number): Promise<boolean> {
  const row = await engine.row(
    `SELECT count(*) AS values, sum(greatest(yes, no)) AS matched, sum(yes) AS yes, sum(no) AS no, sum(yes + no) AS rows
       FROM (SELECT count(*) FILTER (came${o}) AS yes, count(*) FILTER (NOT came${o}) AS no FROM ${rows} GROUP BY f${f} LIMIT 21)`,
  )
  const [values, matched, yes, no, all] = [row.values, row.matched, row.yes, row.no, row.rows].map(Number)
  if (
    values === undefined ||
    matched === undefined ||
    yes === undefined ||
    no === undefined ||
    all === undefined
  )
    return false
  return values >= 2 && values <= 20 && yes >= ENOUGH && no >= ENOUGH && matched >= 0.999 * all
}

async function leakOf(
  engine: Engine,
  rows: string,
  {
    view,
    source,
    flag,
    outcome,
    o,
    asOfs,
  }: { view: View; source: Surveyed; flag: SourceColumn; outcome: Outcome; o: number; asOfs: AsOf[] },
): Promise<Leak | undefined> {
  const worst = await worstAsOf(engine, rows, asOfs, (at) => `t < ${at} AND came${o} AND at${o} >= ${at}`)
  if (worst === undefined) return undefined
  const { name } = source.found
  return {
    kind: 'future-value',
    severity: 'error',
    view: view.name,
    source: name,
    column: flag.name,
    features: [],
    ...worst,
    message: `column ${flag.name} of source ${name} reveals what happened to the row later: its values match ${outcome.what}, and ${worst.rows} rows that are seen as of ${worst.as_of} were decided after it`,
    fix: `remove ${flag.name} from features/${view.name}/features.sql, or declare a source with the time from which each value is valid (kind: history with a row for each)`,
  }
}

/** Rows that are seen as of a night and were written again after it, where the SQL reads more than their times. */
export async function findRewritten(
  engine: Engine,
  view: View,
  times: Times[],
  asOfs: AsOf[],
  end: number | undefined,
): Promise<Leak[]> {
  const leaks: Leak[] = []
  for (const each of times) {
    const { source } = each
    const { name, source: declared } = source.found
    if (source.time === undefined || end === undefined || traitsOf(declared).rows === 'newest-time') continue
    for (const other of each.others) {
      if (source.reads(other.name) || !isLearnt(each, other, end) || isRoundedDown(each, other)) continue
      const rows = rowsWith(source, view, [`${other.sql} AS c`])
      const worst = await worstAsOf(engine, rows, asOfs, (at) => `t < ${at} AND ${isSet('c')} AND c >= ${at}`)
      if (worst === undefined) continue
      const asOf = asOfs.find(({ label }) => label === worst.as_of)
      const { seen } = await engine.row(
        `SELECT count(*) AS seen FROM ${rows} WHERE t < ${instantLiteral(asOf?.instant ?? '')}`,
      )
      const isArrival = ARRIVAL.test(other.name) && other.earlier === 0 && other.filled === each.rows
      // A few rows after midnight are not a rewrite.
      if (!isArrival && worst.rows < 0.05 * Number(seen)) continue
      leaks.push({
        kind: isArrival ? 'arrival' : 'rewritten',
        severity: 'warning',
        view: view.name,
        source: name,
        column: other.name,
        features: [],
        ...worst,
        message: isArrival
          ? `source ${name} has the arrival time of its rows in ${other.name}, but is not cut by it: ${worst.rows} rows that training sees as of ${worst.as_of} arrived after it`
          : `${worst.rows} of ${seen} rows of source ${name} that are seen as of ${worst.as_of} were rewritten after it, according to ${other.name}: their other values may be from later`,
        fix: isArrival
          ? `declare available_at: ${other.name} and a cutoff for ${name} in features/${view.name}/view.yaml`
          : `find out which columns of ${name} are overwritten; read those from a history that keeps every state, or declare available_at: ${other.name} with a cutoff, so that only unchanged rows are seen`,
      })
    }
  }
  return leaks
}

/** Names of load-time columns. */
export const ARRIVAL =
  /load|ingest|import|insert|arriv|receiv|report|available|synced|extract|etl|batch|recorded|stored|written|export|dump/i
