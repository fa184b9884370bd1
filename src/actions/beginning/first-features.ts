import { baseOf } from '../../pipeline/beginning/base-table.ts'
import {
  featureName,
  isOfMonths,
  isSameName,
  plainName,
  sqlName,
} from '../../pipeline/beginning/data-paths.ts'
import type { Proposal, ProposedTable } from '../../pipeline/beginning/propose-sources.ts'
import type { ColumnLook } from '../../pipeline/beginning/table-look.ts'
import { timeReading } from '../../pipeline/beginning/text-times.ts'
import { isTime } from '../../pipeline/cut/time-column.ts'
import { literal } from '../../pipeline/engine/quote.ts'
import type { ModelFacts } from '../../pipeline/onnx/inspect.ts'
import { type Feature, featuresText, isCounted } from './features-text.ts'
import type { FoundLabel } from './first-labels.ts'
import { sourceTypes, windowsOf } from './first-sources.ts'

export interface FirstFeatures {
  sql: string
  /** Names of the features, without the entity. */
  names: string[]
  /** Those that are null of an entity without a row in a table that is joined. */
  nullable: string[]
  /** Columns of the model that no column of the data could be found for. */
  unmatched: string[]
  /** The model's inputs as features, in its order; undefined where they do not all fit. */
  inputs: string[] | undefined
  /** Columns that are no features, each with the reason. */
  leftOut: string[]
}

/** Of so many numbers of an event there are sums and means. */
const MOST_SUMS = 6

const ID = /(?:^|_)(?:id|key|no|nr|num|number|code|uuid|guid|hash)$/

/**
 * The first features.sql: a row for each entity, its own columns as numbers and categories, and counts, sums and times of its
 * events. Columns that the model names are called as it calls them.
 */
export function firstFeatures(
  { tables, entity }: Proposal,
  model: Pick<ModelFacts, 'inputs'> | undefined,
  label: FoundLabel | undefined,
): FirstFeatures {
  const wanted = namedInputs(model)
  const states = tables.filter(({ isState, name }) => isState && entity.in[name] !== undefined)
  const base = baseOf(tables, entity)
  const events = tables.filter(({ isState, name }) => !isState && entity.in[name] !== undefined)
  const leftOut = tables
    .filter((table) => !states.includes(table) && (!events.includes(table) || table.time === undefined))
    .map(({ name, columns }) =>
      entity.in[name] === undefined
        ? `table ${name}: it has no ${entity.columns.join(', ')}`
        : `table ${name}: several rows for each ${entity.columns.join(', ')}, and ${isOfMonths(columns) ? 'its folders say a month and no day, which is no time of a source: folders of days, such as day=2026-11-22, or a column of the files are one' : 'no time'}`,
    )
  const isSingle = states.length === 1 && events.every(({ time }) => time === undefined)
  const timed = events.filter(({ time }) => time !== undefined)
  const parts: { table: ProposedTable; features: Feature[]; isState: boolean }[] = []
  for (const table of states) {
    const keys = entity.in[table.name] ?? []
    const prefix = isSingle ? '' : `${table.name}.`
    const features = table.columns.flatMap((column) => {
      const own = stateFeature(table, column, { keys, label, wanted, prefix })
      if (typeof own !== 'string') return own
      if (own !== '') leftOut.push(`${table.name}.${column.name}: ${own}`)
      return []
    })
    parts.push({ table, features, isState: true })
  }
  for (const table of timed) {
    const keys = entity.in[table.name] ?? []
    const numbers = numbersOf(table, keys, label)
    parts.push({ table, features: eventFeatures(table, numbers.slice(0, MOST_SUMS)), isState: false })
    leftOut.push(...unusedOf(table, keys, numbers))
  }
  const taken = new Set(entity.columns.map((name) => name.toLowerCase()))
  for (const { table, features } of parts) {
    for (const feature of features) {
      // An input of the model keeps its name; two columns of one name are told apart by their tables.
      if (taken.has(feature.name.toLowerCase())) feature.name = `${table.name}_${feature.name}`
      const bare = feature.name
      for (let n = 2; taken.has(feature.name.toLowerCase()); n++) feature.name = `${bare}_${n}`
      const meant = wanted.find(({ name }) => isSameName(name, feature.name))
      if (meant !== undefined) feature.name = meant.name
      taken.add(feature.name.toLowerCase())
    }
  }
  const names = parts.flatMap(({ features }) => features.map(({ name }) => name))
  return {
    sql: featuresText({ parts, entity, base }),
    names,
    nullable: parts
      .filter(({ table }) => table !== (base ?? parts[0]?.table))
      .flatMap(({ features, isState }) =>
        features.filter((each) => isState || !isCounted(each)).map(({ name }) => name),
      ),
    ...matchedInputs(model, names),
    leftOut,
  }
}

/** The model's inputs among these features, in its order, and its names that none of them has. */
export function matchedInputs(
  model: Pick<ModelFacts, 'inputs'> | undefined,
  names: string[],
): Pick<FirstFeatures, 'inputs' | 'unmatched'> {
  const wanted = namedInputs(model)
  const unmatched = wanted.filter(({ name }) => !names.includes(name)).map(({ name }) => name)
  return { unmatched, inputs: inputsOf(model, wanted, unmatched, names) }
}

/** Inputs of a column each: those have names of columns. */
function namedInputs(model: Pick<ModelFacts, 'inputs'> | undefined): ModelFacts['inputs'] {
  const inputs = model?.inputs ?? []
  return inputs.filter(({ shape }) => shape === null || shape.length < 2 || shape[1] === 1)
}

function inputsOf(
  model: Pick<ModelFacts, 'inputs'> | undefined,
  wanted: ModelFacts['inputs'],
  missing: string[],
  names: string[],
): string[] | undefined {
  if (model === undefined || missing.length > 0) return undefined
  if (wanted.length > 0 && wanted.length === model.inputs.length) return wanted.map(({ name }) => name)
  const width = model.inputs.length === 1 ? model.inputs[0]?.shape?.[1] : undefined
  return width === names.length ? names : undefined
}

const CASTS: Record<string, string> = {
  float32: 'FLOAT',
  float64: 'DOUBLE',
  int64: 'BIGINT',
  int32: 'INTEGER',
  string: 'VARCHAR',
  bool: 'BOOLEAN',
}

/** A feature of one column of a state, or why it is none; empty: that goes without saying. */
function stateFeature(
  table: ProposedTable,
  column: ColumnLook,
  {
    keys,
    label,
    wanted,
    prefix,
  }: { keys: string[]; label: FoundLabel | undefined; wanted: ModelFacts['inputs']; prefix: string },
): Feature | string {
  const { name } = column
  const plain = featureName(name)
  const declared = Object.values(table.declared)
  if (keys.includes(name) || column.isKey) return ''
  if (label?.table === table.name && label.column === name) return 'it is the label'
  const sql = `${prefix}${sqlName(name)}`
  const type = sourceTypes(table)[name] ?? (table.reads[name] === undefined ? column.type : 'TIMESTAMP')
  const meant = wanted.find((each) => isSameName(each.name, name))
  if (meant !== undefined) {
    const cast = CASTS[meant.type] ?? 'FLOAT'
    const isRisky = type === 'VARCHAR' && cast !== 'VARCHAR'
    return {
      name: meant.name,
      sql: isRisky
        ? (numberSql(column, sql, cast) ?? `try_cast(${sql} AS ${cast})`)
        : type === cast
          ? sql
          : `${sql}::${cast}`,
      note: isRisky ? noNumber(column) : undefined,
    }
  }
  if (isTime(type)) {
    if (declared.includes(name) && table.declared.valid_to === name) return ''
    if (table.declared.snapshot_at === name) return ''
    return { name: `days_since_${plain}`, sql: `date_diff('day', ${sql}, $as_of)::FLOAT`, note: undefined }
  }
  if (/^(?:U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL.*|BOOLEAN)$/.test(type)) {
    if (ID.test(plain) && column.distinct > 20) return 'it is an id'
    return { name: plain, sql: type === 'FLOAT' ? sql : `${sql}::FLOAT`, note: undefined }
  }
  if (type !== 'VARCHAR') return `its type is ${type}`
  const number = numberSql(column, sql, 'FLOAT')
  if (number !== undefined) return { name: plain, sql: number, note: noNumber(column) }
  if (column.values !== undefined) return { name: plain, sql, note: undefined }
  return textReason(column)
}

/**
 * How a text that is nearly always a number reads as one, as SQL; undefined for all else, codes with leading zeros and
 * categories too. Blank and other values read null.
 */
export function numberSql(column: ColumnLook, sql: string, cast: string): string | undefined {
  const comma = `replace(replace(${sql}, '.', ''), ',', '.')`
  switch (numberForm(column)) {
    case 'plain':
      return `try_cast(${sql} AS ${cast})`
    case 'commas':
      return `try_cast(${comma} AS ${cast})`
    case 'thousands':
      return `try_cast(replace(${sql}, ',', '') AS ${cast})`
    case 'both':
      return `try_cast(CASE WHEN contains(${sql}, ',') THEN ${comma} ELSE ${sql} END AS ${cast})`
    default:
      return undefined
  }
}

/**
 * How a text writes numbers: 1234.5, 1.234,5, 1,234.5, or with decimal commas and points in turn. `unclear`: each comma can be a
 * decimal one or stand between thousands, as in 1,234. Undefined: it is no number.
 */
function numberForm({
  type,
  filled,
  numbers,
  zeros,
  commas,
  onlyCommas,
  thousands,
  points,
  values,
}: ColumnLook): 'plain' | 'commas' | 'thousands' | 'both' | 'unclear' | undefined {
  if (type !== 'VARCHAR' || zeros > 0) return undefined
  const isEnough = (count: number) => count > 0 && count >= 0.95 * filled
  if (onlyCommas > 0) return isEnough(commas + numbers) ? (points > 0 ? 'both' : 'commas') : undefined
  if (thousands > 0) {
    if (!isEnough(thousands + numbers)) return undefined
    return points > 0 || thousands > commas ? 'thousands' : 'unclear'
  }
  const texts = values?.filter(({ value }) => value.trim() !== '' && Number.isNaN(Number(value))).length ?? 0
  return texts === 0 && isEnough(numbers) ? 'plain' : undefined
}

function noNumber(column: ColumnLook): string {
  const { blanks } = column
  const form = numberForm(column)
  const mixed = form === 'both' ? ' with decimal commas and with points' : ''
  return `text${mixed}; ${blanks > 0 ? `${blanks} blank ones read null` : 'what is no number reads null'}`
}

/** Why nothing is made of a text. */
function textReason(column: ColumnLook): string {
  return numberForm(column) === 'unclear'
    ? `a text whose commas are decimal ones or stand between thousands: replace(${sqlName(column.name)}, ',', '.') or replace(${sqlName(column.name)}, ',', '') and a cast read it`
    : `a text of about ${column.distinct} different values`
}

/** The columns of events that are numbers, and neither ids nor times such as 20261122. */
function numbersOf(table: ProposedTable, keys: string[], label: FoundLabel | undefined): ColumnLook[] {
  return table.columns.filter(
    (column) =>
      !keys.includes(column.name) &&
      !column.isKey &&
      column.name !== label?.column &&
      !Object.values(table.declared).includes(column.name) &&
      table.reads[column.name] === undefined &&
      !ID.test(plainName(column.name)) &&
      !isRunning(table, column) &&
      timeReading(column) === undefined &&
      (numberSql(column, '', 'DOUBLE') !== undefined ||
        /^(?:U?(?:TINYINT|SMALLINT|INTEGER|BIGINT)|FLOAT|DOUBLE|DECIMAL.*)$/.test(column.type)),
  )
}

/** A whole number of its own for each row, in a row: it counts the rows, whatever its name. */
function isRunning(table: ProposedTable, { name, type, distinct, min, max }: ColumnLook): boolean {
  const { rows } = table
  const isWhole = /INT/.test(sourceTypes(table)[name] ?? type)
  return isWhole && rows > 100 && distinct >= 0.93 * rows && Number(max) - Number(min) < 2 * rows
}

/** Columns of events of which nothing is made, with what could be. */
function unusedOf(table: ProposedTable, keys: string[], numbers: ColumnLook[]): string[] {
  const of = ({ name }: ColumnLook) => `${table.name}.${name}`
  const times = table.columns.flatMap((column) => {
    const reading = timeReading(column)
    const isUsed = Object.values(table.declared).includes(column.name) || keys.includes(column.name)
    return reading === undefined || isUsed ? [] : [{ column, reading }]
  })
  const texts = table.columns.filter(
    (column) =>
      column.type === 'VARCHAR' &&
      timeReading(column) === undefined &&
      sourceTypes(table)[column.name] === undefined &&
      !ID.test(plainName(column.name)) &&
      !keys.includes(column.name) &&
      !numbers.includes(column) &&
      !Object.values(table.declared).includes(column.name),
  )
  return [
    ...times.map(
      ({ column, reading }) =>
        `${of(column)}: another time, ${reading.words}: ${reading.sql(column.name)} reads it`,
    ),
    ...texts.map((column) => {
      const [value] = column.values ?? []
      return value === undefined
        ? `${of(column)}: ${textReason(column)}`
        : `${of(column)}: a category of events; count(*) FILTER (${sqlName(column.name)} = ${literal(value.value)}) counts one`
    }),
    ...table.columns
      .filter(
        (column) =>
          isRunning(table, column) && !keys.includes(column.name) && !ID.test(plainName(column.name)),
      )
      .map((column) => `${of(column)}: it numbers the rows`),
    ...numbers.slice(MOST_SUMS).map((column) => `${of(column)}: there are sums of ${MOST_SUMS} others`),
  ]
}

/** Counts, times and sums of what happened, all before the as-of. */
function eventFeatures(table: ProposedTable, numbers: ColumnLook[]): Feature[] {
  const time = sqlName(table.time ?? '')
  const [short, long] = windowsOf(table)
  const since = (days: number) => `FILTER (${time} >= $as_of - INTERVAL ${days} DAY)`
  return [
    { name: `${table.name}_${short}d`, sql: `count(*) ${since(short)}::FLOAT`, note: undefined },
    { name: `${table.name}_${long}d`, sql: `count(*) ${since(long)}::FLOAT`, note: undefined },
    {
      name: `days_since_last_${table.name}`,
      sql: `date_diff('day', max(${time}), $as_of)::FLOAT`,
      note: undefined,
    },
    {
      name: `days_since_first_${table.name}`,
      sql: `date_diff('day', min(${time}), $as_of)::FLOAT`,
      note: undefined,
    },
    ...numbers.flatMap((column): Feature[] => {
      const plain = featureName(column.name)
      const known = sourceTypes(table)[column.name] ?? column.type
      const name = sqlName(column.name)
      const value = (known === 'VARCHAR' ? numberSql(column, name, 'DOUBLE') : undefined) ?? name
      return [
        {
          name: `${plain}_sum_${long}d`,
          sql: `coalesce(sum(${value}) ${since(long)}, 0)::FLOAT`,
          note: undefined,
        },
        { name: `${plain}_mean`, sql: `avg(${value})::FLOAT`, note: undefined },
      ]
    }),
  ]
}
