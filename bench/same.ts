import { DuckDBInstance } from '@duckdb/node-api'

/** Throws unless two files hold the same scores for the same customers: else one side did other work. */
export async function expectSameScores(one: string, other: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const db = await instance.connect()
  try {
    const reader = await db.runAndReadAll(
      `SELECT count(*) AS differing
       FROM read_parquet($one, hive_partitioning = false) AS one
       FULL JOIN read_parquet($other, hive_partitioning = false) AS other USING (customer_id)
       WHERE one.score IS NULL OR other.score IS NULL OR abs(one.score - other.score) > 1e-6
          OR one.decision <> other.decision AND abs(one.score - 0.5) > 1e-6`,
      { one, other },
    )
    const differing = Number(reader.getRows()[0]?.[0])
    if (differing !== 0)
      throw new Error(`expected the same scores in ${one} and ${other}, got: ${differing} that differ`)
  } finally {
    db.closeSync()
    instance.closeSync()
  }
}
