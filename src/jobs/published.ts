import { type Run, type RunRow, toRun } from './runs.ts'
import type { Connection, Kind } from './slots.ts'

/** The run whose partition readers see, undefined where none is published. */
export async function publishedRun(
  connection: Connection,
  kind: Kind,
  name: string,
  label: string,
): Promise<Run | undefined> {
  const { rows } = await connection.query<RunRow>(
    `select r.* from nightshift.slots s join nightshift.runs r on r.id = s.published_run
      where s.kind = $1 and s.name = $2 and s.partition = $3`,
    [kind, name, label],
  )
  return rows[0] && toRun(rows[0])
}

/** Rows of the nearest earlier published as-of within 7 days: what `rows.max_change` compares with. */
export async function nearestPublished(
  connection: Connection,
  run: { kind: Kind; name: string; as_of: string },
): Promise<{ rows: number; label: string } | undefined> {
  const { rows } = await connection.query<{ rows: string; partition: string }>(
    `select r.rows, r.partition from nightshift.slots s join nightshift.runs r on r.id = s.published_run
      where s.kind = $1 and s.name = $2 and s.as_of < $3 and s.as_of >= $3::timestamptz - interval '7 days 2 hours'
      order by s.as_of desc limit 1`,
    [run.kind, run.name, run.as_of],
  )
  const [row] = rows
  return row && { rows: Number(row.rows), label: row.partition }
}

/** Inputs of the published partition at an as-of, or of the nearest earlier one: what is known of its files. */
export async function knownInputs(
  connection: Connection,
  run: Pick<Run, 'kind' | 'name' | 'as_of'>,
): Promise<Run['inputs']> {
  const { rows } = await connection.query<Pick<Run, 'inputs'>>(
    `select r.inputs from nightshift.slots s join nightshift.runs r on r.id = s.published_run
      where s.kind = $1 and s.name = $2 and s.as_of <= $3 order by s.as_of desc limit 1`,
    [run.kind, run.name, run.as_of],
  )
  return rows[0]?.inputs ?? []
}

/** The newest published partition of a view or model before (or at) an as-of: what still holds when a night fails. */
export async function lastGood(
  connection: Connection,
  run: { kind: Kind; name: string },
): Promise<Run | undefined> {
  const { rows } = await connection.query<RunRow>(
    `select r.* from nightshift.slots s join nightshift.runs r on r.id = s.published_run
      where s.kind = $1 and s.name = $2 order by s.as_of desc limit 1`,
    [run.kind, run.name],
  )
  return rows[0] && toRun(rows[0])
}
