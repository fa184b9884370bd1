import type { ClientBase } from 'pg'
import { recordEvent } from './events.ts'

/**
 * Acknowledges open incidents: they are no longer repeated, and not escalated. Further nights are still mailed, since they are new.
 * Returns the ids that were open.
 */
export async function ack(client: ClientBase, now: Date, ids: number[], by: string): Promise<number[]> {
  const { rows } = await client.query<{ id: number }>(
    `update nightshift.incidents set acked_at = $2, acked_by = $3
      where id = any($1::bigint[]) and closed_at is null returning id`,
    [ids, now, by],
  )
  const acked = rows.map(({ id }) => id).sort((a, b) => a - b)
  await client.query(
    `update nightshift.incident_readers set due_at = null
      where incident = any($1::bigint[]) and reason in ('repeat', 'escalated')`,
    [acked],
  )
  for (const incident of acked)
    await recordEvent(client, { incident, at: now, event: 'acked', detail: { by } })
  return acked
}
