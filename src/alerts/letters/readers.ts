import type { ClientBase, Pool } from 'pg'

/** What one address was told of an incident. */
export interface Reader {
  recipient: string
  mails: number
  lastMailAt: Date | undefined
  nextMailAt: Date | undefined
}

/** Who is told of an incident, by address. */
export async function readersOf(connection: ClientBase | Pool, incident: number): Promise<Reader[]> {
  const { rows } = await connection.query<{
    recipient: string
    mails: number
    last_mail_at: Date | null
    due_at: Date | null
  }>(
    `select recipient, mails, last_mail_at, due_at from nightshift.incident_readers
      where incident = $1 order by recipient`,
    [incident],
  )
  return rows.map(({ recipient, mails, last_mail_at, due_at }) => ({
    recipient,
    mails,
    lastMailAt: last_mail_at ?? undefined,
    nextMailAt: due_at ?? undefined,
  }))
}
