import type { Engine } from '../engine/duckdb.ts'
import type { Column } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { identifier } from '../engine/quote.ts'

/** A holdout of some groups of rows, in all as-ofs. */
export interface HeldGroups {
  /** Of the groups, between 0 and 1. */
  share: number
  /** Columns whose values make a group: of the entity or of the view. */
  by: string[]
}

/**
 * SQL that is true for rows whose group is held out. A group is drawn by the md5 of its values, the same for any version of
 * DuckDB: a group that was held out once is so in every set with this share or a larger one.
 */
export function isHeld({ share, by }: HeldGroups): string {
  const key = by.map((name) => `coalesce(${identifier(name)}::VARCHAR, '')`).join(` || chr(31) || `)
  return `(('0x' || md5(${key})[:8])::UBIGINT / 4294967296.0) < ${share}`
}

/** Throws a contract Failure where `by` names no column of the training set. */
export function refuseUnknownGroups({ by }: HeldGroups, entity: string[], columns: Column[]): void {
  const names = [...entity, ...columns.map(({ name }) => name)]
  const wrong = by.find((name) => !names.includes(name))
  if (wrong === undefined) return
  throw new Failure(
    'contract',
    `--group-by: expected columns of the entity or of the view, got: ${wrong}; they are: ${names.join(', ')}`,
  )
}

/** Groups on both sides, by one of which there is nothing to train or to evaluate. */
export async function countGroups(
  engine: Engine,
  from: string,
  held: HeldGroups,
): Promise<{ train: number; holdout: number }> {
  const row = await engine.row(
    `SELECT count(DISTINCT (${held.by.map(identifier).join(', ')})) FILTER (NOT held) AS train, count(DISTINCT (${held.by.map(identifier).join(', ')})) FILTER (held) AS holdout FROM (SELECT *, ${isHeld(held)} AS held FROM ${from})`,
  )
  return { train: Number(row.train), holdout: Number(row.holdout) }
}
