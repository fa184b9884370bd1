import { join } from 'node:path'
import { shownFile } from '../../project/object-path.ts'
import type { Project } from '../../project/project.ts'
import { contentOf, type Run } from './run-records.ts'
import type { Connection, Kind } from './slots.ts'

/** The run whose partition is published, undefined if there is none. */
export async function publishedRun(
  connection: Connection,
  kind: Kind,
  name: string,
  label: string,
): Promise<Run | undefined> {
  const { rows } = await connection.query<Run>(
    `select r.* from nightshift.slots s join nightshift.runs r on r.id = s.published_run
      where s.kind = $1 and s.name = $2 and s.partition = $3`,
    [kind, name, label],
  )
  return rows[0]
}

/** The partition that was published for the nearest earlier night, and by which version; undefined if there is none. */
export async function publishedBefore(
  connection: Connection,
  { kind, name, as_of }: Pick<Run, 'kind' | 'name' | 'as_of'>,
): Promise<Pick<Run, 'partition' | 'version'> | undefined> {
  const { rows } = await connection.query<Pick<Run, 'partition' | 'version'>>(
    `select s.partition, r.version from nightshift.slots s left join nightshift.runs r on r.id = s.published_run
      where s.kind = $1 and s.name = $2 and s.as_of < $3 order by s.as_of desc limit 1`,
    [kind, name, as_of],
  )
  return rows[0]
}

/** Where these runs (ids) have published, and how many rows, by id. */
export async function publishedFiles(
  connection: Connection,
  runs: string[],
): Promise<Map<string, Pick<Run, 'path' | 'rows'>>> {
  const { rows } = await connection.query<Pick<Run, 'id' | 'path' | 'rows'>>(
    'select id, path, rows from nightshift.runs where id = any($1)',
    [runs],
  )
  return new Map(rows.map((run) => [run.id, run]))
}

/** The content of the features that scores were computed from (`contentOf`); undefined where the run names none. */
export async function scoredContent(
  connection: Connection,
  scores: Pick<Run, 'metadata'>,
): Promise<string | undefined> {
  const features = scores.metadata?.features_run
  return features === undefined ? undefined : contentOfRun(connection, features)
}

/** The content that a features run has published. */
export async function contentOfRun(connection: Connection, features: string): Promise<string> {
  const { rows } = await connection.query<{ content: string | null }>(
    'select content from nightshift.runs where id = $1',
    [features],
  )
  return contentOf({ id: features, content: rows[0]?.content ?? null })
}

/** When the file of a published slot was last seen to be what the ledger says: see `stampOf`. */
export async function publishedStamp(connection: Connection, slot: number): Promise<string | null> {
  const { rows } = await connection.query<{ published_file: string | null }>(
    'select published_file from nightshift.slots where id = $1',
    [slot],
  )
  return rows[0]?.published_file ?? null
}

/** A published slot with the data to verify its file. */
export interface PublishedSlot {
  id: number
  kind: Kind
  name: string
  partition: string
  run: string
  sha256: string | null
  stamp: string | null
}

/**
 * Published slots whose files are due for verification: the newest of each view and model, and some of the others,
 * following `after` (the id of the last verified slot).
 */
export async function publishedSlots(
  connection: Connection,
  names: { kind: Kind; name: string }[],
  after: number,
  limit: number,
): Promise<{ newest: PublishedSlot[]; others: PublishedSlot[] }> {
  const fields = `s.id, s.kind, s.name, s.partition, r.id as run, r.sha256, s.published_file as stamp`
  const newest = await connection.query<PublishedSlot>(
    `select ${fields} from unnest($1::text[], $2::text[]) as subject(kind, name)
      cross join lateral (select * from nightshift.slots o
                           where o.kind = subject.kind and o.name = subject.name and o.published_run is not null
                           order by o.as_of desc limit 1) s
       join nightshift.runs r on r.id = s.published_run where s.state <> 'publishing'`,
    [names.map(({ kind }) => kind), names.map(({ name }) => name)],
  )
  const others = await connection.query<PublishedSlot>(
    `select ${fields} from nightshift.slots s join nightshift.runs r on r.id = s.published_run
      where s.published_run is not null and s.state <> 'publishing' and s.id > $1 order by s.id limit $2`,
    [after, limit],
  )
  return { newest: newest.rows, others: others.rows }
}

/** Rows of the nearest earlier published as-of within 7 days, for `rows.max_change`. */
export async function nearestPublished(
  connection: Connection,
  run: { kind: Kind; name: string; as_of: string },
): Promise<{ rows: number; label: string } | undefined> {
  const { rows } = await connection.query<{ rows: number; partition: string }>(
    `select r.rows, r.partition from nightshift.slots s join nightshift.runs r on r.id = s.published_run
      where s.kind = $1 and s.name = $2 and s.as_of < $3 and s.as_of >= $3::timestamptz - interval '7 days 2 hours'
      order by s.as_of desc limit 1`,
    [run.kind, run.name, run.as_of],
  )
  const [row] = rows
  return row && { rows: row.rows, label: row.partition }
}

/**
 * Inputs of the published partition at an as-of or nearest before it, and of the nearest after it: back-filled nights go
 * from the newest down.
 */
export async function knownInputs(
  connection: Connection,
  run: Pick<Run, 'kind' | 'name' | 'as_of'>,
): Promise<Run['inputs']> {
  const published = `select r.inputs from nightshift.slots s join nightshift.runs r on r.id = s.published_run
                      where s.kind = $1 and s.name = $2`
  const { rows } = await connection.query<Pick<Run, 'inputs'>>(
    `(${published} and s.as_of > $3 order by s.as_of limit 1)
     union all (${published} and s.as_of <= $3 order by s.as_of desc limit 1)`,
    [run.kind, run.name, run.as_of],
  )
  return rows.flatMap(({ inputs }) => inputs ?? [])
}

/** The newest published partition of a view or model before (or at) an as-of: what readers keep when a night fails. */
export async function lastGood(
  connection: Connection,
  run: { kind: Kind; name: string },
): Promise<Run | undefined> {
  const { rows } = await connection.query<Run>(
    `select r.* from nightshift.slots s join nightshift.runs r on r.id = s.published_run
      where s.kind = $1 and s.name = $2 order by s.as_of desc limit 1`,
    [run.kind, run.name],
  )
  return rows[0]
}

/** Path of a run's file relative to the project's folder; null if there is none yet. */
export function pathOf(project: Project, run: Pick<Run, 'path'>): string | null {
  return run.path === null ? null : shownFile(project.root, join(project.warehouse, run.path))
}
