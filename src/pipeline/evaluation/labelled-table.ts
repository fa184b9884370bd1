import { join } from 'node:path'
import type { Engine } from '../engine/duckdb.ts'
import { literal, parquet } from '../engine/quote.ts'

/**
 * Rows are measured in memory up to so many; more lie in a file, are read in passes sorted by score, and have the
 * intervals of a sample of so many.
 */
export const MOST_IN_MEMORY = 200_000

/** Of the engine that holds and sorts such a file: it spills what is more. */
export const LABELLED_MEMORY = '256MB'

/** Labelled rows in a file that DuckDB reads: memory stays the same however many they are. */
export interface LabelledTable {
  engine: Engine
  hasRival: boolean
  rows: number
  positives: number
  kind: 'classification' | 'regression'
  /** Of finite scores; of numbers, of their labels too. */
  from: number
  to: number
  /** Scores that are no finite numbers, and those beyond 0 and 1. */
  broken: number
  beyond: number
  /** All entities: no two of ten million share their hash of 64 bits, but for 3 chances in a million. */
  entities: number
  /** For each way in which rows are parted, its parts by their code. */
  partings: Part[][]
}

export interface Part {
  value: string
  rows: number
  positives: number
}

/** Reads `score`, `label`, `rival` (if any), `entity` (a hash) and `code_0` and so on, from what it stands behind. */
export const LABELLED = 'labelled'

/**
 * Writes what `select` gives into a file of the folder: `score` and `label`, both DOUBLE, `entity` UBIGINT, `rival` DOUBLE
 * where there is one, and one text `part_0`, `part_1`, ... for each way in which the rows are parted.
 */
export async function openLabelled(
  engine: Engine,
  {
    select,
    hasRival,
    partings,
    folder,
  }: { select: string; hasRival: boolean; partings: number; folder: string },
): Promise<LabelledTable> {
  const file = join(folder, 'labelled.parquet')
  await engine.run(`COPY (${select}) TO ${literal(file)} (FORMAT parquet)`)
  const indexes = Array.from({ length: partings }, (_, index) => index)
  for (const index of indexes)
    await engine.run(
      `CREATE TEMP TABLE parts_${index} AS
         SELECT (row_number() OVER (ORDER BY value) - 1)::UINTEGER AS code, value, own, hits
           FROM (SELECT coalesce(part_${index}, 'null') AS value, count(*) AS own, count_if(label = 1) AS hits
                   FROM ${parquet(file)} GROUP BY ALL)`,
    )
  await engine.run(
    `CREATE TEMP VIEW ${LABELLED} AS
       SELECT score, label, entity${hasRival ? ', rival' : ''}${indexes.map((index) => `, p${index}.code AS code_${index}`).join('')}
         FROM ${parquet(file)} AS r
         ${indexes.map((index) => `JOIN parts_${index} AS p${index} ON p${index}.value = coalesce(r.part_${index}, 'null')`).join('\n')}`,
  )
  const totals = await engine.row(
    `SELECT count(*)::DOUBLE AS row_count, count_if(label = 1)::DOUBLE AS hits, bool_and(label IN (0, 1)) AS is_class,
            min(score) FILTER (isfinite(score)) AS least, max(score) FILTER (isfinite(score)) AS most,
            min(label) AS least_label, max(label) AS most_label,
            count_if(score IS NULL OR NOT isfinite(score))::DOUBLE AS broken, count_if(NOT isnan(score) AND (score < 0 OR score > 1))::DOUBLE AS beyond
       FROM ${parquet(file)}`,
  )
  const { entities } = await engine.row(
    `SELECT count(*)::DOUBLE AS entities FROM (SELECT DISTINCT entity FROM ${parquet(file)})`,
  )
  const kind = totals.is_class === true ? 'classification' : 'regression'
  const [scores, labels] = [
    [Number(totals.least), Number(totals.most)],
    kind === 'classification' ? [] : [Number(totals.least_label), Number(totals.most_label)],
  ]
  return {
    engine,
    hasRival,
    rows: Number(totals.row_count),
    positives: Number(totals.hits),
    kind,
    from: Math.min(...scores, ...labels),
    to: Math.max(...scores, ...labels),
    broken: Number(totals.broken),
    beyond: Number(totals.beyond),
    entities: Number(entities),
    partings: await Promise.all(
      indexes.map(async (index) =>
        (
          await engine.rows(
            `SELECT value, own::DOUBLE AS own, hits::DOUBLE AS hits FROM parts_${index} ORDER BY code`,
          )
        ).map(({ value, own, hits }) => ({
          value: String(value),
          rows: Number(own),
          positives: Number(hits),
        })),
      ),
    ),
  }
}

/** Calls `onRow` with each row that has a score, from the highest down; of equal scores the lowest label first. */
export async function readSorted(
  { engine, partings }: LabelledTable,
  by: 'score' | 'rival',
  onRow: (score: number, label: number, codes: Uint32Array) => void,
): Promise<void> {
  const codes = new Uint32Array(partings.length)
  const names = partings.map((_, index) => `, code_${index}`).join('')
  const result = await engine.connection.stream(
    `SELECT ${by}, label${names} FROM ${LABELLED} WHERE ${by} IS NOT NULL AND NOT isnan(${by}) ORDER BY ${by} DESC, label`,
  )
  for (
    let chunk = await result.fetchChunk();
    chunk && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    const columns = Array.from({ length: chunk.columnCount }, (_, index) =>
      itemsOf(chunk.getColumnVector(index)),
    )
    const [scores, labels, ...parts] = columns
    for (let row = 0; row < chunk.rowCount; row++) {
      for (let index = 0; index < parts.length; index++) codes[index] = parts[index]?.[row] ?? 0
      onRow(scores?.[row] ?? Number.NaN, labels?.[row] ?? Number.NaN, codes)
    }
  }
}

/** Rows of whole entities, with the entities numbered from 0. */
export interface DrawnRows {
  scores: Float64Array
  labels: Float64Array
  rival: Float64Array | undefined
  entities: Uint32Array
  entityCount: number
}

/** All rows of the table or of one of its parts, or of about so many those of entities that a hash chooses: the same each time. */
export async function drawRows(
  { engine, hasRival }: LabelledTable,
  { rows, most, parting, code }: { rows: number; most: number; parting?: number; code?: number },
): Promise<DrawnRows> {
  const PARTS = 1_000_000
  const conditions = [
    ...(parting === undefined ? [] : [`code_${parting} = ${code}`]),
    ...(rows <= most ? [] : [`entity % ${PARTS} < ${Math.max(1, Math.floor((PARTS * most) / rows))}`]),
  ]
  const result = await engine.connection.stream(
    `SELECT coalesce(score, 'nan'), label, dense_rank() OVER (ORDER BY entity)::UINTEGER AS number${hasRival ? ", coalesce(rival, 'nan')" : ''}
       FROM ${LABELLED}${conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`} ORDER BY number, score, label`,
  )
  const columns: (Float64Array | Uint32Array)[][] = [[], [], [], []]
  for (
    let chunk = await result.fetchChunk();
    chunk && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    for (let index = 0; index < chunk.columnCount; index++)
      columns[index]?.push(itemsOf(chunk.getColumnVector(index)).slice(0, chunk.rowCount))
  }
  const [scores, labels, numbers, rival] = columns.map(joined)
  const entities = Uint32Array.from(numbers ?? [], (number) => number - 1)
  return {
    scores: scores ?? new Float64Array(),
    labels: labels ?? new Float64Array(),
    rival: hasRival ? rival : undefined,
    entities,
    entityCount: (entities.at(-1) ?? -1) + 1,
  }
}

function joined(parts: (Float64Array | Uint32Array)[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0))
  let done = 0
  for (const part of parts) {
    all.set(part, done)
    done += part.length
  }
  return all
}

/** The values of a column that has no nulls, as DuckDB holds them. */
function itemsOf(vector: object): Float64Array | Uint32Array {
  const items: unknown = Reflect.get(vector, 'items')
  if (items instanceof Float64Array || items instanceof Uint32Array) return items
  throw new Error('expected a column of doubles or of whole numbers below 2^32')
}
