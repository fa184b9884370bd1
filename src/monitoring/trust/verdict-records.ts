import type { ClientBase, Pool } from 'pg'
import { prunable } from '../../ledger/connection/prunable.ts'
import type { Answer } from './trust.ts'
import type { Reason } from './trust-facts.ts'

type Connection = ClientBase | Pool

/** What readers were told about a list, from `since` until `until` (ISO 8601; null: it still stands). */
export interface Verdict {
  /** The published run that it is about. */
  run: string
  answer: Answer
  /** What decided it; empty for a yes. */
  why: string
  /** All reasons, as the page had them at `since`. */
  reasons: Reason[]
  since: string
  until: string | null
  /** When the profile was recorded on which it rests; null: there was none. */
  profiled_at: string | null
}

/** The verdicts on the list of a night, oldest first. */
export async function verdictsOf(connection: Connection, slot: number): Promise<Verdict[]> {
  const { rows } = await connection.query<Verdict>(
    `select run, answer, why, reasons, since, until, profiled_at from nightshift.verdicts where slot = $1 order by id`,
    [slot],
  )
  return rows
}

/** The verdicts on the list of a night, oldest first, as of one of its published runs; none of other runs. */
export async function verdictsOfRun(connection: Connection, run: string): Promise<Verdict[]> {
  const { rows } = await connection.query<{ slot: number }>(
    `select slot from nightshift.runs r where id = $1 and exists (select from nightshift.verdicts v where v.run = r.id)`,
    [run],
  )
  return rows[0] === undefined ? [] : verdictsOf(connection, rows[0].slot)
}

/** The verdict that stands on a published list. */
export type Standing = Pick<Verdict, 'run' | 'answer' | 'why' | 'since'>

/** The verdicts that stand on the lists of these slots, by slot. */
export async function standingVerdicts(
  connection: Connection,
  slots: number[],
): Promise<Map<number, Standing>> {
  const { rows } = await connection.query<Standing & { slot: number }>(
    `select v.slot, v.run, v.answer, v.why, v.since from nightshift.verdicts v join nightshift.slots s on s.id = v.slot
      where v.until is null and s.published_run is not null and v.slot = any($1)`,
    [slots],
  )
  return new Map(rows.map(({ slot, ...verdict }) => [slot, verdict]))
}

/** A verdict to be recorded of a slot. `subject` names the facts from which it follows. */
export interface Judged extends Omit<Verdict, 'since' | 'until'> {
  slot: number
  subject: string
}

/**
 * Records verdicts as of `now` (ISO 8601): one that says the same for the same reason goes on, another ends it.
 * Call within a transaction and under the lock of whoever keeps verdicts.
 */
export async function recordVerdicts(client: ClientBase, judged: Judged[], now: string): Promise<void> {
  await client.query(
    `with judged as (select * from jsonb_to_recordset($1::jsonb) as j (
              slot bigint, run text, answer text, why text, reasons jsonb, subject text, profiled_at timestamptz)),
          same as (
            update nightshift.verdicts v set subject = j.subject, profiled_at = j.profiled_at from judged j
             where v.slot = j.slot and v.until is null and (v.run, v.answer, v.why) = (j.run, j.answer, j.why)
            returning v.slot)
     update nightshift.verdicts v set until = $2 from judged j
      where v.slot = j.slot and v.until is null and (v.run, v.answer, v.why) <> (j.run, j.answer, j.why)`,
    [JSON.stringify(judged), now],
  )
  await client.query(
    `insert into nightshift.verdicts (slot, run, answer, why, reasons, since, subject, profiled_at)
     select j.slot, j.run, j.answer, j.why, j.reasons, $2, j.subject, j.profiled_at
       from jsonb_to_recordset($1::jsonb) as j (
              slot bigint, run text, answer text, why text, reasons jsonb, subject text, profiled_at timestamptz)
      where not exists (select from nightshift.verdicts v where v.slot = j.slot and v.until is null)`,
    [JSON.stringify(judged), now],
  )
}

/**
 * Changes whenever something has been recorded from which a verdict follows; a few index look-ups. Facts that differ without a
 * change here are found together with the next that changes it.
 */
export async function factsMark(connection: Connection): Promise<string> {
  const { rows } = await connection.query<{ mark: string }>(
    `select concat_ws(' ',
       (select max(id) from nightshift.standings), (select max(id) from nightshift.incident_events),
       (select max(at) from nightshift.profiles), (select max(id) from nightshift.certificates),
       (select max(id) from nightshift.history),
       (select string_agg(concat(id, state, deadline < now()), ',' order by id) from nightshift.slots
         where published_run is not null and state <> 'published')) as mark`,
  )
  return rows[0]?.mark ?? ''
}

/** A published list whose verdict is missing or follows from other facts. */
export interface Unjudged {
  slot: number
  subject: string
  profiled_at: string | null
}

/**
 * The published lists that are to be judged, the newest as-of first. Facts are: which run is published and what becomes of its
 * recomputation, whether its version was taken back, drift, parity, and the open incidents about it.
 */
export async function unjudged(
  connection: Connection,
  models: { name: string; view: string }[],
): Promise<Unjudged[]> {
  const { rows } = await connection.query<Unjudged>(UNJUDGED, [
    models.map(({ name }) => name),
    models.map(({ view }) => view),
  ])
  return rows
}

const UNJUDGED = `
with known as (select * from unnest($1::text[], $2::text[]) as m (name, view)),
newest as (
  select n.id from known k cross join lateral (
    select id from nightshift.slots where kind = 'scores' and name = k.name and published_run is not null
     order by as_of desc limit 1) n),
alerting as (select run, count(*) as columns from nightshift.drift where alerting group by run),
compared as (select run, max(id) as id from nightshift.certificates where against = 'recomputed' group by run),
told as (
  select i.id, i.subject_kind, i.subject, n->>'partition' as partition, coalesce(n->>'recovered' is null, false) as bad
    from nightshift.incidents i left join lateral jsonb_array_elements(i.detail->'nights') n on true
   where i.closed_at is null),
judged as (
  select s.id, s.as_of, s.published_run, p.at as profiled_at, concat_ws(' ', s.published_run,
           case when s.state <> 'published' then concat(s.state, s.run, s.deadline < now()) end,
           case when c.version is null or c.version < r.version then concat('replaced by ', c.version) end,
           'profile', p.at, a.columns,
           'parity', q.id,
           'incidents', array_to_string(array(
             select distinct concat(t.id, case when t.partition = s.partition and t.bad then '!' end) as one from told t
              where ((t.subject_kind = 'model' and t.subject = s.name) or (t.subject_kind = 'view' and t.subject = coalesce(f.name, k.view)))
                and (t.partition = s.partition or s.id in (select id from newest))
              order by one), ',')) as subject
    from known k
    join nightshift.slots s on s.kind = 'scores' and s.name = k.name and s.published_run is not null
    join nightshift.runs r on r.id = s.published_run
    left join nightshift.runs f on f.id = r.metadata->>'features_run'
    left join nightshift.champions c on c.model = s.name
    left join nightshift.profiles p on p.run = s.published_run
    left join alerting a on a.run = s.published_run
    left join compared q on q.run = f.id)
select j.id as slot, j.subject, j.profiled_at from judged j left join nightshift.verdicts v on v.slot = j.id and v.until is null
 where v.subject is distinct from j.subject
   and not (v.id is not null and v.run = j.published_run and v.profiled_at is not null and j.profiled_at is null)
 order by j.as_of desc`

/** Verdicts that no longer stand. */
export const oldVerdicts = prunable({
  old: 'select v.id from nightshift.verdicts v where v.until < $1',
  prune: 'delete from nightshift.verdicts v using chosen c where v.id = c.id',
})
