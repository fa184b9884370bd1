import type { Source } from '../../project/project.ts'
import type { Engine } from '../engine/duckdb.ts'
import { identifier } from '../engine/quote.ts'
import { keySql, relation } from '../sources/relation.ts'
import { quoted, readSchema } from '../sources/source-columns.ts'
import type { FoundSource } from '../sources/sources.ts'
import { NUMBER_TIMES, TEXT_TIMES, TIME_READINGS, type TimeReading } from './text-times.ts'

/** What is seen of one column. Counts are of rows. */
export interface ColumnLook {
  name: string
  type: string
  isKey: boolean
  nulls: number
  /** Different values; of more than 1,000,000 rows an estimate within some percent. */
  distinct: number
  /** As text. */
  min: string | null
  max: string | null
  /** Of a text: how many are neither null nor blank; a number, with blanks around it or not; blank; begin with a zero. */
  filled: number
  numbers: number
  wholes: number
  blanks: number
  zeros: number
  /** Of a text: how many are a number with a decimal comma, as in 1.234,50. */
  commas: number
  /** How a text or a number says a time, and the share of its values that do. */
  time: { reading: number; share: number } | undefined
  /** The values where there are at most 20, commonest first. */
  values: { value: string; rows: number }[] | undefined
}

export interface TableLook {
  rows: number
  /** Text is looked at in so many of them. */
  looked: number
  columns: ColumnLook[]
}

/** Text and numbers are tried as times and numbers on so many rows. */
const SAMPLE = 200_000
const FEW = 20
/** Up to so many rows different values are counted one by one. */
const EXACT = 1_000_000

/** SQL after FROM of a source's rows, uncut. */
export async function rowsOf(engine: Engine, found: FoundSource) {
  const schema = await readSchema(engine, found, found.files)
  const [misfit] = schema.misfits
  if (misfit !== undefined) throw misfit.failure
  const from = relation({ found, files: found.files, schema, columns: schema.columns })
  const picked = schema.columns.map(({ name, type, isKey }) => {
    const sql = quoted('s', name)
    return `${isKey ? keySql(sql, type) : sql} AS ${identifier(name)}`
  })
  return { columns: schema.columns, from: `(SELECT ${picked.join(', ')} FROM ${from} AS s)` }
}

/** Looks at every column of a table once, and at its texts in the first 200,000 rows. */
export async function lookAtTable(engine: Engine, found: FoundSource): Promise<TableLook & { from: string }> {
  const { columns, from } = await rowsOf(engine, found)
  const size = found.files.reduce((sum, { footer }) => sum + footer.rows, 0)
  const distinct = size > EXACT ? 'approx_count_distinct' : 'count'
  const each = size > EXACT ? '' : 'DISTINCT '
  const all = await engine.row(
    `SELECT count(*) AS rows, ${columns
      .map(({ name, type }, at) => {
        const c = identifier(name)
        const plain = /\[|STRUCT|MAP|BLOB/.test(type) ? 'NULL' : c
        return `count(${c}) AS n${at}, ${distinct}(${each}${c}) AS d${at}, min(${plain})::VARCHAR AS min${at}, max(${plain})::VARCHAR AS max${at}`
      })
      .join(', ')} FROM ${from}`,
  )
  const rows = Number(all.rows)
  const sampled = await engine.row(
    `SELECT count(*) AS rows, ${columns.map(({ name, type }, at) => tries(name, type, at).join(', ')).join(', ')} FROM (FROM ${from} LIMIT ${SAMPLE})`,
  )
  const looked: ColumnLook[] = []
  for (const [at, { name, type, isKey }] of columns.entries()) {
    const number = (key: string) => Number(sampled[`${key}${at}`] ?? 0)
    const nulls = rows - Number(all[`n${at}`])
    const [min, max] = [textOf(all[`min${at}`]), textOf(all[`max${at}`])]
    const distinct = Number(all[`d${at}`])
    const column = { name, type, isKey, nulls, distinct, min, max }
    const filled = number('filled')
    const counts = TEXT_TIMES.map((_, index) => number(`t${index}_`))
    const most = Math.max(...counts)
    const share = filled === 0 ? 0 : most / filled
    looked.push({
      ...column,
      filled,
      numbers: number('numbers'),
      wholes: number('wholes'),
      blanks: number('blanks'),
      zeros: number('zeros'),
      commas: number('commas'),
      time:
        type === 'VARCHAR' && share >= 0.9 ? { reading: counts.indexOf(most), share } : numberTime(column),
      values: await fewValues(engine, from, column),
    })
  }
  return { rows, looked: Number(sampled.rows), columns: looked, from }
}

/** The reading of a time that a look found. */
export function timeReading({ time }: Pick<ColumnLook, 'time'>): TimeReading | undefined {
  return time === undefined ? undefined : TIME_READINGS[time.reading]
}

function numberTime(column: Pick<ColumnLook, 'name' | 'type' | 'min' | 'max'>): ColumnLook['time'] {
  if (!/^U?(?:INTEGER|BIGINT)$/.test(column.type) || column.min === null || column.max === null)
    return undefined
  const [min, max] = [Number(column.min), Number(column.max)]
  const index = NUMBER_TIMES.findIndex(
    (each) => min >= each.min && max <= each.max && each.named.test(column.name),
  )
  return index < 0 ? undefined : { reading: TEXT_TIMES.length + index, share: 1 }
}

function tries(name: string, type: string, at: number): string[] {
  if (type !== 'VARCHAR') return ['NULL']
  const c = identifier(name)
  const count = (key: string, sql: string) => `count_if(${sql}) AS ${key}${at}`
  // A bare number such as 2026 or 20261122 is no ISO text, whatever a cast makes of it.
  const isText = `regexp_matches(${c}, '[-/]')`
  return [
    count('filled', `trim(${c}) <> ''`),
    count('blanks', `trim(${c}) = ''`),
    count('numbers', `TRY_CAST(trim(${c}) AS DOUBLE) IS NOT NULL`),
    count('wholes', `TRY_CAST(trim(${c}) AS BIGINT) IS NOT NULL AND NOT contains(${c}, '.')`),
    count('commas', `regexp_full_match(trim(${c}), '-?[0-9]{1,3}([.]?[0-9]{3})*,[0-9]+|-?[0-9]+,[0-9]+')`),
    count('zeros', `regexp_matches(${c}, '^0[0-9]')`),
    ...TEXT_TIMES.map(({ sql }, index) =>
      count(`t${index}_`, `${index === 0 ? `${isText} AND ` : ''}${sql(name)} IS NOT NULL`),
    ),
  ]
}

async function fewValues(
  engine: Engine,
  from: string,
  { name, type, distinct }: Pick<ColumnLook, 'name' | 'type' | 'distinct'>,
): Promise<ColumnLook['values']> {
  if (distinct > FEW * 1.2 || !/^(?:VARCHAR|BOOLEAN|U?(?:TINYINT|SMALLINT|INTEGER|BIGINT))$/.test(type))
    return undefined
  const c = identifier(name)
  const found = await engine.rows(
    `SELECT ${c}::VARCHAR AS value, count(*) AS rows FROM ${from} WHERE ${c} IS NOT NULL GROUP BY ALL ORDER BY rows DESC, value LIMIT ${FEW + 1}`,
  )
  if (found.length > FEW) return undefined
  return found.map(({ value, rows }) => ({ value: String(value), rows: Number(rows) }))
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}

/** What a source is before anything is known of its time. */
export function plainSource(path: string, format: 'parquet' | 'csv' | 'json'): Source {
  return format === 'parquet' ? { kind: 'static', path } : { kind: 'static', path, format }
}
