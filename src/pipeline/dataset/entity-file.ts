import { realpath } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { didYouMean } from '../../project/files/nearest.ts'
import { type AsOf, asOfAt } from '../../project/time/asof.ts'
import { isTime, ZONED } from '../cut/time-column.ts'
import { type Engine, openEngine } from '../engine/duckdb.ts'
import { readEngineError } from '../engine/engine-error.ts'
import type { Column } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { identifier, literal, parquet } from '../engine/quote.ts'

/** Rows that somebody else chose: entities, each with an instant. */
export interface EntityFile {
  /** As the user wrote it, and absolute. */
  shown: string
  path: string
}

export interface WantedRows {
  /** A Parquet file with the entity's columns and `as_of`, the instant in UTC, each pair once. */
  file: string
  /** Its instants, oldest first. */
  asOfs: AsOf[]
  rows: number
  /** How many rows of the file say what another one says. */
  repeated: number
  /** Sha256 of what it says, hex. */
  sum: string
}

/** Each instant is computed by itself. */
const MOST = 20_000

/**
 * Reads entities and times from a Parquet or CSV file: the view's entity columns and one time, `as_of` or the only
 * column that is one. Times without a zone are wall times of the project, dates their midnights; fractions of a second are cut
 * off, which lets features see less. Throws contract Failures that name the file, the value and what is legal.
 */
export async function readEntities(
  { shown, path }: EntityFile,
  { entity, timezone, temp }: { entity: string[]; timezone: string; temp: string },
): Promise<WantedRows> {
  const refuse = (why: string, cause?: unknown) =>
    new Failure('contract', `--entities ${shown}: ${why}`, { cause, evidence: { file: shown } })
  const real = await realpath(path).catch((cause: unknown) => {
    throw refuse('expected a Parquet or CSV file, got: a path that cannot be read', cause)
  })
  const engine = await openEngine({ readable: [real], writable: [temp], temp, threads: 2, timezone })
  try {
    const isText = ['.csv', '.tsv'].includes(extname(path).toLowerCase())
    const from = isText ? `read_csv(${literal(real)}, header = true, all_varchar = true)` : parquet(real)
    const columns = (
      await engine.rows(`DESCRIBE SELECT * FROM ${from}`).catch((cause: unknown) => {
        throw refuse(
          `expected a Parquet or CSV file, got one that cannot be read (${readEngineError(cause)?.message ?? String(cause)})`,
          cause,
        )
      })
    ).map((row) => ({ name: String(row.column_name), type: String(row.column_type) }))
    const keys = entity.map((name) => {
      const found = named(columns, name)
      if (found !== undefined) return found.name
      const names = columns.map((column) => column.name)
      throw refuse(
        `expected the entity ${entity.join(', ')} among its columns, got: ${names.join(', ')}${didYouMean(name, names)}`,
      )
    })
    const time = timeColumn(columns, keys, isText)
    if (time === undefined)
      throw refuse(
        `expected a column as_of with a time for each row, or one column of times, got: ${columns.map(({ name, type }) => `${name} ${type}`).join(', ')}`,
      )
    await refuseBad(engine, from, { keys, time, isText }, refuse)
    const instant = `date_trunc('second', ${instantSql(time, { isText, timezone })})`
    const file = join(temp, 'entities.parquet')
    await engine.run(
      `COPY (SELECT DISTINCT ${keys.map((key, index) => `${identifier(key)} AS ${identifier(entity[index] ?? key)}`).join(', ')}, timezone('UTC', ${instant}) AS as_of FROM ${from} ORDER BY ALL) TO ${literal(file)} (FORMAT parquet)`,
    )
    const all = await engine.row(`SELECT count(*) AS rows FROM ${from}`)
    const [summary, instants] = [
      await engine.row(
        `SELECT count(*) AS rows, md5(string_agg(md5(to_json(r)::VARCHAR), '' ORDER BY to_json(r)::VARCHAR)) AS sum FROM ${parquet(file)} AS r`,
      ),
      await engine.rows(`SELECT DISTINCT epoch_ms(as_of) AS ms FROM ${parquet(file)} ORDER BY ms`),
    ]
    if (instants.length === 0) throw refuse('expected at least one row, got: none')
    if (instants.length > MOST)
      throw refuse(
        `expected at most ${MOST} different times, got: ${instants.length}. Each is computed like a night: round them, such as date_trunc('day', at)`,
      )
    return {
      file,
      asOfs: instants.map(({ ms }) => asOfAt(Temporal.Instant.fromEpochMilliseconds(Number(ms)), timezone)),
      rows: Number(summary.rows),
      repeated: Number(all.rows) - Number(summary.rows),
      sum: String(summary.sum),
    }
  } finally {
    engine.close()
  }
}

function named(columns: Column[], name: string): Column | undefined {
  return (
    columns.find((column) => column.name === name) ??
    columns.find((column) => column.name.toLowerCase() === name.toLowerCase())
  )
}

/** `as_of`, else the only time; of text files the only column beside the entity. */
function timeColumn(columns: Column[], keys: string[], isText: boolean): Column | undefined {
  const declared = named(columns, 'as_of')
  if (declared !== undefined) return declared
  const others = columns.filter(({ name }) => !keys.includes(name))
  const times = isText ? others : others.filter(({ type }) => isTime(type))
  return times.length === 1 ? times[0] : undefined
}

/** Text with a zone behind its time: `Z`, `+01:00`. */
const ZONE = String.raw`(Z|[+-]\d{2}(:?\d{2})?)$`

function instantSql(
  { name, type }: Column,
  { isText, timezone }: { isText: boolean; timezone: string },
): string {
  const column = identifier(name)
  const wall = (sql: string) => `timezone(${literal(timezone)}, ${sql})`
  if (type === ZONED) return column
  if (!isText && type !== 'VARCHAR') return wall(`${column}::TIMESTAMP`)
  return `CASE WHEN length(${column}) > 10 AND regexp_matches(${column}, '${ZONE}') THEN TRY_CAST(${column} AS TIMESTAMPTZ) ELSE ${wall(`TRY_CAST(${column} AS TIMESTAMP)`)} END`
}

async function refuseBad(
  engine: Engine,
  from: string,
  { keys, time, isText }: { keys: string[]; time: Column; isText: boolean },
  refuse: (why: string) => Failure,
): Promise<void> {
  const at = identifier(time.name)
  const read = isText || time.type === 'VARCHAR' ? `TRY_CAST(${at} AS TIMESTAMP)` : at
  if (!isText && time.type !== 'VARCHAR' && !isTime(time.type))
    throw refuse(`expected ${time.name} to be a time, got: ${time.type}`)
  const empty = [...keys.map(identifier), at].map((name) => `${name} IS NULL`).join(' OR ')
  const { nulls, unread, example } = await engine.row(
    `SELECT count_if(${empty}) AS nulls, count_if(${at} IS NOT NULL AND ${read} IS NULL) AS unread, any_value(${at}::VARCHAR) FILTER (${at} IS NOT NULL AND ${read} IS NULL) AS example FROM ${from}`,
  )
  if (Number(nulls) > 0)
    throw refuse(`expected ${[...keys, time.name].join(', ')} in every row, got: ${nulls} rows without`)
  if (Number(unread) > 0)
    throw refuse(
      `expected ${time.name} to be a date or time such as 2026-11-22 or 2026-11-22T08:30:00+01:00, got: '${example}' (${unread} rows are no time)`,
    )
}
