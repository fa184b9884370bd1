import type { QueryResultRow } from 'pg'
import type { Database } from '../../ledger/connection/database.ts'

export interface Metric {
  name: string
  help: string
  labels: string[]
  /** Each with its label values, in the order of `labels`. */
  values: { labels: (string | number)[]; value: number }[]
}

/** One or more metrics from one query, whose columns are the labels and values; null values are left out. */
interface MetricQuery {
  metrics: { name: string; help: string; labels: string[]; value: string }[]
  sql: string
}

const PARTITION = ['kind', 'name']

const QUERIES: MetricQuery[] = [
  {
    metrics: [
      {
        name: 'slots',
        help: 'Slots with an as-of in the last seven days or later, by state.',
        labels: [...PARTITION, 'state'],
        value: 'slots',
      },
    ],
    sql: `select kind, name, state, count(*) as slots from nightshift.slots
           where as_of > clock_timestamp() - interval '7 days' group by kind, name, state`,
  },
  {
    metrics: [
      {
        name: 'lateness_seconds',
        help: 'How long the oldest unpublished slot of the last seven days is past its deadline; 0 if none is.',
        labels: PARTITION,
        value: 'lateness',
      },
    ],
    sql: `select kind, name, coalesce(max(extract(epoch from clock_timestamp() - deadline))
                   filter (where deadline < clock_timestamp() and published_run is null and state <> 'skipped'), 0) as lateness
            from nightshift.slots
           where as_of > clock_timestamp() - interval '7 days' and deadline is not null group by kind, name`,
  },
  {
    metrics: [
      {
        name: 'newest_partition_age_seconds',
        help: 'Age of the as-of of the newest published partition.',
        labels: PARTITION,
        value: 'age',
      },
      {
        name: 'newest_partition_rows',
        help: 'Rows of the newest published partition.',
        labels: PARTITION,
        value: 'rows',
      },
      {
        name: 'newest_run_seconds',
        help: 'Time from start to publication of the newest published partition.',
        labels: PARTITION,
        value: 'seconds',
      },
    ],
    sql: newest(`select n.kind, n.name, extract(epoch from clock_timestamp() - n.as_of) as age, r.rows,
                   extract(epoch from r.ended_at - r.started_at) as seconds
              from newest n join nightshift.runs r on r.id = n.published_run`),
  },
  {
    metrics: [
      {
        name: 'newest_run_step_seconds',
        help: 'Time of each step of the published attempt of the newest published partition.',
        labels: [...PARTITION, 'step'],
        value: 'seconds',
      },
    ],
    sql: newest(`select n.kind, n.name, step ->> 'step' as step, sum((step ->> 'ms')::float8) / 1000 as seconds
              from newest n join nightshift.runs r on r.id = n.published_run
              join nightshift.attempts a on a.run = r.id and a.number = r.attempt
              cross join lateral jsonb_array_elements(a.steps) step group by 1, 2, 3`),
  },
  {
    metrics: [
      {
        name: 'drift',
        help: 'Drift of the newest night from its reference, by the deciding statistic; absent if it cannot be judged.',
        labels: ['model', 'column', 'score', 'statistic'],
        value: 'drift',
      },
      {
        name: 'drift_threshold',
        help: 'Threshold at which nightshift_drift counts as drift; absent if there are not enough rows.',
        labels: ['model', 'column', 'score'],
        value: 'threshold',
      },
      {
        name: 'drift_alerting',
        help: 'Whether the column has drifted on as many nights as drift.persist requires: 1 or 0.',
        labels: ['model', 'column', 'score'],
        value: 'alerting',
      },
    ],
    // The newest night of each model that was compared with its reference, without backfilled nights.
    sql: newest(`select d.model, d.column_name as column, d.is_score as score, d.figures ->> 'statistic' as statistic,
                   case when d.figures ->> 'threshold' is not null then (d.figures ->> (d.figures ->> 'statistic'))::float8 end as drift,
                   (d.figures ->> 'threshold')::float8 as threshold, d.alerting::int as alerting
              from newest n
              cross join lateral (select run from nightshift.profiles
                                   where model = n.name and not backfilled order by as_of desc, at desc limit 1) p
              join nightshift.drift d on d.run = p.run where n.kind = 'scores'`),
  },
  {
    metrics: [
      { name: 'incidents_open', help: 'Open incidents by kind.', labels: ['kind'], value: 'incidents' },
    ],
    sql: 'select kind, count(*) as incidents from nightshift.incidents where closed_at is null group by kind',
  },
  {
    metrics: [
      {
        name: 'outbox_waiting_mails',
        help: 'Mails and posts to webhooks that are written but not delivered.',
        labels: [],
        value: 'mails',
      },
      {
        name: 'outbox_oldest_waiting_seconds',
        help: 'How long the oldest undelivered mail or post has waited; 0 if none waits.',
        labels: [],
        value: 'oldest',
      },
    ],
    sql: `select count(*) as mails, coalesce(max(extract(epoch from clock_timestamp() - created_at)), 0) as oldest
            from nightshift.outbox where sent_at is null and gave_up_at is null`,
  },
  {
    metrics: [
      {
        name: 'process_heartbeat_age_seconds',
        help: 'Time since the last heartbeat of a process; a killed process is listed for an hour.',
        labels: ['process', 'role'],
        value: 'age',
      },
    ],
    sql: `select id as process, role, extract(epoch from clock_timestamp() - seen_at) as age
            from nightshift.processes where seen_at > clock_timestamp() - interval '1 hour'`,
  },
  {
    metrics: [
      {
        name: 'workers_alive',
        help: 'Processes that take jobs and were seen in the last 15 s.',
        labels: [],
        value: 'workers',
      },
      {
        name: 'reconcile_age_seconds',
        help: 'Time since a scheduler last compared the calendar with the ledger; absent if none has.',
        labels: [],
        value: 'reconciled',
      },
    ],
    sql: `select count(*) filter (where places > 0 and seen_at > clock_timestamp() - interval '15 seconds') as workers,
                 extract(epoch from clock_timestamp() - max(reconciled_at)) as reconciled
            from nightshift.processes`,
  },
]

/**
 * The newest published slot of each view and model. Uses one index lookup for each name instead of sorting all nights.
 */
function newest(select: string): string {
  return `with recursive names as (
      (select kind, name from nightshift.slots order by kind, name limit 1)
      union all
      select next.kind, next.name from names cross join lateral (
        select kind, name from nightshift.slots s
         where (s.kind, s.name) > (names.kind, names.name) order by kind, name limit 1) next),
    newest as (
      select kind, name, as_of, published_run from names cross join lateral (
        select as_of, published_run from nightshift.slots s
         where s.kind = names.kind and s.name = names.name and published_run is not null
         order by as_of desc limit 1) last)
    ${select}`
}

/** The ledger's metrics, read in one snapshot. */
export async function ledgerMetrics({ pool }: Pick<Database, 'pool'>): Promise<Metric[]> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('begin transaction isolation level repeatable read read only')
    const metrics: Metric[] = []
    for (const query of QUERIES) {
      const { rows } = await client.query<QueryResultRow>(query.sql)
      metrics.push(...query.metrics.map((metric) => readMetric(metric, rows)))
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

function readMetric(
  { name, help, labels, value }: MetricQuery['metrics'][number],
  rows: QueryResultRow[],
): Metric {
  const values = rows
    .filter((row) => row[value] !== null)
    .map((row) => ({ labels: labels.map((label) => String(row[label])), value: Number(row[value]) }))
  return { name, help, labels, values }
}
