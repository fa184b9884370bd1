/**
 * What local time costs: the same features over 3,000,000 events in UTC, once as a project in Berlin sees them and
 * once without any conversion, alternating. `npx tsx test/bench/local-time.ts` prints milliseconds of the
 * five best rounds, of the clock and of the processor, which other programs disturb less.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { featureCut } from '../../src/pipeline/cut/cut.ts'
import { openQuery } from '../../src/pipeline/sql/cut-query.ts'

const EVENTS = 3_000_000
const ROUNDS = 25
const AS_OF = { instant: '2026-11-21T23:00:00Z', local: '2026-11-22 00:00:00' }

const QUERIES = {
  'whole year': `SELECT id, count(*)::INTEGER AS calls, sum(cost)::FLOAT AS cost, max(seconds) AS longest,
      date_diff('day', max(ts), $as_of)::FLOAT AS recency_days, date_diff('day', min(ts), $as_of)::FLOAT AS tenure_days,
      count(*) FILTER (ts >= $as_of - INTERVAL 30 DAY)::FLOAT AS calls_30d,
      count(*) FILTER (hour(ts) >= 20)::FLOAT AS evenings, count(*) FILTER (isodow(ts) >= 6)::FLOAT AS weekends
    FROM events GROUP BY id`,
  'last 60 days': `SELECT id, count(*)::INTEGER AS calls, sum(cost)::FLOAT AS cost,
      count(*) FILTER (hour(ts) >= 20)::FLOAT AS evenings
    FROM events WHERE ts >= $as_of - INTERVAL 60 DAY GROUP BY id`,
}

const root = realpathSync(mkdtempSync(join(tmpdir(), 'nightshift-local-time-')))
try {
  for (const name of ['data', 'out', 'temp']) mkdirSync(join(root, name))
  await generate()
  for (const [name, sql] of Object.entries(QUERIES)) {
    // A source that says its times are of the project's own zone is read as it is: the cut alone is the same.
    const [local, naive] = [await open(sql, 'UTC'), await open(sql, 'Europe/Berlin')]
    const wall: Times = { local: [], naive: [] }
    const processor: Times = { local: [], naive: [] }
    for (let round = 0; round < ROUNDS; round++) {
      for (const [kind, query] of round % 2 === 0
        ? ([
            ['local', local],
            ['naive', naive],
          ] as const)
        : ([
            ['naive', naive],
            ['local', local],
          ] as const)) {
        const start = performance.now()
        const used = process.cpuUsage()
        await query.engine.run(
          `COPY (SELECT * FROM (${query.sql}) ORDER BY id) TO '${root}/out/${kind}.parquet'`,
          query.values,
        )
        wall[kind].push(performance.now() - start)
        const { user, system } = process.cpuUsage(used)
        processor[kind].push((user + system) / 1000)
      }
    }
    console.log(`${name}: clock ${compare(wall)}; processor ${compare(processor)}`)
    local.close()
    naive.close()
  }
} finally {
  rmSync(root, { recursive: true, force: true })
}

function open(sql: string, timezone: string) {
  return openQuery({
    root,
    view: {
      entity: ['id'],
      sources: { events: { kind: 'events', path: 'data/*.parquet', event_time: 'ts', timezone } },
    },
    sql,
    file: 'features.sql',
    cut: featureCut(AS_OF, '2999-01-01T00:00:00Z', 'Europe/Berlin'),
    parameters: { as_of: AS_OF.local },
    writable: join(root, 'out'),
    temp: join(root, 'temp'),
    threads: 2,
  })
}

/** A year of events, one file a month, each sorted by time. */
async function generate(): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  for (let month = 0; month < 12; month++) {
    await connection.run(`COPY (
      SELECT (hash(i) % 100000)::BIGINT AS id,
             TIMESTAMP '2025-11-22' + to_seconds(${month} * 2628000 + (hash(i, 1) % 2628000)::BIGINT) AS ts,
             (hash(i, 2) % 3600)::INTEGER AS seconds, (hash(i, 3) % 10000)::DOUBLE / 100 AS cost
      FROM range(${month} * ${EVENTS / 12}, ${month + 1} * ${EVENTS / 12}) t(i) ORDER BY ts
    ) TO '${root}/data/${String(month).padStart(2, '0')}.parquet' (FORMAT parquet)`)
  }
  connection.closeSync()
  instance.closeSync()
}

function compare({ local, naive }: Times): string {
  const [a, b] = [best(local), best(naive)]
  return `local ${a.toFixed(0)}, naive ${b.toFixed(0)}, ratio ${(a / b).toFixed(3)}`
}

function best(times: number[]): number {
  const five = [...times].sort((a, b) => a - b).slice(0, 5)
  return five.reduce((sum, time) => sum + time, 0) / five.length
}

interface Times {
  local: number[]
  naive: number[]
}
