import type { View } from '../../project/project.ts'
import type { AsOf } from '../../project/time/asof.ts'
import type { Engine } from '../engine/duckdb.ts'
import { instantLiteral } from './instant.ts'
import type { Surveyed } from './survey.ts'
import { entitySql } from './times.ts'

/** The source's rows with their time `t`, their `entity`, and what else is asked of them, as FROM reads them. */
export function rowsWith(source: Surveyed, view: View, columns: string[]): string {
  const all = [
    `${source.time?.sql} AS t`,
    `${entitySql(source, view.entity) ?? 'NULL'} AS entity`,
    ...columns,
  ]
  return `(SELECT ${all.join(', ')} FROM ${source.from})`
}

/** The as-of at which most rows meet a condition, with their entities; undefined where none does at any. */
export async function worstAsOf(
  engine: Engine,
  rows: string,
  asOfs: AsOf[],
  condition: (at: string) => string,
): Promise<{ as_of: string; rows: number; examples: string[] } | undefined> {
  let worst: { asOf: AsOf; rows: number } | undefined
  for (const asOf of asOfs) {
    const where = condition(instantLiteral(asOf.instant))
    const row = await engine.row(`SELECT count(*) AS n FROM ${rows} WHERE ${where}`)
    const n = Number(row.n)
    if (n > (worst?.rows ?? 0)) worst = { asOf, rows: n }
  }
  if (worst === undefined) return undefined
  const where = condition(instantLiteral(worst.asOf.instant))
  const examples = await engine.rows(
    `SELECT DISTINCT entity FROM ${rows} WHERE ${where} AND entity IS NOT NULL ORDER BY entity LIMIT 5`,
  )
  return { as_of: worst.asOf.label, rows: worst.rows, examples: examples.map(({ entity }) => String(entity)) }
}
