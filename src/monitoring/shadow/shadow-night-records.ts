import type { ClientBase, Pool } from 'pg'
import type { OutcomeFacts } from '../../pipeline/outcomes/outcome-facts.ts'
import type { ShadowFigures } from '../../pipeline/shadow/shadow-figures.ts'

type Connection = ClientBase | Pool

/** What a challenger's night is compared with. */
export interface Against {
  kind: 'champion' | 'current' | 'none'
  /** The champion's version. */
  version: number | null
  /** The run whose scores were published. */
  run: string | null
}

export interface ShadowNight {
  model: string
  version: number
  partition: string
}

/** The comparison of one night. */
export interface Comparison extends ShadowNight {
  as_of: string
  against: Against
  /** sha256 of the challenger's file. */
  scores: string
  state: 'compared' | 'none' | 'failed'
  /** Why it could not be compared. */
  note: string | null
  figures: ShadowFigures | null
  /** ISO 8601: when labels may be in; null: never. */
  look_at: string | null
}

/** Records a comparison in place of an earlier one; what came of the night is then measured again. */
export async function recordComparison(connection: Connection, night: Comparison): Promise<void> {
  const { model, version, partition, as_of, against, scores, state, note, figures, look_at } = night
  await connection.query(
    `insert into nightshift.shadow_nights
       (model, version, partition, as_of, against, against_version, against_run, scores, state, note, figures, compared_at, look_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now(), $12)
     on conflict (model, version, partition) do update
        set as_of = $4, against = $5, against_version = $6, against_run = $7, scores = $8, state = $9, note = $10,
            figures = $11, compared_at = now(), look_at = $12, looks = 0, realized = null, realized_at = null,
            realized_note = null`,
    [
      model,
      version,
      partition,
      as_of,
      against.kind,
      against.version,
      against.run,
      scores,
      state,
      note,
      figures === null ? null : JSON.stringify(figures),
      look_at,
    ],
  )
}

/**
 * Challengers' nights whose comparison is missing, or is of other files than those that stand now. A current process
 * may deliver late: it is looked at again every half hour for three days.
 */
const TO_COMPARE = `
select w.model, w.version, w.partition
  from nightshift.shadow_scores w
  join nightshift.slots s on s.kind = 'scores' and s.name = w.model and s.partition = w.partition
  left join nightshift.runs r on r.id = s.published_run
  left join nightshift.shadow_nights n
    on n.model = w.model and n.version = w.version and n.partition = w.partition
 where w.role = 'challenger' and w.path is not null and w.model = any($1)
   and r.version is distinct from w.version and s.state <> 'publishing'
   and (n.partition is null or n.scores <> w.sha256
        or (s.published_run is not null and n.against_run is distinct from s.published_run)
        or (s.published_run is null and n.against = 'champion')
        or (n.against = 'none' and w.model = any($2))
        or (n.against = 'current' and n.state = 'failed' and n.compared_at < now() - interval '30 minutes'
            and w.at > now() - interval '3 days'))
   and not exists (select from nightshift.monitor_tries t
                    where t.monitor = 'comparison' and t.subject = concat_ws(' ', w.model, w.version, w.partition)
                      and t.next_at > now())
 order by w.as_of desc limit 20`

/** `withCurrent`: models that declare a current process. */
export async function nightsToCompare(
  connection: Connection,
  models: string[],
  withCurrent: string[],
): Promise<ShadowNight[]> {
  const { rows } = await connection.query<ShadowNight>(TO_COMPARE, [models, withCurrent])
  return rows
}

/** Compared nights whose labels may be in, longest overdue first. */
export async function nightsToRealize(connection: Connection, models: string[]): Promise<ShadowNight[]> {
  const { rows } = await connection.query<ShadowNight>(
    `select model, version, partition from nightshift.shadow_nights
      where look_at <= now() and state = 'compared' and model = any($1) order by look_at limit 20`,
    [models],
  )
  return rows
}

/** What is needed to measure a compared night. */
export interface RealizableNight {
  against: Against
  realized: OutcomeFacts | null
  looks: number
}

export async function compareRecordOf(
  connection: Connection,
  { model, version, partition }: ShadowNight,
): Promise<RealizableNight | undefined> {
  const { rows } = await connection.query<{
    against: Against['kind']
    against_version: number | null
    against_run: string | null
    realized: OutcomeFacts | null
    looks: number
  }>(
    `select against, against_version, against_run, realized, looks from nightshift.shadow_nights
      where model = $1 and version = $2 and partition = $3 and state = 'compared'`,
    [model, version, partition],
  )
  const [row] = rows
  return (
    row && {
      against: { kind: row.against, version: row.against_version, run: row.against_run },
      realized: row.realized,
      looks: row.looks,
    }
  )
}

/** Records what came of a night, or why that is not known; `realized` undefined keeps what is known. */
export async function recordRealized(
  connection: Connection,
  { model, version, partition }: ShadowNight,
  found: { realized?: OutcomeFacts; note: string | null; look_at: string | null; looks: number },
): Promise<void> {
  await connection.query(
    `update nightshift.shadow_nights
        set realized = coalesce($4, realized), realized_at = case when $4::jsonb is null then realized_at else now() end,
            realized_note = $5, look_at = $6, looks = $7
      where model = $1 and version = $2 and partition = $3`,
    [
      model,
      version,
      partition,
      found.realized === undefined ? null : JSON.stringify(found.realized),
      found.note,
      found.look_at,
      found.looks,
    ],
  )
}
