import type { Connection, Slot } from './slots.ts'

/** The part of a slot that a calendar needs. Times are ISO 8601 in UTC. */
export type CalendarSlot = Pick<
  Slot,
  | 'kind'
  | 'name'
  | 'as_of'
  | 'partition'
  | 'state'
  | 'deadline'
  | 'published_at'
  | 'published_run'
  | 'waits_for'
  | 'reason'
>

/**
 * Slots between two as-ofs, both inclusive, unordered. There may be thousands, so only the displayed columns are
 * read.
 */
export async function calendarSlots(
  connection: Connection,
  from: string,
  to: string,
): Promise<CalendarSlot[]> {
  const { rows } = await connection.query<
    Omit<CalendarSlot, 'as_of' | 'deadline' | 'published_at'> & {
      as_of: string
      deadline: string | null
      published_at: string | null
    }
  >(
    `select kind, name, as_of, partition, state, deadline, published_at, published_run, waits_for, reason
       from nightshift.slots where as_of >= $1 and as_of <= $2`,
    [from, to],
  )
  return rows
}
