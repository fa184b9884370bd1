import type { ClientBase, Pool } from 'pg'

export interface IncidentEvent {
  incident: number
  at: Date
  event:
    | 'opened'
    | 'joined'
    | 'late'
    | 'failed'
    | 'recovered'
    | 'closed'
    | 'silenced'
    | 'mailed'
    | 'acked'
    | 'escalated'
    | 'unreachable'
  run?: string | null
  partition?: string | null
  detail?: Record<string, unknown>
}

/** What people read of each. */
export const EVENT_WORDS: Record<IncidentEvent['event'], string> = {
  opened: 'opened',
  joined: 'another night added',
  late: 'the deadline passed',
  failed: 'the night failed',
  recovered: 'a night ended',
  closed: 'closed',
  silenced: 'not mailed because it is muted',
  mailed: 'mailed',
  acked: 'acknowledged',
  escalated: 'escalated: nobody had acknowledged it',
  unreachable: 'no one could be notified',
}

/** Adds an event to an incident's history. */
export async function recordEvent(client: ClientBase, event: IncidentEvent): Promise<void> {
  await client.query(
    `insert into nightshift.incident_events (incident, at, event, run, partition, detail)
     values ($1, $2, $3, $4, $5, $6)`,
    [
      event.incident,
      event.at,
      event.event,
      event.run ?? null,
      event.partition ?? null,
      JSON.stringify(event.detail ?? {}),
    ],
  )
}

/** An incident's history, oldest first. */
export async function eventsOf(connection: ClientBase | Pool, incident: number): Promise<IncidentEvent[]> {
  const { rows } = await connection.query<Omit<IncidentEvent, 'at'> & { at: string }>(
    `select incident, at, event, run, partition, detail from nightshift.incident_events
      where incident = $1 order by id`,
    [incident],
  )
  return rows.map((row) => ({ ...row, at: new Date(row.at) }))
}
