import type { Column } from '../engine/facts.ts'
import { identifier, literal } from '../engine/quote.ts'
import type { ComparedColumn } from './compare.ts'

/** How pandas, polars and R write that there is no value, where they do not leave the field empty. */
const MISSING = ['nan', 'na', 'n/a', 'nat', 'none', 'null', '<na>', '#n/a']
const INTEGER = /^U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/
const FLOATING = /^(?:FLOAT|DOUBLE)$/
/** `+01:00`, `+0100` or `Z` behind a time. */
const OFFSET = '[0-9]\\s*(?:Z|z|[+-][0-9]{2}:?[0-9]{2})$'

/**
 * SQL of a value that somebody else's program has written, in the type that was published; null where that type cannot
 * hold it. Formats alone make no difference: `12.0` is an integer, `True` is 1, `2026-11-22 00:00:00` a date. A number
 * that is rounded by a cast is another number, though, and so are a time and its date. Times with an offset are read
 * in the project's zone, as features are.
 */
export function foreignValue(raw: string, from: string, to: string, timezone: string): string {
  const text = from === 'VARCHAR'
  if (INTEGER.test(to)) {
    const whole = `CASE WHEN TRY_CAST(${raw} AS DOUBLE) = floor(TRY_CAST(${raw} AS DOUBLE)) THEN TRY_CAST(${raw} AS ${to}) END`
    const wholeText = `CASE WHEN TRY_CAST(${raw} AS DOUBLE) = floor(TRY_CAST(${raw} AS DOUBLE)) THEN coalesce(TRY_CAST(${raw} AS ${to}), TRY_CAST(TRY_CAST(${raw} AS DOUBLE) AS ${to})) END`
    return text ? `coalesce(${wholeText}, ${truth(raw, to)})` : whole
  }
  if (FLOATING.test(to) || to.startsWith('DECIMAL')) {
    const number = `TRY_CAST(${raw} AS ${to})`
    return text ? `coalesce(${number}, ${truth(raw, to)})` : number
  }
  if (to === 'BOOLEAN') {
    return `coalesce(TRY_CAST(${text ? `CASE WHEN TRY_CAST(${raw} AS DOUBLE) IS NULL THEN ${raw} END` : from === 'BOOLEAN' ? raw : 'NULL'} AS BOOLEAN),
      CASE TRY_CAST(${raw} AS DOUBLE) WHEN 1 THEN true WHEN 0 THEN false END)`
  }
  if (to === 'DATE') {
    const time = local(raw, from, timezone)
    return `CASE WHEN ${time} = date_trunc('day', ${time}) THEN CAST(${time} AS DATE) END`
  }
  if (to.startsWith('TIMESTAMP')) return `TRY_CAST(${local(raw, from, timezone)} AS ${to})`
  if (to === 'VARCHAR' && FLOATING.test(from)) {
    // Numbers that name things become 12.0 where one of them is missing.
    return `CASE WHEN ${raw} = floor(${raw}) AND abs(${raw}) < 9007199254740992 THEN ${raw}::BIGINT::VARCHAR ELSE ${raw}::VARCHAR END`
  }
  return `TRY_CAST(${raw} AS ${to})`
}

/**
 * A column of somebody else's file beside the published one. Their programs know no difference between NaN, null and,
 * in a CSV file, an empty text: where one side says one and the other side the other, that is no difference.
 */
export function foreignColumn(
  column: Column,
  from: string,
  { csv, timezone }: { csv: boolean; timezone: string },
): ComparedColumn {
  const { name, type } = column
  const l = `l.${identifier(name)}`
  const given = `r.${identifier(name)}`
  const named = `lower(trim(${given})) IN (${MISSING.map(literal).join(', ')})`
  const raw =
    from !== 'VARCHAR'
      ? given
      : type === 'VARCHAR'
        ? `CASE WHEN ${l} IS NULL AND ${named} THEN NULL ELSE ${given} END`
        : `CASE WHEN trim(${given}) = '' OR (${named} AND NOT ${FLOATING.test(type) ? `isnan(${l}) IS TRUE` : 'false'}) THEN NULL ELSE ${given} END`
  const value = foreignValue(`(${raw})`, from, type, timezone)
  const unreadable = `((${raw}) IS NOT NULL AND ${value} IS NULL)`
  if (FLOATING.test(type)) {
    const missing = `(${raw}) IS NULL AND isnan(${l}) IS TRUE`
    const same = `CASE WHEN ${missing} THEN 'NaN'::${type} WHEN ${l} IS NULL AND isnan(${value}) THEN NULL ELSE ${value} END`
    return { ...column, right: same, unreadable, shown: given }
  }
  if (type === 'VARCHAR' && csv) {
    return {
      ...column,
      right: `CASE WHEN ${l} = '' AND (${raw}) IS NULL THEN '' ELSE ${value} END`,
      unreadable,
      shown: given,
    }
  }
  return { ...column, right: value, unreadable, shown: given }
}

/** 1 and 0 for true and false, in a type of numbers. */
function truth(raw: string, type: string): string {
  return `CASE lower(trim(${raw})) WHEN 'true' THEN 1::${type} WHEN 'false' THEN 0::${type} END`
}

/** A TIMESTAMP in the project's zone. */
function local(raw: string, from: string, timezone: string): string {
  const zoned = (value: string) => `(TRY_CAST(${value} AS TIMESTAMPTZ) AT TIME ZONE ${literal(timezone)})`
  if (from === 'TIMESTAMP WITH TIME ZONE') return zoned(raw)
  if (from !== 'VARCHAR') return `TRY_CAST(${raw} AS TIMESTAMP)`
  return `CASE WHEN regexp_matches(trim(${raw}), ${literal(OFFSET)}) AND contains(${raw}, ':') THEN ${zoned(raw)} ELSE TRY_CAST(${raw} AS TIMESTAMP) END`
}
