import { sqlName } from '../../pipeline/beginning/data-paths.ts'
import type { Proposal, ProposedTable } from '../../pipeline/beginning/propose-sources.ts'
import { sourceTypes } from './first-sources.ts'

/** One column of the first features.sql. */
export interface Feature {
  name: string
  sql: string
  /** Said behind it in the SQL. */
  note: string | undefined
}

/** features.sql: of one table as it is, else a row of the base with its other states and its events joined. */
export function featuresText({
  parts,
  entity,
  base,
}: {
  parts: { table: ProposedTable; features: Feature[]; isState: boolean }[]
  entity: Proposal['entity']
  base: ProposedTable | undefined
}): string {
  const head = `-- One row per ${entity.columns.join(', ')}, as known at $as_of: a first proposal, from what the data looked like. The sources are
-- already cut there. Time is local time of the project, so $as_of - INTERVAL 30 DAY is 30 local days.
`
  const keysOf = ({ name }: ProposedTable) => entity.in[name] ?? []
  const [first = parts[0]] = parts.filter(({ table }) => table === base)
  if (first === undefined) return head
  const rest = parts.filter((part) => part !== first)
  const line = ({ name, sql, note }: Feature, comma: boolean) =>
    `${sql === sqlName(name) || sql.endsWith(`.${sqlName(name)}`) ? sql : `${sql} AS ${sqlName(name)}`}${comma ? ',' : ''}${note === undefined ? '' : `  -- ${note}`}`
  const block = (features: Feature[], indent: string, isLast = true) =>
    features.map((each, index) => indent + line(each, !isLast || index < features.length - 1)).join('\n')
  const of = (table: ProposedTable, prefix = '') =>
    keysOf(table).map((key, index) => {
      return keyText(table, key, entity.columns[index] ?? key, prefix)
    })
  const whole = (table: ProposedTable, prefix = '') => {
    const nulls = table.columns.filter(({ name, nulls }) => keysOf(table).includes(name) && nulls > 0)
    const where = nulls.map(({ name }) => `${prefix}${sqlName(name)} IS NOT NULL`)
    return where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`
  }
  if (!first.isState && rest.length === 0) {
    const { table, features } = first
    const where = whole(table)
    return `${head}SELECT
  ${of(table).join(', ')},
${block(features, '  ')}
FROM ${table.name}
${where === '' ? '' : `${where}\n`}GROUP BY ${keysOf(table).map(sqlName).join(', ')}
`
  }
  const inner = (table: ProposedTable, features: Feature[]) => `(
  SELECT ${of(table).join(', ')},
${block(features, '    ')}
  FROM ${table.name}
  GROUP BY ${keysOf(table).map(sqlName).join(', ')}
)`
  const alias = ({ name }: ProposedTable) => `${name}_of`
  const from = first.isState
    ? first.table.name
    : `${inner(first.table, first.features)} AS ${alias(first.table)}`
  const owner = first.isState ? first.table.name : alias(first.table)
  const ownKeys = first.isState ? keysOf(first.table) : entity.columns
  const joins = rest.map(({ table, features, isState }) => {
    const other = isState ? table.name : alias(table)
    const otherKeys = isState ? keysOf(table) : entity.columns
    const on = ownKeys.map((key, index) => {
      const mate = otherKeys[index] ?? key
      const types = [typeOf(first.table, keysOf(first.table)[index]), typeOf(table, keysOf(table)[index])]
      // Keys of unlike types are compared as text: no number loses a digit. So are UUIDs, which are text in the output.
      const cast = types[0] === types[1] && types[0] !== 'UUID' ? '' : '::VARCHAR'
      return `${other}.${sqlName(mate)}${cast} = ${owner}.${sqlName(key)}${cast}`
    })
    return `LEFT JOIN ${isState ? table.name : `${inner(table, features)} AS ${other}`}\n  ON ${on.join(' AND ')}`
  })
  const selected = parts.flatMap(({ table, features, isState }) =>
    features.map((feature): Feature => {
      if (isState) return feature
      const name = `${alias(table)}.${sqlName(feature.name)}`
      return {
        ...feature,
        sql: isCounted(feature) && table !== first.table ? `coalesce(${name}, 0)` : name,
        note: undefined,
      }
    }),
  )
  const keys = ownKeys.map((key, index) => {
    const prefix = rest.length === 0 ? '' : `${owner}.`
    const as = entity.columns[index] ?? key
    return first.isState ? keyText(first.table, key, as, prefix) : `${prefix}${sqlName(key)}`
  })
  const where = first.isState ? whole(first.table, rest.length === 0 ? '' : `${first.table.name}.`) : ''
  return `${head}SELECT
  ${keys.join(', ')},
${block(selected, '  ')}
FROM ${from}
${joins.map((join) => `${join}\n`).join('')}${where === '' ? '' : `${where}\n`}`
}

/** A count or a sum of a window: without events it is 0, where a mean or a time is null. */
export function isCounted({ name }: Feature): boolean {
  return /_\d+d$/.test(name)
}

/** A column of the entity as features and labels have it: a UUID, which Parquet and ONNX do not keep, as text. */
export function keyText(table: ProposedTable, key: string, as: string, prefix = ''): string {
  const cast = typeOf(table, key) === 'UUID' ? '::VARCHAR' : ''
  return `${prefix}${sqlName(key)}${cast}${as === key && cast === '' ? '' : ` AS ${sqlName(as)}`}`
}

/** The type of a column as the source declares or has it. */
export function typeOf(table: ProposedTable, name: string | undefined): string | undefined {
  if (name === undefined) return undefined
  return sourceTypes(table)[name] ?? table.columns.find((column) => column.name === name)?.type
}
