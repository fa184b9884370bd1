import type { Engine } from '../engine/duckdb.ts'
import type { Column } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { double, identifier, parquet } from '../engine/quote.ts'
import { entityTypeFault } from '../features/entity-types.ts'
import { comparable } from '../scoring/score-threshold.ts'
import type { ShadowFigures } from './shadow-figures.ts'

/** Scores of one side: Parquet, one row an entity. */
export interface ScoreSide {
  file: string
  entity: string[]
  score: string
}

/** Names of the entity's columns in the tables `sides` and `pairs`, which a column of a view cannot collide with. */
export function keyNames(entity: string[]): string[] {
  return entity.map((_, index) => `k${index}`)
}

/**
 * Joins both sides by entity. The table `sides` has every entity, with its scores `a` (champion) and `b` (challenger)
 * and decisions `da` and `db`; `pairs` has those with a finite score on both sides, with the place `fa` of the score
 * among all (1 is the lowest, equal scores share the first place) and the number `ta` of equal scores, likewise `fb`
 * and `tb`. `decided`: both sides have decisions.
 */
export async function pairScores(
  engine: Engine,
  champion: ScoreSide,
  challenger: ScoreSide,
  threshold: number | undefined,
): Promise<{ rows: ShadowFigures['rows']; decided: boolean }> {
  const [a, b] = [await columnsOf(engine, champion), await columnsOf(engine, challenger)]
  refuseOtherEntities(champion, a, challenger, b)
  const decided = [a, b].every((columns) => threshold !== undefined || hasDecision(columns))
  const select = (side: ScoreSide, columns: Column[], name: 'a' | 'b') =>
    `SELECT ${side.entity.map((column, index) => `${identifier(column)} AS k${index}`).join(', ')}, ${identifier(side.score)}::DOUBLE AS ${name}, ${decisionOf(side, columns, threshold)} AS d${name}, true AS has_${name} FROM ${parquet(side.file)}`
  const keys = keyNames(champion.entity).join(', ')
  await engine.run(
    `CREATE TEMP TABLE sides AS SELECT ${keys}, a, b, da, db, has_a IS TRUE AS has_a, has_b IS TRUE AS has_b
       FROM (${select(champion, a, 'a')}) FULL JOIN (${select(challenger, b, 'b')}) USING (${keys})`,
  )
  await engine.run(
    `CREATE TEMP TABLE pairs AS
     SELECT ${keys}, a, b, da, db, rank() OVER (ORDER BY a) AS fa, count(*) OVER (PARTITION BY a) AS ta,
            rank() OVER (ORDER BY b) AS fb, count(*) OVER (PARTITION BY b) AS tb
       FROM sides WHERE has_a AND has_b AND isfinite(a) AND isfinite(b)`,
  )
  const counts = await engine.row(
    `SELECT count_if(has_a) AS champion, count_if(has_b) AS challenger, count_if(has_a AND has_b) AS shared,
            count_if(has_a AND NOT has_b) AS only_champion, count_if(has_b AND NOT has_a) AS only_challenger,
            (SELECT count(*) FROM pairs) AS pairs
       FROM sides`,
  )
  const both = Number(counts.shared)
  return {
    rows: {
      champion: Number(counts.champion),
      challenger: Number(counts.challenger),
      both,
      only_champion: Number(counts.only_champion),
      only_challenger: Number(counts.only_challenger),
      not_numbers: both - Number(counts.pairs),
    },
    decided,
  }
}

async function columnsOf(engine: Engine, { file, entity, score }: ScoreSide): Promise<Column[]> {
  const columns = (await engine.rows(`DESCRIBE SELECT * FROM ${parquet(file)}`)).map((row) => ({
    name: String(row.column_name),
    type: String(row.column_type),
  }))
  const names = columns.map(({ name }) => name)
  const missing = [...entity, score].filter((name) => !names.includes(name))
  if (missing.length === 0) return columns
  throw new Failure(
    'contract',
    `the scores have no column ${missing.join(', ')}; they have: ${names.join(', ')}`,
  )
}

/** Entities are joined by position, since views may name them differently. */
function refuseOtherEntities(champion: ScoreSide, a: Column[], challenger: ScoreSide, b: Column[]): void {
  const [one, other] = [champion.entity, challenger.entity]
  if (one.length !== other.length) {
    throw new Failure(
      'contract',
      `the scores cannot be compared: one side has a row for each ${one.join(', ')}, the other for each ${other.join(', ')}`,
    )
  }
  for (const [index, name] of one.entries()) {
    const expected = a.find((column) => column.name === name)
    const found = b.find((column) => column.name === other[index])
    if (expected === undefined || found === undefined) continue
    const fault = entityTypeFault({ ...found, name }, [expected])
    if (fault !== undefined) throw new Failure('contract', `the scores cannot be compared: ${fault}`)
  }
}

function hasDecision(columns: Column[]): boolean {
  return columns.some(({ name, type }) => name === 'decision' && type === 'BOOLEAN')
}

/** The decision as published, which knows the type that the model computes in; else by the threshold. */
function decisionOf({ score }: ScoreSide, columns: Column[], threshold: number | undefined): string {
  if (hasDecision(columns)) return 'decision'
  if (threshold === undefined) return 'NULL::BOOLEAN'
  const isFloat = columns.some(({ name, type }) => name === score && type === 'FLOAT')
  const constant = comparable(threshold, { type: isFloat ? 'float32' : 'float64' })
  return `${identifier(score)}::DOUBLE >= ${double(constant)}`
}
