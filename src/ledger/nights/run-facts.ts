import type { ClientBase } from 'pg'
import type { FailureRecord } from '../../pipeline/engine/failure.ts'
import type { Run } from './run-records.ts'
import type { Connection } from './slots.ts'

/** The facts that the ledger stores about a run in addition to its state. */

/** The output of an attempt, or the scores found by a rollback. */
export type Computed = Pick<
  Run,
  | 'path'
  | 'rows'
  | 'bytes'
  | 'sha256'
  | 'view_hash'
  | 'metadata'
  | 'checks'
  | 'inputs'
  | 'warnings'
  | 'summary'
  | 'unknown_values'
  | 'content'
>

/** `path`: relative to the warehouse; null if the file is not kept. */
export async function recordComputed(client: ClientBase, run: string, computed: Computed): Promise<void> {
  await client.query(
    `update nightshift.runs
        set path = $2, rows = $3, bytes = $4, sha256 = $5, view_hash = $6, metadata = $7,
            checks = $8, inputs = $9, warnings = $10, summary = $11, unknown_values = $12,
            content = $13
      where id = $1`,
    [
      run,
      computed.path,
      computed.rows,
      computed.bytes,
      computed.sha256,
      computed.view_hash,
      JSON.stringify(computed.metadata),
      JSON.stringify(computed.checks),
      JSON.stringify(computed.inputs),
      JSON.stringify(computed.warnings),
      computed.summary === null ? null : JSON.stringify(computed.summary),
      JSON.stringify(computed.unknown_values),
      computed.content,
    ],
  )
}

/** Progress of the running attempt. */
export async function recordProgress(
  connection: Connection,
  run: string,
  progress: NonNullable<Run['progress']>,
): Promise<void> {
  await connection.query(`update nightshift.runs set progress = $2 where id = $1 and state = 'running'`, [
    run,
    JSON.stringify(progress),
  ])
}

/** The version that the run's attempts score with. */
export async function recordVersion(connection: Connection, run: string, version: number): Promise<void> {
  await connection.query('update nightshift.runs set version = $2 where id = $1', [run, version])
}

/** Why a committed run is not published yet, and when it is retried. */
export async function recordPostponed(
  client: ClientBase,
  run: string,
  failure: FailureRecord,
  at: Date,
): Promise<void> {
  await client.query('update nightshift.runs set failure = $2, next_attempt_at = $3 where id = $1', [
    run,
    JSON.stringify(failure),
    at,
  ])
}

/** What a run waits for the time of is due now. */
export async function bringForward(client: ClientBase, run: string): Promise<void> {
  await client.query(
    'update nightshift.runs set next_attempt_at = now() where id = $1 and next_attempt_at > now()',
    [run],
  )
}

/** Replaces a view hash recorded by an earlier build with its current form. */
export async function renameViewHash(client: ClientBase, former: string, hash: string): Promise<void> {
  await client.query('update nightshift.runs set view_hash = $2 where view_hash = $1', [former, hash])
}
