import type { Engine } from '../engine/duckdb.ts'
import { literal } from '../engine/quote.ts'
import type { CountedRows } from './count-numbers.ts'
import type { CountedColumn } from './counted-column.ts'
import { type CategoryProfile, COUNTED_VALUES, KNOWN_VALUES } from './profile.ts'

/**
 * Profile of a category column: rows by value of the baseline, and what is beyond. Without a baseline the values are
 * the column's own, most frequent first. Long texts are known by their beginning and a hash.
 */
export async function countCategories(
  engine: Engine,
  { from, rows }: CountedRows,
  { name, type, score, sql }: CountedColumn,
  baseline: CategoryProfile | undefined,
): Promise<CategoryProfile> {
  const expected = baseline === undefined ? [] : [...baseline.values, ...(baseline.known ?? [])]
  const expectedSql =
    expected.length === 0 ? 'false' : `value IN (SELECT unnest([${expected.map(literal).join(', ')}]))`
  const groups = await engine.rows(
    `SELECT value, n, expected, count(*) OVER () AS distinct, sum(n) OVER () AS total
       FROM (SELECT value, n, ${expectedSql} AS expected
               FROM (SELECT ${shortened(sql)} AS value, count(*) AS n FROM ${from} WHERE ${sql} IS NOT NULL GROUP BY 1))
      ORDER BY expected DESC, n DESC, value LIMIT ${expected.length + KNOWN_VALUES + 1}`,
  )
  const found = groups.map((row) => ({
    value: String(row.value),
    count: Number(row.n),
    expected: row.expected === true,
  }))
  const total = Number(groups[0]?.total ?? 0)
  const counted = {
    column: name,
    type,
    score,
    rows,
    nulls: rows - total,
    distinct: Number(groups[0]?.distinct ?? 0),
  }
  if (baseline === undefined) {
    const values = found.slice(0, COUNTED_VALUES)
    const counts = values.map(({ count }) => count)
    const all = counted.distinct <= KNOWN_VALUES
    return {
      kind: 'category',
      ...counted,
      values: values.map(({ value }) => value),
      counts,
      other: total - sum(counts),
      unseen: 0,
      unseen_values: [],
      ...(all ? { known: found.slice(COUNTED_VALUES).map(({ value }) => value) } : {}),
    }
  }
  const byValue = new Map(found.map(({ value, count }) => [value, count]))
  const counts = baseline.values.map((value) => byValue.get(value) ?? 0)
  const beyond = total - sum(counts)
  const rare = sum((baseline.known ?? []).map((value) => byValue.get(value) ?? 0))
  const canTell = baseline.known !== undefined
  return {
    kind: 'category',
    ...counted,
    values: baseline.values,
    counts,
    other: canTell ? rare : beyond,
    unseen: canTell ? beyond - rare : 0,
    unseen_values: canTell
      ? found
          .filter((each) => !each.expected)
          .slice(0, 5)
          .map(({ value, count }) => ({ value, count }))
      : [],
  }
}

/** A NUL cannot be stored in the ledger, and a page of text is no category's name. */
function shortened(sql: string): string {
  const safe = `replace(${sql}, chr(0), '\uFFFD')`
  return `CASE WHEN strlen(${sql}) > 200 THEN left(${safe}, 60) || '… ' || md5(${sql}) WHEN contains(${sql}, chr(0)) THEN ${safe} ELSE ${sql} END`
}

function sum(counts: number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
