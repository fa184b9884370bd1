import type { ClientBase, Pool } from 'pg'
import type { SlotRequest } from './run-request.ts'

export type Kind = 'features' | 'scores'

export type SlotState =
  | 'expected'
  | 'waiting'
  | 'queued'
  | 'running'
  | 'publishing'
  | 'published'
  | 'held'
  | 'failed'
  | 'skipped'

/** An expected (view or model, as-of), as stored in the ledger. Times are ISO 8601 in UTC. */
export interface Slot {
  id: number
  kind: Kind
  name: string
  as_of: string
  partition: string
  /** State of the latest execution; the published run is `published_run`. */
  state: SlotState
  schedule: string | null
  due: string | null
  deadline: string | null
  wait_until: string | null
  waits_for: string | null
  /** Its missed deadline has been reported. */
  late: boolean
  reason: string | null
  request: SlotRequest | null
  run: string | null
  published_run: string | null
  published_at: string | null
  changed_at: string
}

/** A pool or one of its clients: reads accept both, writes need the client that holds the transaction. */
export type Connection = ClientBase | Pool

export function slotTitle(slot: { kind: Kind; name: string; partition: string }): string {
  return `${slot.kind === 'scores' ? 'score' : 'refresh'} ${slot.name} ${slot.partition}`
}

export async function findSlot(
  connection: Connection,
  kind: Kind,
  name: string,
  label: string,
): Promise<Slot | undefined> {
  const { rows } = await connection.query<Slot>(
    'select * from nightshift.slots where kind = $1 and name = $2 and partition = $3',
    [kind, name, label],
  )
  return rows[0]
}

export async function slotsById(connection: Connection, ids: number[]): Promise<Slot[]> {
  const { rows } = await connection.query<Slot>('select * from nightshift.slots where id = any($1)', [ids])
  return rows
}

type NamedSlot = Pick<Slot, 'kind' | 'name' | 'partition'>

/** The nights of the same view or model right before and right after a slot. */
export async function neighboursOf(
  connection: Connection,
  { kind, name, as_of }: Pick<Slot, 'kind' | 'name' | 'as_of'>,
): Promise<{ before: NamedSlot | undefined; after: NamedSlot | undefined }> {
  const { rows } = await connection.query<NamedSlot & { is_after: boolean }>(
    `(select kind, name, partition, false as is_after from nightshift.slots
       where kind = $1 and name = $2 and as_of < $3 order by as_of desc limit 1)
     union all
     (select kind, name, partition, true from nightshift.slots
       where kind = $1 and name = $2 and as_of > $3 order by as_of limit 1)`,
    [kind, name, as_of],
  )
  return { before: rows.find((row) => !row.is_after), after: rows.find((row) => row.is_after) }
}

/** The view whose features a night of scores uses, and the view's own slot of that night. */
export interface FeaturesOfSlot {
  view: string
  slot: Slot | undefined
}

/** By slot of scores: the view of the features that were scored, or `view` where nothing has been scored yet. */
export async function featuresOfSlots(
  connection: Connection,
  slots: (Pick<Slot, 'id'> & { view: string })[],
): Promise<Map<number, FeaturesOfSlot>> {
  const { rows } = await connection.query<Slot & { scores: number; view: string }>(
    `select g.id as scores, coalesce(u.name, g.view) as view, f.*
       from unnest($1::bigint[], $2::text[]) as g (id, view)
       join nightshift.slots s on s.id = g.id
       left join nightshift.runs r on r.id = coalesce(s.run, s.published_run)
       left join nightshift.runs u on u.id = r.metadata->>'features_run'
       left join nightshift.slots f on f.kind = 'features' and f.name = coalesce(u.name, g.view) and f.partition = s.partition`,
    [slots.map(({ id }) => id), slots.map(({ view }) => view)],
  )
  return new Map(
    rows.map(({ scores, view, ...slot }) => [scores, { view, slot: slot.id === null ? undefined : slot }]),
  )
}

export interface SlotFilter {
  kind?: Kind
  name?: string
  from?: string
  to?: string
  partitions?: string[]
  states?: SlotState[]
  names?: string[]
  limit?: number
}

/** Slots, newest as-of first. */
export async function listSlots(connection: Connection, filter: SlotFilter = {}): Promise<Slot[]> {
  const { rows } = await connection.query<Slot>(
    `select * from nightshift.slots
      where ($1::text is null or kind = $1) and ($2::text is null or name = $2)
        and ($3::timestamptz is null or as_of >= $3) and ($4::timestamptz is null or as_of <= $4)
        and ($5::text[] is null or state = any($5)) and ($7::text[] is null or partition = any($7))
        and ($8::text[] is null or name = any($8))
      order by as_of desc, name, kind
      limit $6`,
    [
      filter.kind ?? null,
      filter.name ?? null,
      filter.from ?? null,
      filter.to ?? null,
      filter.states ?? null,
      filter.limit ?? null,
      filter.partitions ?? null,
      filter.names ?? null,
    ],
  )
  return rows
}

/**
 * Slots of the last days of each view and model, counted back from its newest night that is due at `now` (ISO 8601), and
 * older ones that are neither published nor skipped. Newest as-of first.
 */
export async function recentSlots(
  connection: Connection,
  { names, days, now }: { names: string[] | undefined; days: number; now: string },
): Promise<Slot[]> {
  const { rows } = await connection.query<Slot>(
    `with newest as (
       select kind, name, max(as_of) as as_of from nightshift.slots
        where coalesce(due, as_of) <= $3 and ($1::text[] is null or name = any($1)) group by kind, name)
     select s.* from nightshift.slots s left join newest n using (kind, name)
      where ($1::text[] is null or s.name = any($1))
        and (s.state not in ('published', 'skipped') or n.as_of is null or s.as_of > n.as_of - make_interval(days => $2))
      order by s.as_of desc, s.name, s.kind`,
    [names ?? null, days, now],
  )
  return rows
}

/**
 * What holds a slot is waited for by whoever works on it: a process that is suspended meanwhile is cut off from its ledger
 * after so long, which releases the lock.
 */
const LONGEST_IDLE = "set local idle_in_transaction_session_timeout = '15s'"

/** Like `findSlot`, but locked for the rest of the transaction. */
export async function lockSlotNamed(
  client: ClientBase,
  { kind, name, partition }: Pick<Slot, 'kind' | 'name' | 'partition'>,
): Promise<Slot | undefined> {
  await client.query(LONGEST_IDLE)
  const { rows } = await client.query<Slot>(
    'select * from nightshift.slots where kind = $1 and name = $2 and partition = $3 for update',
    [kind, name, partition],
  )
  return rows[0]
}

/** Locks a slot for the rest of the transaction. Every change of a slot or its runs takes this lock first. */
export async function lockSlot(client: ClientBase, id: number): Promise<Slot> {
  await client.query(LONGEST_IDLE)
  const { rows } = await client.query<Slot>('select * from nightshift.slots where id = $1 for update', [id])
  const [row] = rows
  if (row === undefined) throw new Error(`slot ${id} is not in the ledger`)
  return row
}
