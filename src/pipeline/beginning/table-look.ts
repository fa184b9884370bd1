import type { Source } from '../../project/project.ts'
import type { Engine } from '../engine/duckdb.ts'
import { identifier } from '../engine/quote.ts'
import { keySql, relation } from '../sources/relation.ts'
import { quoted, readSchema } from '../sources/source-columns.ts'
import type { FoundSource } from '../sources/sources.ts'
import { NUMBER_TIMES, TEXT_TIMES } from './text-times.ts'

/** What is seen of one column. Counts are of rows. */
export interface ColumnLook {
  name: string
  type: string
  isKey: boolean
  nulls: number
  /** Different values; of more than 1,000,000 rows an estimate within some percent. */
  distinct: number
  /** As text; of a text that is whole numbers, the least and the largest of these in the first rows. */
  min: string | null
  max: string | null
  /** Of a text: how many are neither null nor blank; a number, with blanks around it or not; blank; begin with a zero. */
  filled: number
  numbers: number
  wholes: number
  blanks: number
  zeros: number
  /** Of a text: how many have a comma that can be a decimal one (1.234,50), can only be one, and can stand between thousands (1,234.50). */
  commas: number
  onlyCommas: number
  thousands: number
  /** Of a text: how many have a decimal point that is none between thousands, as in 12.5. */
  points: number
  /** How a text or a number says a time, the share of its values that do, and a reading that fits all of them as well. */
  time: { readings: number[]; share: number; twin?: number | undefined } | undefined
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
    const isWhole = type === 'VARCHAR' && number('wholes') > 0 && number('wholes') === number('filled')
    const ends = isWhole ? sampled : all
    const [min, max] = [textOf(ends[`min${at}`]), textOf(ends[`max${at}`])]
    const distinct = Number(all[`d${at}`])
    const column = { name, type, isKey, nulls, distinct, min, max }
    const filled = number('filled')
    const counts = TEXT_TIMES.map((_, index) => number(`t${index}_`))
    looked.push({
      ...column,
      filled,
      numbers: number('numbers'),
      wholes: number('wholes'),
      blanks: number('blanks'),
      zeros: number('zeros'),
      commas: number('commas'),
      onlyCommas: number('onlyCommas'),
      thousands: number('thousands'),
      points: number('points'),
      time:
        (type === 'VARCHAR' ? await textTime(engine, from, name, { counts, filled }) : undefined) ??
        numberTime({ ...column, type: isWhole ? 'BIGINT' : type }),
      values: await fewValues(engine, from, column),
    })
  }
  return { rows, looked: Number(sampled.rows), columns: looked, from }
}

/** A text is a time where nearly all of its values are read as one. */
const NEARLY_ALL = 0.9

/**
 * How a text says a time: in the form that most of its values have, and where it has several, in as many as it takes, none of
 * which reads what another does (a day and a month that change places are no two forms).
 */
async function textTime(
  engine: Engine,
  from: string,
  name: string,
  { counts, filled }: { counts: number[]; filled: number },
): Promise<ColumnLook['time']> {
  const most = Math.max(...counts)
  if (most === 0) return undefined
  const first = counts.indexOf(most)
  const twin = counts.findIndex((each, index) => index > first && each === most)
  if (most >= NEARLY_ALL * filled)
    return { readings: [first], share: most / filled, twin: twin < 0 ? undefined : twin }
  const readings = [first]
  for (let read = most; ; ) {
    const open = counts.flatMap((each, index) => (each > 0 && !readings.includes(index) ? [index] : []))
    if (open.length === 0) return undefined
    const known = readings.map((index) => `${textReads(name, index)}`).join(' OR ')
    const found = await engine.row(
      `SELECT ${open
        .map((index) => {
          const reads = textReads(name, index)
          return `count_if(${reads} AND NOT (${known})) AS more${index}, count_if(${reads} AND (${known})) AS both${index}`
        })
        .join(', ')} FROM (FROM ${from} LIMIT ${SAMPLE})`,
    )
    const [best, ...others] = open
      .filter((index) => Number(found[`both${index}`]) === 0)
      .map((index) => ({ index, more: Number(found[`more${index}`]) }))
      .toSorted((a, b) => b.more - a.more)
    // Of two forms that read as much neither is known to be meant.
    if (best === undefined || best.more === others[0]?.more) return undefined
    readings.push(best.index)
    read += best.more
    if (read >= NEARLY_ALL * filled) return { readings, share: read / filled }
  }
}

/** SQL of whether a text is read as a time. A bare number or a day alone is no ISO time, whatever a cast makes of it. */
function textReads(name: string, index: number): string {
  const isText = index === 0 ? `regexp_matches(${identifier(name)}, '[-/].*[ T]\\d') AND ` : ''
  return `(${isText}${TEXT_TIMES[index]?.sql(name)} IS NOT NULL)`
}

function numberTime(column: Pick<ColumnLook, 'name' | 'type' | 'min' | 'max'>): ColumnLook['time'] {
  if (!/^U?(?:INTEGER|BIGINT)$/.test(column.type) || column.min === null || column.max === null)
    return undefined
  const [min, max] = [Number(column.min), Number(column.max)]
  const index = NUMBER_TIMES.findIndex(
    (each) => min >= each.min && max <= each.max && each.named.test(column.name),
  )
  return index < 0 ? undefined : { readings: [TEXT_TIMES.length + index], share: 1 }
}

function tries(name: string, type: string, at: number): string[] {
  if (type !== 'VARCHAR') return ['NULL']
  const c = identifier(name)
  const decimalComma = `regexp_full_match(trim(${c}), '-?[0-9]{1,3}([.]?[0-9]{3})*,[0-9]+|-?[0-9]+,[0-9]+')`
  const thousands = `regexp_full_match(trim(${c}), '-?[1-9][0-9]{0,2}(,[0-9]{3})+([.][0-9]+)?')`
  const count = (key: string, sql: string) => `count_if(${sql}) AS ${key}${at}`
  return [
    count('filled', `trim(${c}) <> ''`),
    count('blanks', `trim(${c}) = ''`),
    count('numbers', `TRY_CAST(trim(${c}) AS DOUBLE) IS NOT NULL`),
    count('wholes', `TRY_CAST(trim(${c}) AS BIGINT) IS NOT NULL AND NOT contains(${c}, '.')`),
    count('commas', decimalComma),
    count('onlyCommas', `${decimalComma} AND NOT ${thousands}`),
    count('thousands', thousands),
    count(
      'points',
      `TRY_CAST(trim(${c}) AS DOUBLE) IS NOT NULL AND contains(${c}, '.') AND NOT regexp_full_match(trim(${c}), '-?[0-9]{1,3}([.][0-9]{3})+')`,
    ),
    `min(TRY_CAST(trim(${c}) AS BIGINT)) AS min${at}`,
    `max(TRY_CAST(trim(${c}) AS BIGINT)) AS max${at}`,
    count('zeros', `regexp_matches(${c}, '^0[0-9]')`),
    ...TEXT_TIMES.map((_, index) => count(`t${index}_`, textReads(name, index))),
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
