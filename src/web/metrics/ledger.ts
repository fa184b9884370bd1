import type { QueryResultRow } from 'pg'
import type { Database } from '../../database/database.ts'
import type { Metric } from './collect.ts'

/** A metric as a query: its columns are the labels and, last, `value`. */
interface Question {
  name: string
  help: string
  labels: string[]
  sql: string
}

/** The newest published run of each view and model. */
const NEWEST = `
  newest as (
    select distinct on (s.kind, s.name) s.kind, s.name, s.as_of, s.published_run as run
      from nightshift.slots s where s.published_run is not null order by s.kind, s.name, s.as_of desc)`

/** The newest night of each model that was compared with its reference; those of backfills are no news. */
const COMPARED = `
  compared as (
    select distinct on (model) model, run from nightshift.profiles where not backfilled order by model, as_of desc, at desc)`

const QUESTIONS: Question[] = [
  {
    name: 'slots',
    help: 'Slots whose as-of lies in the last seven days or ahead, by state.',
    labels: ['kind', 'name', 'state'],
    sql: `select kind, name, state, count(*) as value from nightshift.slots
           where as_of > clock_timestamp() - interval '7 days' group by kind, name, state`,
  },
  {
    name: 'lateness_seconds',
    help: 'How long the oldest unpublished slot of the last seven days is past its deadline; 0 where none is.',
    labels: ['kind', 'name'],
    sql: `select kind, name, coalesce(max(extract(epoch from clock_timestamp() - deadline))
                   filter (where deadline < clock_timestamp() and published_run is null and state <> 'skipped'), 0) as value
            from nightshift.slots
           where as_of > clock_timestamp() - interval '7 days' and deadline is not null group by kind, name`,
  },
  {
    name: 'newest_partition_age_seconds',
    help: 'How long ago the as-of of the newest published partition was.',
    labels: ['kind', 'name'],
    sql: `with ${NEWEST} select kind, name, extract(epoch from clock_timestamp() - as_of) as value from newest`,
  },
  {
    name: 'newest_partition_rows',
    help: 'Rows of the newest published partition.',
    labels: ['kind', 'name'],
    sql: `with ${NEWEST} select n.kind, n.name, r.rows as value from newest n join nightshift.runs r on r.id = n.run
           where r.rows is not null`,
  },
  {
    name: 'newest_run_seconds',
    help: 'From start to publication of the newest published partition.',
    labels: ['kind', 'name'],
    sql: `with ${NEWEST} select n.kind, n.name, extract(epoch from r.ended_at - r.started_at) as value
            from newest n join nightshift.runs r on r.id = n.run
           where r.ended_at is not null and r.started_at is not null`,
  },
  {
    name: 'newest_run_step_seconds',
    help: 'The same by step, of the attempt that was published.',
    labels: ['kind', 'name', 'step'],
    sql: `with ${NEWEST} select n.kind, n.name, step ->> 'step' as step, sum((step ->> 'ms')::float8) / 1000 as value
            from newest n join nightshift.runs r on r.id = n.run
            join nightshift.attempts a on a.run = r.id and a.number = r.attempt
            cross join lateral jsonb_array_elements(a.steps) step group by 1, 2, 3`,
  },
  {
    name: 'drift',
    help: 'How far the newest night is from its reference, by the statistic that decides for the column.',
    labels: ['model', 'column', 'statistic'],
    sql: `with ${COMPARED} select d.model, d.column_name as column, d.figures ->> 'statistic' as statistic,
                 (d.figures ->> (d.figures ->> 'statistic'))::float8 as value
            from compared c join nightshift.drift d on d.run = c.run
           where d.figures ->> (d.figures ->> 'statistic') is not null`,
  },
  {
    name: 'drift_threshold',
    help: 'From where on that is drift; absent where there are not enough rows.',
    labels: ['model', 'column'],
    sql: `with ${COMPARED} select d.model, d.column_name as column, (d.figures ->> 'threshold')::float8 as value
            from compared c join nightshift.drift d on d.run = c.run where d.figures ->> 'threshold' is not null`,
  },
  {
    name: 'drift_alerting',
    help: 'Whether the column has drifted on as many nights as drift.persist asks for: 1 or 0.',
    labels: ['model', 'column'],
    sql: `with ${COMPARED} select d.model, d.column_name as column, d.alerting::int as value
            from compared c join nightshift.drift d on d.run = c.run`,
  },
  {
    name: 'incidents_open',
    help: 'Open incidents by kind.',
    labels: ['kind'],
    sql: `select kind, count(*) as value from nightshift.incidents where closed_at is null group by kind`,
  },
  {
    name: 'outbox_waiting_mails',
    help: 'Mails that are written and not delivered.',
    labels: [],
    sql: `select count(*) as value from nightshift.outbox where sent_at is null and gave_up_at is null`,
  },
  {
    name: 'outbox_oldest_waiting_seconds',
    help: 'How long the oldest of those has waited; 0 where none waits.',
    labels: [],
    sql: `select coalesce(max(extract(epoch from clock_timestamp() - created_at)), 0) as value
            from nightshift.outbox where sent_at is null and gave_up_at is null`,
  },
  {
    name: 'process_heartbeat_age_seconds',
    help: 'Since a process last said that it lives; one that was killed is shown for an hour.',
    labels: ['process', 'role'],
    sql: `select id as process, role, extract(epoch from clock_timestamp() - seen_at) as value
            from nightshift.processes where seen_at > clock_timestamp() - interval '1 hour'`,
  },
  {
    name: 'workers_alive',
    help: 'Processes that take jobs and were seen in the last 15 s.',
    labels: [],
    sql: `select count(*) as value from nightshift.processes
           where places > 0 and seen_at > clock_timestamp() - interval '15 seconds'`,
  },
  {
    name: 'reconcile_age_seconds',
    help: 'Since a scheduler last compared the calendar with the ledger; absent where none has.',
    labels: [],
    sql: `select extract(epoch from clock_timestamp() - max(reconciled_at)) as value
            from nightshift.processes having max(reconciled_at) is not null`,
  },
]

/** What the ledger says of itself, all at one moment. */
export async function ledgerMetrics({ pool }: Pick<Database, 'pool'>): Promise<Metric[]> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('begin transaction isolation level repeatable read read only')
    const metrics: Metric[] = []
    for (const { name, help, labels, sql } of QUESTIONS) {
      const { rows } = await client.query<QueryResultRow>(sql)
      const values = rows.map((row) => ({
        labels: labels.map((label) => String(row[label])),
        value: Number(row.value),
      }))
      metrics.push({ name, help, labels, values })
    }
    await client.query('commit')
    return metrics
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error))
    throw error
  } finally {
    client.release(broken)
  }
}
