import type { Cut } from '../cut/cut.ts'
import type { SourceTable } from '../cut/cut-view.ts'
import type { Column } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { identifier, literal, parquet } from '../engine/quote.ts'
import { compare } from '../parity/compare.ts'
import { createView } from '../sources/source-tables.ts'
import type { CutQuery } from '../sql/cut-query.ts'
import { bucketOf, isBucketed } from './buckets.ts'
import { type EntityTypes, entityColumns, entitySql } from './shard-entities.ts'

export interface Proving extends EntityTypes {
  query: CutQuery
  cut: Cut
  /** The bucket of which some entities are computed again. */
  bucket: string
  /** Files of the shard's rows and of its entities. */
  out: string
  entities: string
  columns: Column[]
}

/** Entities that are computed again, at most half of those of the bucket. */
const SAMPLE = 1_000

/**
 * Whether the rows of some entities are the same when nothing else is there: those of one bucket whose hash is least are computed from
 * their own rows alone, and compared with the shard's. What depends on rows of other entities differs then, and would between shards.
 * Deterministic. Costs a second reading of the bucket. The query's views are of the sample afterwards. Returns the number of entities;
 * throws a contract Failure that names one whose row differs.
 */
export async function proveEntities(proving: Proving): Promise<number> {
  const { query, cut, bucket, out, entities, entity, columns } = proving
  const { engine } = query
  const keys = entityColumns(proving)
  const ofBucket = `SELECT * FROM ${parquet(entities)} WHERE bucket = ${literal(bucket)}`
  const { sampled, last } = await engine.row(
    `SELECT count(*) AS sampled, max(h)::VARCHAR AS last FROM (SELECT hash(${keys.join(', ')}) AS h FROM (${ofBucket})
      QUALIFY row_number() OVER (ORDER BY h) <= least(${SAMPLE}, ceil(count(*) OVER () / 2)))`,
  )
  if (Number(sampled) === 0) return 0
  const within = (names: string[]) => `hash(${names.join(', ')}) <= ${String(last)}::UBIGINT`
  for (const table of query.tables.filter(({ found }) => isBucketed(found)))
    await createView(engine, sampleOf(table, bucket, within(entitySql(table, proving))), cut)
  const own = entity.map((name, index) => `CAST(p.${identifier(name)} AS ${proving.types[index]})`)
  const isThere = keys.map((key, index) => `b.${key} = ${own[index]}`).join(' AND ')
  const named = entity.map((name) => `${identifier(name)} IS NOT NULL`).join(' AND ')
  await engine.run(
    `CREATE TEMP TABLE "sample alone" AS SELECT * FROM (${query.sql}\n) WHERE ${named}`,
    query.values,
  )
  await engine.run(
    `CREATE TEMP TABLE "sample in shard" AS SELECT p.* FROM ${parquet(out)} p SEMI JOIN (${ofBucket}) b ON ${isThere} WHERE ${within(own)}`,
  )
  const compared = await compare({
    engine,
    left: '"sample in shard"',
    right: '"sample alone"',
    entity,
    columns: columns.filter(({ name }) => !entity.includes(name)),
  })
  const [column] = compared.by_column.filter(({ differing }) => differing > 0)
  const [example] = column?.examples ?? []
  const lost = compared.examples_only.published[0]
  const added = compared.examples_only.other[0]
  const difference =
    example !== undefined
      ? `${column?.column} of ${entity.join(', ')} ${example.entity} is ${example.published ?? 'null'}, and ${example.other ?? 'null'} where only some entities of its bucket are there`
      : lost !== undefined
        ? `${entity.join(', ')} ${lost} has a row, and none where only some entities of its bucket are there`
        : added !== undefined
          ? `${entity.join(', ')} ${added} has no row, and has one where only some entities of its bucket are there`
          : undefined
  if (difference === undefined) return Number(sampled)
  throw new Failure(
    'contract',
    `a row of the features depends on rows of other entities, so that shards would compute another than one attempt: ${difference}. Remove per_entity from view.yaml, or change features.sql; where it takes whichever comes first of rows that tie, order by enough columns to leave none; where it rounds or compares a sum of doubles, sum DECIMAL`,
    {
      evidence: {
        bucket,
        sampled: Number(sampled),
        columns: compared.by_column.flatMap((each) => (each.differing > 0 ? [each.column] : [])),
        only_in_shard: compared.only_published,
        only_alone: compared.only_other,
      },
    },
  )
}

/** The rows of some entities of one bucket. */
function sampleOf(table: SourceTable, bucket: string, only: string): SourceTable {
  const files = table.files.filter((file) => bucketOf(table.found, file) === bucket)
  const isEmpty = files.length === 0 || table.snapshot === 'none'
  return isEmpty ? { ...table, snapshot: 'none' } : { ...table, files, only }
}
