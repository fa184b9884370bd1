import type { Cut } from '../cut/cut.ts'
import { rowsSeen, type SourceTable } from '../cut/cut-view.ts'
import type { Engine } from '../engine/duckdb.ts'
import { Failure } from '../engine/failure.ts'
import { identifier, literal, parquet } from '../engine/quote.ts'
import { HIVE_NULL } from '../sources/glob.ts'
import { keySql } from '../sources/relation.ts'
import { columnNamed, quoted } from '../sources/source-columns.ts'
import { bucketKey, isBucketed } from './buckets.ts'

/** The entity's columns in the common types of all sources in buckets. */
export interface EntityTypes {
  entity: string[]
  types: string[]
}

/** What the columns of an entity are called in the file of a shard's entities. */
export function entityColumns({ entity }: Pick<EntityTypes, 'entity'>): string[] {
  return entity.map((_, index) => `e${index}`)
}

/** SQL of the entity of a row as it lies in the files, under alias `s`. */
export function entitySql(table: SourceTable, { entity, types }: EntityTypes): string[] {
  return entity.map((name, index) => {
    const column = columnNamed(table.schema.columns, name)
    if (column === undefined) throw new Failure('bug', `source ${table.found.name} has no column ${name}`)
    const sql = quoted('s', column.name)
    return `CAST(${column.isKey ? keySql(sql, column.type) : sql} AS ${types[index]})`
  })
}

/**
 * Writes the entities that occur in a shard's sources in buckets: each with its bucket, and the sources (bits, by their order among
 * `bucketed`) where it lies there. All rows before the cut count, of a history those too that a later one replaces.
 */
export async function writeEntities(
  engine: Engine,
  tables: SourceTable[],
  cut: Cut,
  { out, bucketed, ...types }: EntityTypes & { out: string; bucketed: string[] },
): Promise<void> {
  const names = entityColumns(types)
  const parts = tables
    .filter(({ found }) => isBucketed(found))
    .map((table) => {
      const own = types.entity.flatMap((name) => columnNamed(table.schema.columns, name) ?? [])
      const key = columnNamed(table.schema.columns, bucketKey(table.found) ?? '')
      if (key === undefined) throw new Failure('bug', `source ${table.found.name} has no buckets`)
      const columns = [...new Set([...table.columns, ...own, key])]
      const fields = entitySql(table, types).map((sql, index) => `${sql} AS ${names[index]}`)
      const bit = 2 ** Math.min(bucketed.indexOf(table.found.name), 62)
      return `SELECT ${fields.join(', ')}, coalesce(${keySql(quoted('s', key.name), 'VARCHAR')}, ${literal(HIVE_NULL)}) AS bucket, ${bit}::BIGINT AS source FROM ${rowsSeen({ ...table, columns }, cut)}`
    })
  await engine.run(
    `COPY (SELECT ${names.join(', ')}, bucket, bit_or(source) AS sources FROM (${parts.join(' UNION ALL ')}) GROUP BY ALL) TO ${literal(out)} (FORMAT parquet)`,
  )
}

/**
 * Whether each entity lies in one bucket, over all shards and sources: else a shard has computed its row without the rows that lie in
 * another. Throws a contract Failure that names sources, entity and both buckets. `null` is an entity, too: its rows may be grouped.
 */
export async function expectDisjoint(
  engine: Engine,
  files: string[],
  { entity, bucketed }: { entity: string[]; bucketed: string[] },
): Promise<void> {
  const names = entityColumns({ entity })
  const keys = names.map(identifier).join(', ')
  const { several } = await engine.row(
    `SELECT count(*) AS several FROM (SELECT 1 FROM ${parquet(files)} GROUP BY ${keys} HAVING count(*) > 1)`,
  )
  if (Number(several) === 0) return
  const texts = names.map((name) => `coalesce(${name}::VARCHAR, 'null') AS text_${name}`).join(', ')
  const [first, second] = await engine.rows(
    `SELECT ${texts}, bucket, sources FROM ${parquet(files)}
      QUALIFY count(*) OVER (PARTITION BY ${keys}) > 1 ORDER BY ${keys}, bucket LIMIT 2`,
  )
  const sourcesOf = (bits: unknown) =>
    bucketed.filter((_, index) => (BigInt(String(bits ?? 0)) >> BigInt(Math.min(index, 62))) & 1n)
  const shown = (row: Record<string, unknown> | undefined) =>
    `bucket ${String(row?.bucket)} of ${sourcesOf(row?.sources).join(' and ')}`
  const who = names.map((name) => String(first?.[`text_${name}`])).join(', ')
  const more = Number(several) === 1 ? '' : ` (and ${Number(several) - 1} more entities in several)`
  throw new Failure(
    'contract',
    `${entity.join(', ')} ${who} lies in ${shown(first)} and in ${shown(second)}${more}: all rows of an entity have to lie under one value of \`buckets\`, the same in each source, or its features are computed of a part of them. Have the files written again, or remove buckets and per_entity from view.yaml${who.split(', ').includes('null') ? '; rows without an entity are left out by `select` of the source' : ''}`,
    {
      evidence: {
        entity: who,
        entities: Number(several),
        buckets: [first, second].map((row) => ({ bucket: row?.bucket, sources: sourcesOf(row?.sources) })),
      },
    },
  )
}
