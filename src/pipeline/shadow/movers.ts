import type { Engine } from '../engine/duckdb.ts'
import { identifier, parquet } from '../engine/quote.ts'
import { keyNames } from './score-pairs.ts'
import type { FeatureFile, Mover } from './shadow-figures.ts'

const MOST = 20
/** A row is read by a person: the model's first inputs say enough. */
const MOST_FEATURES = 30

/** The rows of `pairs` whose score, or rank, differs most, with their features. Equal differences are in the order of the entity. */
export async function moversOf(
  engine: Engine,
  by: 'score' | 'rank',
  entity: string[],
  features: FeatureFile[],
  rows: number,
): Promise<Mover[]> {
  const keys = keyNames(entity)
  // From 0 for the lowest to 1 for the highest; a single row is at 0.
  const rank = (side: 'a' | 'b') =>
    `((f${side} + (t${side} - 1) / 2.0 - 1) / ${Math.max(1, rows - 1)})::DOUBLE`
  const moved = by === 'score' ? 'abs(b - a)' : `abs(${rank('b')} - ${rank('a')})`
  await engine.run(
    `CREATE TEMP TABLE movers AS
     SELECT ${keys.join(', ')}, a, b, ${rank('a')} AS rank_a, ${rank('b')} AS rank_b, ${moved} AS moved
       FROM pairs WHERE ${moved} > 0 ORDER BY moved DESC, ${keys.join(', ')} LIMIT ${MOST}`,
  )
  const found = await engine.rows(
    `SELECT ${keys.map((key) => `${key}::VARCHAR AS ${key}`).join(', ')}, a, b, rank_a, rank_b FROM movers ORDER BY moved DESC, ${keys.map((key) => `movers.${key}`).join(', ')}`,
  )
  const values = await featuresOf(engine, features)
  return found.map((row) => ({
    entity: Object.fromEntries(entity.map((name, index) => [name, String(row[`k${index}`])])),
    champion: Number(row.a),
    challenger: Number(row.b),
    champion_rank: Number(row.rank_a),
    challenger_rank: Number(row.rank_b),
    features: values.get(keys.map((key) => String(row[key])).join('\n')) ?? {},
  }))
}

/** Features by the text of their entity. Of a column that both views have, the challenger's value. */
async function featuresOf(
  engine: Engine,
  features: FeatureFile[],
): Promise<Map<string, Record<string, string | null>>> {
  const found = new Map<string, Record<string, string | null>>()
  for (const { path, entity, columns } of features.toReversed()) {
    const keys = keyNames(entity)
    const there = (await engine.rows(`DESCRIBE SELECT * FROM ${parquet(path)}`)).map((row) =>
      String(row.column_name),
    )
    const shown = columns.filter((name) => there.includes(name)).slice(0, MOST_FEATURES)
    if (shown.length === 0) continue
    const rows = await engine.rows(
      `SELECT ${keys.map((key) => `m.${key}::VARCHAR AS ${key}`).join(', ')}, ${shown.map((name, index) => `f.${identifier(name)}::VARCHAR AS v${index}`).join(', ')}
         FROM movers AS m JOIN ${parquet(path)} AS f ON ${keys.map((key, index) => `m.${key} = f.${identifier(entity[index] ?? '')}`).join(' AND ')}`,
    )
    for (const row of rows) {
      const key = keys.map((name) => String(row[name])).join('\n')
      const own = shown.map((name, index) => {
        const value = row[`v${index}`]
        return [name, value === null || value === undefined ? null : String(value)]
      })
      found.set(key, { ...Object.fromEntries(own), ...withoutKnown(found.get(key), shown) })
    }
  }
  return found
}

/** What the other view alone has, behind the own columns. */
function withoutKnown(
  other: Record<string, string | null> | undefined,
  own: string[],
): Record<string, string | null> {
  return Object.fromEntries(Object.entries(other ?? {}).filter(([name]) => !own.includes(name)))
}
