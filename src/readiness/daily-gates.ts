import type { ClientBase, Pool } from 'pg'
import type { Gate } from './gate.ts'
import { gateToRecord, type RecordedGate } from './gate-on-record.ts'

/** What the gate said of a champion on one day. */
export interface DailyGate {
  model: string
  /** In the project's zone, YYYY-MM-DD. */
  day: string
  version: number
  gate: RecordedGate
}

export async function recordDailyGate(
  connection: ClientBase | Pool,
  day: string,
  gate: Gate & { version: number },
): Promise<void> {
  await connection.query(
    `insert into nightshift.daily_gates (model, day, version, gate) values ($1, $2, $3, $4)
     on conflict (model, day) do update set version = $3, gate = $4, at = now()`,
    [gate.model, day, gate.version, JSON.stringify(gateToRecord(gate))],
  )
}

/** Champions that the gate was not asked about on this day (YYYY-MM-DD), by name. */
export async function gatesToAsk(
  connection: ClientBase | Pool,
  day: string,
): Promise<{ model: string; version: number }[]> {
  const { rows } = await connection.query<{ model: string; version: number }>(
    `select model, version from nightshift.champions c
      where not exists (select from nightshift.daily_gates g where g.model = c.model and g.day = $1) order by model`,
    [day],
  )
  return rows
}

/** The days of a model on which the gate was asked, newest first. */
export async function dailyGates(
  connection: ClientBase | Pool,
  model: string,
  limit = 90,
): Promise<DailyGate[]> {
  const { rows } = await connection.query<DailyGate>(
    `select model, day::text as day, version, gate from nightshift.daily_gates
      where model = $1 order by day desc limit $2`,
    [model, limit],
  )
  return rows
}
