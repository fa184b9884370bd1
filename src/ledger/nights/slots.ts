import type { ClientBase, Pool } from 'pg'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { AsOf } from '../../project/time/asof.ts'
import type { RunSettings, Trigger } from './run-records.ts'

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

/** Who asked for a slot beside its schedule, and how it is to be run. */
export interface SlotRequest {
  trigger: Trigger
  forced: boolean
  version: number | null
  backfill: number | null
  settings: RunSettings
  by: string | null
}

/** An expected (view or model, as-of), as the ledger keeps it. Times are ISO 8601 in UTC. */
export interface Slot {
  id: number
  kind: Kind
  name: string
  as_of: string
  partition: string
  /** State of the latest execution; what readers see is `published_run`. */
  state: SlotState
  schedule: string | null
  due: string | null
  deadline: string | null
  wait_until: string | null
  waits_for: string | null
  /** Somebody has been told that it missed its deadline. */
  late: boolean
  reason: string | null
  request: SlotRequest | null
  run: string | null
  published_run: string | null
  published_at: string | null
  changed_at: string
}

/** A pool or one client of it: reads go to either, writes to the client that holds the transaction. */
export type Connection = ClientBase | Pool

export function slotTitle(slot: { kind: Kind; name: string; partition: string }): string {
  return `${slot.kind === 'scores' ? 'score' : 'refresh'} ${slot.name} ${slot.partition}`
}

/**
 * Makes sure that a slot exists and returns it, locked until the transaction ends. Its label names it, as it names its
 * path; see `settleInstant` for a label that means another instant than the ledger has.
 */
export async function ensureSlot(
  client: ClientBase,
  kind: Kind,
  name: string,
  asOf: Pick<AsOf, 'instant' | 'label'>,
  how?: { anew: boolean },
): Promise<Slot> {
  await client.query(
    `insert into nightshift.slots (kind, name, as_of, partition) values ($1, $2, $3, $4)
     on conflict (kind, name, partition) do nothing`,
    [kind, name, asOf.instant, asOf.label],
  )
  const { rows } = await client.query<SlotRow>(
    'select * from nightshift.slots where kind = $1 and name = $2 and partition = $3 for update',
    [kind, name, asOf.label],
  )
  const [row] = rows
  if (row === undefined) throw new Error(`slot ${kind} ${name} ${asOf.label} vanished while it was created`)
  return settleInstant(client, toSlot(row), asOf, how)
}

const AT_REST: readonly SlotState[] = ['expected', 'published', 'held', 'failed', 'skipped']

/**
 * Gives a slot the instant that its label has in the project's zone of today. A zone that has changed moves a slot of
 * which nothing is published; one that is published only where it is computed `anew`. Throws a ConfigurationError
 * otherwise. The caller holds the slot's lock.
 */
export async function settleInstant(
  client: ClientBase,
  slot: Slot,
  { instant }: Pick<AsOf, 'instant'>,
  { anew }: { anew: boolean } = { anew: false },
): Promise<Slot> {
  if (Date.parse(slot.as_of) === Date.parse(instant)) return slot
  // A run that is under way ends as what it was made for: `resolve` refuses it where that is another instant.
  if (!AT_REST.includes(slot.state)) return slot
  if (slot.published_run !== null && !anew) {
    const command = slot.kind === 'scores' ? 'run' : 'refresh'
    throw new ConfigurationError(
      `${slotTitle(slot)}: its label meant ${slot.as_of} when it was last run, and means ${instant} in the timezone that nightshift.yaml has now; what is published stays as it is. Restore the timezone, or compute it anew: nightshift ${command} ${slot.name} --as-of ${slot.partition} --force`,
    )
  }
  await client.query('update nightshift.slots set as_of = $2 where id = $1', [slot.id, instant])
  return { ...slot, as_of: new Date(instant).toISOString() }
}

export async function findSlot(
  connection: Connection,
  kind: Kind,
  name: string,
  label: string,
): Promise<Slot | undefined> {
  const { rows } = await connection.query<SlotRow>(
    'select * from nightshift.slots where kind = $1 and name = $2 and partition = $3',
    [kind, name, label],
  )
  return rows[0] && toSlot(rows[0])
}

export interface SlotFilter {
  kind?: Kind
  name?: string
  from?: string
  to?: string
  partitions?: string[]
  states?: SlotState[]
  limit?: number
}

/** Slots, newest as-of first. */
export async function listSlots(connection: Connection, filter: SlotFilter = {}): Promise<Slot[]> {
  const { rows } = await connection.query<SlotRow>(
    `select * from nightshift.slots
      where ($1::text is null or kind = $1) and ($2::text is null or name = $2)
        and ($3::timestamptz is null or as_of >= $3) and ($4::timestamptz is null or as_of <= $4)
        and ($5::text[] is null or state = any($5)) and ($7::text[] is null or partition = any($7))
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
    ],
  )
  return rows.map(toSlot)
}

/** Locks a slot for the rest of the transaction. Every change to a slot or its runs takes this lock first. */
export async function lockSlot(client: ClientBase, id: number): Promise<Slot> {
  const { rows } = await client.query<SlotRow>('select * from nightshift.slots where id = $1 for update', [
    id,
  ])
  const [row] = rows
  if (row === undefined) throw new Error(`slot ${id} is not in the ledger`)
  return toSlot(row)
}

type Times = 'as_of' | 'due' | 'deadline' | 'wait_until' | 'published_at' | 'changed_at'
/** What `pg` returns: timestamps as Date. */
export type SlotRow = Omit<Slot, Times | 'id'> & { [Key in Times]: Date | null } & { id: string | number }

export function toSlot(row: SlotRow): Slot {
  return {
    ...row,
    id: Number(row.id),
    as_of: iso(row.as_of) ?? '',
    due: iso(row.due),
    deadline: iso(row.deadline),
    wait_until: iso(row.wait_until),
    published_at: iso(row.published_at),
    changed_at: iso(row.changed_at) ?? '',
  }
}

function iso(date: Date | null): string | null {
  return date === null ? null : date.toISOString()
}
