import type { ClientBase, Pool } from 'pg'

/** State of the outbox, as tests look at it. */
export interface OutboxState {
  waiting: number
  gaveUp: number
  lastError: string | undefined
}

export async function outboxState(connection: ClientBase | Pool): Promise<OutboxState> {
  const { rows } = await connection.query<{
    waiting: number
    gave_up: number
    last_error: string | null
  }>(
    `select count(*) filter (where gave_up_at is null)::int as waiting,
            count(*) filter (where gave_up_at is not null)::int as gave_up,
            (array_agg(last_error order by id desc) filter (where last_error is not null))[1] as last_error
       from nightshift.outbox where sent_at is null`,
  )
  const [row] = rows
  return {
    waiting: row?.waiting ?? 0,
    gaveUp: row?.gave_up ?? 0,
    lastError: row?.last_error ?? undefined,
  }
}
