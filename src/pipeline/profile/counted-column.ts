import { TIMES } from '../../format/time-text.ts'
import type { Column } from '../engine/facts.ts'
import { identifier } from '../engine/quote.ts'

/** A column as a profile counts it: `sql` gives DOUBLE for numbers, VARCHAR for categories. */
export interface CountedColumn {
  name: string
  type: string
  kind: 'number' | 'category'
  score: boolean
  sql: string
  /** Of numbers: `aggregate` of the column, min or max, as DOUBLE. Of the bare column, so that the file's statistics answer. */
  extreme(aggregate: 'min' | 'max'): string
}

const NUMBERS = /^(?:U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(.*\))$/
const CATEGORIES = /^(?:VARCHAR|BOOLEAN|UUID|ENUM\(.*\))$/

/** How a column is counted; a text that says why where it is not. */
export function countedColumn({ name, type }: Column, score: boolean): CountedColumn | string {
  const column = identifier(name)
  const shared = { name, type, score }
  if (NUMBERS.test(type)) {
    const extreme = (aggregate: string) => `${aggregate}(${column})::DOUBLE`
    return { ...shared, kind: 'number', sql: `${column}::DOUBLE`, extreme }
  }
  if (TIMES.test(type)) {
    // epoch() of an infinite time is null, which would hide it among the nulls.
    const seconds = (time: string) =>
      `CASE WHEN isfinite(${time}) THEN epoch(${time}) WHEN ${time} IS NOT NULL THEN 'inf'::DOUBLE END`
    const extreme = (aggregate: string) => seconds(`${aggregate}(${column})`)
    return { ...shared, kind: 'number', sql: seconds(column), extreme }
  }
  if (CATEGORIES.test(type)) {
    const extreme = (aggregate: string) => `${aggregate}(${column})`
    return { ...shared, kind: 'category', sql: `${column}::VARCHAR`, extreme }
  }
  return `a ${type} is not compared`
}
