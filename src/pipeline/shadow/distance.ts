import type { Engine } from '../engine/duckdb.ts'
import { finite } from './agreement.ts'
import type { ShadowFigures, Spread } from './shadow-figures.ts'

/**
 * How far apart the distributions of both sides are, each with all of its finite scores. Kolmogorov-Smirnov is the
 * largest difference of the two cumulative distributions; Wasserstein is the area between them.
 */
export async function distanceOf(engine: Engine): Promise<ShadowFigures['distance']> {
  const row = await engine.row(
    `WITH counted AS (
       SELECT x, sum(in_a) AS in_a, sum(in_b) AS in_b
         FROM (SELECT a AS x, 1 AS in_a, 0 AS in_b FROM sides WHERE has_a AND isfinite(a)
               UNION ALL SELECT b, 0, 1 FROM sides WHERE has_b AND isfinite(b))
        GROUP BY x),
     total AS (SELECT sum(in_a) AS a, sum(in_b) AS b FROM counted),
     apart AS (
       SELECT abs(sum(in_a) OVER up / total.a - sum(in_b) OVER up / total.b) AS gap,
              lead(x) OVER (ORDER BY x) - x AS step
         FROM counted, total
       WINDOW up AS (ORDER BY x ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))
     SELECT (SELECT CASE WHEN a > 0 AND b > 0 THEN true END FROM total) AS known, max(gap)::DOUBLE AS ks,
            coalesce(sum(gap * step), 0)::DOUBLE AS wasserstein
       FROM apart`,
  )
  if (row.known !== true) return { ks: null, wasserstein: null }
  return { ks: finite(row.ks), wasserstein: finite(row.wasserstein) }
}

const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95]

export async function spreadOf(engine: Engine, side: 'a' | 'b'): Promise<Spread> {
  const columns = QUANTILES.map((at, index) => `quantile_cont(${side}, ${at})::DOUBLE AS q${index}`)
  const row = await engine.row(
    `SELECT avg(${side}) AS mean, ${columns.join(', ')} FROM sides WHERE has_${side} AND isfinite(${side})`,
  )
  const quantiles = QUANTILES.flatMap((_, index) => finite(row[`q${index}`]) ?? [])
  return { mean: finite(row.mean), quantiles: quantiles.length < QUANTILES.length ? null : quantiles }
}
