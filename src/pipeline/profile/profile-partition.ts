import { realpath } from 'node:fs/promises'
import { type Engine, openEngine } from '../engine/duckdb.ts'
import type { Column } from '../engine/facts.ts'
import { identifier, parquet } from '../engine/quote.ts'
import { countCategories } from './count-categories.ts'
import { type CountedRows, countNumbers } from './count-numbers.ts'
import { type CountedColumn, countedColumn } from './counted-column.ts'
import type { ColumnProfile, Profile } from './profile.ts'
import { SAMPLED_ROWS } from './sampled-rows.ts'

export interface ProfileRequest {
  /** Absolute path of the features' Parquet file. */
  features: string
  /** Of the scores' Parquet file; undefined where features alone are profiled. */
  scores: string | undefined
  entity: string[]
  /** Columns to count, in this order. Undefined: all but the entity. */
  columns: string[] | undefined
  /** The scores' column. */
  score: string
  /** Gives edges and values, so that profiles compare. Undefined: they come from the partition itself. */
  baseline: Profile | undefined
  temp: string
  threads: number
}

/**
 * What a partition looks like, in one reading of its features and its scores. Columns that the baseline has and the
 * partition has not are left out by name. Never fails for what stands in the columns: none, one or all rows null,
 * constant, infinite.
 */
export async function profilePartition(request: ProfileRequest): Promise<Profile> {
  const features = await realpath(request.features)
  const scores = request.scores === undefined ? undefined : await realpath(request.scores)
  const engine = await openEngine({
    readable: scores === undefined ? [features] : [features, scores],
    writable: [],
    temp: request.temp,
    threads: request.threads,
    timezone: 'UTC',
  })
  try {
    const { entity, columns, score, baseline } = request
    const own = await profileTable({
      engine,
      from: parquet(features),
      file: features,
      entity,
      columns,
      scored: false,
      baseline,
    })
    if (scores === undefined) return own
    const other = await profileTable({
      engine,
      from: parquet(scores),
      file: scores,
      entity,
      columns: [score],
      scored: true,
      baseline,
    })
    return {
      ...own,
      columns: [...own.columns, ...other.columns],
      left_out: [...own.left_out, ...other.left_out],
    }
  } finally {
    engine.close()
  }
}

export interface TableRequest {
  engine: Engine
  /** What stands after FROM. */
  from: string
  /** The one Parquet file that `from` reads, where it does: large ones are sampled. */
  file?: string
  entity: string[]
  /** Undefined: all but the entity. */
  columns: string[] | undefined
  /** The columns are scores. */
  scored: boolean
  baseline: Profile | undefined
  /** The entities are counted; else each row is one. */
  countEntities?: boolean
}

/** The profile of any table: see profilePartition. */
export async function profileTable(request: TableRequest): Promise<Profile> {
  const { engine, from, entity, scored, baseline } = request
  const described = (await engine.rows(`DESCRIBE SELECT * FROM ${from}`)).map((row): Column => {
    return { name: String(row.column_name), type: String(row.column_type) }
  })
  const entities = request.countEntities
    ? `count(DISTINCT (${entity.map(identifier).join(', ')}))`
    : 'count(*)'
  const size = await engine.row(`SELECT count(*) AS rows, ${entities} AS entities FROM ${from}`)
  const rows = Number(size.rows)
  const names = request.columns ?? described.map(({ name }) => name).filter((name) => !entity.includes(name))
  const counted: CountedColumn[] = []
  const left_out: Profile['left_out'] = []
  for (const name of names) {
    const column = described.find((each) => each.name === name)
    const plan = column === undefined ? 'there is no such column' : countedColumn(column, scored)
    if (typeof plan === 'string') left_out.push({ column: name, why: plan })
    else counted.push(plan)
  }
  const before = (column: CountedColumn): ColumnProfile | undefined =>
    baseline?.columns.find((each) => each.column === column.name && each.score === scored)
  const every = Math.floor(rows / SAMPLED_ROWS)
  const sample =
    request.file === undefined || every < 2
      ? from
      : `${parquet(request.file, { rowNumbers: true })} WHERE file_row_number % ${every} = 0`
  const source: CountedRows = { from, rows, sample }
  const numbers = await countNumbers(
    engine,
    source,
    counted.filter(({ kind }) => kind === 'number'),
    (column) => {
      const known = before(column)
      return known?.kind === 'number' ? known.edges : undefined
    },
  )
  const profiles: ColumnProfile[] = [...numbers]
  for (const column of counted.filter(({ kind }) => kind === 'category')) {
    const known = before(column)
    profiles.push(
      await countCategories(engine, source, column, known?.kind === 'category' ? known : undefined),
    )
  }
  return {
    rows,
    entities: Number(size.entities),
    columns: counted.flatMap((column) =>
      profiles
        .filter((profile) => profile.column === column.name)
        .map((profile) => asBefore(profile, before(column))),
    ),
    left_out,
  }
}

/** A column without any value has whatever type its writer chose: it is still the column that it was. */
function asBefore(profile: ColumnProfile, before: ColumnProfile | undefined): ColumnProfile {
  if (before === undefined || before.kind === profile.kind || profile.nulls < profile.rows) return profile
  const { column, type, score, rows, nulls } = profile
  const shared = { column, type, score, rows, nulls, distinct: 0 }
  if (before.kind === 'category') {
    const counts = before.values.map(() => 0)
    return {
      kind: 'category',
      ...shared,
      values: before.values,
      counts,
      other: 0,
      unseen: 0,
      unseen_values: [],
    }
  }
  const counts = [...before.edges.map(() => 0), 0]
  const none = { infinite: 0, min: null, max: null, mean: null, sd: null, quantiles: null }
  return { kind: 'number', ...shared, ...none, edges: before.edges, counts }
}
