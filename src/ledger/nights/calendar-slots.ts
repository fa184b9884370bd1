import type { Connection, Kind, Slot } from './slots.ts'

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

const COLUMNS =
  'kind, name, as_of, partition, state, deadline, published_at, published_run, waits_for, reason'

/**
 * Slots of some models and views between two as-ofs, both inclusive, unordered. There may be thousands, so only the
 * displayed columns are read.
 */
export async function calendarSlots(
  connection: Connection,
  subjects: { kind: Kind; name: string }[],
  from: string,
  to: string,
): Promise<CalendarSlot[]> {
  const { rows } = await connection.query<CalendarSlot>(
    // One by one: with a list of names the planner would read the nights of all.
    `select s.* from unnest($1::text[], $2::text[]) as subject(kind, name)
      cross join lateral (select ${COLUMNS} from nightshift.slots
        where kind = subject.kind and name = subject.name and as_of >= $3 and as_of <= $4) s`,
    [subjects.map(({ kind }) => kind), subjects.map(({ name }) => name), from, to],
  )
  return rows
}

/** More bad slots than a page counts. */
export const MOST_BAD = 1_000

/** Slots between two as-ofs, both inclusive, that failed, are held, or are late: at most `MOST_BAD`, the newest first. */
export async function badSlots(
  connection: Connection,
  from: string,
  to: string,
  now: Date,
): Promise<CalendarSlot[]> {
  const { rows } = await connection.query<CalendarSlot>(
    // Each half by its index (042_open_slots.sql): with the limit the planner would read all nights in their order.
    `with bad as materialized (
       select ${COLUMNS} from nightshift.slots
        where state in ('failed', 'held') and as_of >= $1 and as_of <= $2
        union all
       select ${COLUMNS} from nightshift.slots
        where deadline < $3 and state not in ('published', 'skipped', 'failed', 'held') and as_of >= $1 and as_of <= $2
     )
     select * from bad order by as_of desc, kind, name limit $4`,
    [from, to, now, MOST_BAD],
  )
  return rows
}
