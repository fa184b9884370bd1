import type { ClientBase, Pool } from 'pg'
import type { Column } from '../pipeline/engine/facts.ts'
import type { ModelFacts } from '../pipeline/onnx/inspect.ts'
import type { MappingPlan } from '../pipeline/onnx/mapping.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { Declaration } from './declaration.ts'

/** A registered ONNX file of a model, immutable, numbered 1, 2, 3. Times are ISO 8601 in UTC. */
export interface Version {
  model: string
  version: number
  sha256: string
  bytes: number
  /** Relative to the warehouse. */
  file: string
  view: string
  view_hash: string
  features_sql: string
  /**
   * The view's columns in order, without the entity; those of its training set if it has one. Null for older
   * versions.
   */
  columns: Column[] | null
  declaration: Declaration | null
  inputs: string[]
  output: ModelFacts['outputs'][number]
  mapping: MappingPlan
  dataset: string | null
  warnings: string[]
  registered_at: string
  registered_by: string | null
}

type Connection = ClientBase | Pool

export async function findVersion(
  connection: Connection,
  model: string,
  version: number,
): Promise<Version | undefined> {
  const { rows } = await connection.query<Version>(
    'select * from nightshift.versions where model = $1 and version = $2',
    [model, version],
  )
  return rows[0]
}

/** All versions of a model, newest first. */
export async function listVersions(connection: Connection, model: string): Promise<Version[]> {
  const { rows } = await connection.query<Version>(
    'select * from nightshift.versions where model = $1 order by version desc',
    [model],
  )
  return rows
}

/** Throws a ConfigurationError of `command` unless the version is registered. */
export async function refuseUnregistered(
  connection: Connection,
  command: string,
  model: string,
  version: number,
): Promise<void> {
  const known = (await listVersions(connection, model)).map((each) => each.version).reverse()
  if (known.includes(version)) return
  throw new ConfigurationError(
    `${command} ${model}: expected --version to be a registered one (${known.join(', ') || 'none is registered: nightshift register'}), got: ${version}`,
  )
}

export interface Champion {
  model: string
  version: number
  since: string
}

/** The version whose scores are published, undefined before the first promotion. */
export async function champion(connection: Connection, model: string): Promise<Champion | undefined> {
  const { rows } = await connection.query<{ model: string; version: number; since: string }>(
    'select model, version, since from nightshift.champions where model = $1',
    [model],
  )
  return rows[0]
}

/** The champion of every model that has one. */
export async function liveVersions(connection: Connection): Promise<Version[]> {
  const { rows } = await connection.query<Version>(
    `select v.* from nightshift.champions c
       join nightshift.versions v on v.model = c.model and v.version = c.version order by v.model`,
  )
  return rows
}

/** By model the view that its champion scores. */
export async function liveViews(connection: Connection): Promise<Record<string, string>> {
  const { rows } = await connection.query<{ model: string; view: string }>(
    `select c.model, v.view from nightshift.champions c
       join nightshift.versions v on v.model = c.model and v.version = c.version`,
  )
  return Object.fromEntries(rows.map(({ model, view }) => [model, view]))
}
