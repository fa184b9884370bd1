import type { Engine } from '../engine/duckdb.ts'
import { identifier, parquet } from '../engine/quote.ts'
import { FLIPS, finite, readFlips } from './agreement.ts'
import { keyNames } from './score-pairs.ts'
import type { FeatureFile, SegmentFigures } from './shadow-figures.ts'

/** The most values of a segment that are kept, those with most rows first. */
const MOST = 50

/** The figures by each value of the segments, ranks among its own rows. A segment is read where a view has it. */
export async function segmentFigures(
  engine: Engine,
  segments: string[],
  features: FeatureFile[],
  decided: boolean,
): Promise<{ figures: SegmentFigures[]; notes: string[] }> {
  const figures: SegmentFigures[] = []
  const notes: string[] = []
  for (const segment of features.length === 0 ? [] : segments) {
    const file = await fileWith(engine, features, segment)
    if (file === undefined) {
      notes.push(`no segment ${segment}: the features that were scored have no such column`)
      continue
    }
    const keys = keyNames(file.entity)
    const on = keys.map((key, index) => `pairs.${key} = f.${identifier(file.entity[index] ?? '')}`)
    const rows = await engine.rows(
      `WITH valued AS (
         SELECT coalesce(f.${identifier(segment)}::VARCHAR, 'null') AS value, a, b, da, db
           FROM pairs LEFT JOIN ${parquet(file.path)} AS f ON ${on.join(' AND ')}),
       ranked AS (
         SELECT *, rank() OVER (PARTITION BY value ORDER BY a) + (count(*) OVER (PARTITION BY value, a) - 1) / 2.0 AS ra,
                rank() OVER (PARTITION BY value ORDER BY b) + (count(*) OVER (PARTITION BY value, b) - 1) / 2.0 AS rb
           FROM valued)
       SELECT value, count(*) AS n, avg(a) AS mean_a, avg(b) AS mean_b,
              CASE WHEN min(a) < max(a) AND min(b) < max(b) THEN corr(ra, rb) END AS correlation, ${FLIPS}
         FROM ranked GROUP BY value ORDER BY n DESC, value LIMIT ${MOST + 1}`,
    )
    if (rows.length > MOST) notes.push(`segment ${segment}: the ${MOST} values with most rows are shown`)
    for (const row of rows.slice(0, MOST)) {
      figures.push({
        segment,
        value: String(row.value),
        rows: Number(row.n),
        rank_correlation: finite(row.correlation),
        flips: decided ? readFlips(row) : null,
        champion_mean: Number(row.mean_a),
        challenger_mean: Number(row.mean_b),
      })
    }
  }
  return { figures, notes }
}

async function fileWith(
  engine: Engine,
  features: FeatureFile[],
  column: string,
): Promise<FeatureFile | undefined> {
  for (const file of features) {
    const columns = await engine.rows(`DESCRIBE SELECT * FROM ${parquet(file.path)}`)
    if (columns.some((row) => row.column_name === column)) return file
  }
  return undefined
}
