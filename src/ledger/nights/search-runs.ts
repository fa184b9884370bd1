import { messageShape } from '../../format/message-shape.ts'
import type { FailureRecord } from '../../pipeline/engine/failure.ts'
import { type RunFilter, type RunState, runsWhere } from './run-records.ts'
import type { Trigger } from './run-request.ts'
import type { Connection, Kind } from './slots.ts'

/** A run in a list of results. Times are ISO 8601 in UTC. */
export interface FoundRun {
  id: string
  kind: Kind
  name: string
  partition: string
  state: RunState
  trigger: Trigger
  version: number | null
  rows: number | null
  failure: FailureRecord | null
  created_at: string
  started_at: string | null
  ended_at: string | null
}

export interface RunSearch extends RunFilter {
  /** The common part of failure messages: see `groupFailures`. */
  shape?: string
  limit: number
  offset: number
}

const COLUMNS =
  'id, kind, name, partition, state, trigger, version, rows, failure, created_at, started_at, ended_at'

/** Runs, newest first, without long columns; `more` if there are further ones. */
export async function searchRuns(
  connection: Connection,
  search: RunSearch,
): Promise<{ runs: FoundRun[]; more: boolean }> {
  const { shape, limit, offset } = search
  const { where, values } = runsWhere(search)
  // SQL cannot compute a shape: all failures are read, as in grouping.
  const { rows } =
    shape === undefined
      ? await connection.query<FoundRun>(
          `select ${COLUMNS} from nightshift.runs where ${where} order by created_at desc, id limit $9 offset $10`,
          [...values, limit + 1, offset],
        )
      : await connection.query<FoundRun>(
          `select ${COLUMNS} from nightshift.runs where ${where} and failure is not null order by created_at desc, id`,
          values,
        )
  const found =
    shape === undefined
      ? rows
      : rows
          .filter(({ failure }) => messageShape(failure?.message ?? '') === shape)
          .slice(offset, offset + limit + 1)
  return { runs: found.slice(0, limit), more: found.length > limit }
}
