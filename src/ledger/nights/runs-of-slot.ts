import type { FailureRecord } from '../../pipeline/engine/failure.ts'
import type { RunState } from './run-records.ts'
import type { Trigger } from './run-request.ts'
import type { Connection, Slot } from './slots.ts'

/** One execution in the list of a slot. Times are ISO 8601 in UTC. */
export interface ListedRun {
  id: string
  state: RunState
  trigger: Trigger
  version: number | null
  rows: number | null
  requested_by: string | null
  failure: FailureRecord | null
  created_at: string
  ended_at: string | null
}

/** All executions of a slot, newest first. */
export async function runsOfSlot(connection: Connection, slot: number): Promise<ListedRun[]> {
  const { rows } = await connection.query<
    Omit<ListedRun, 'created_at' | 'ended_at'> & {
      created_at: string
      ended_at: string | null
    }
  >(
    `select id, state, trigger, version, rows, requested_by, failure, created_at, ended_at
       from nightshift.runs where slot = $1 order by created_at desc, id`,
    [slot],
  )
  return rows
}

/** The slot of a run. */
export async function slotOfRun(connection: Connection, run: string): Promise<Slot | undefined> {
  const { rows } = await connection.query<Slot>(
    'select s.* from nightshift.slots s join nightshift.runs r on r.slot = s.id where r.id = $1',
    [run],
  )
  return rows[0]
}
