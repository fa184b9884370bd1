import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { Temporal } from 'temporal-polyfill'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ended, nightshift, nightshiftJson, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { hasRedis, type RedisServer, startRedis } from '../jobs/redis-server.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, smallModel, writeParquet } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { record } from './record.ts'

const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
const { nights, kills } = FULL ? { nights: 365, kills: 10 } : { nights: 10, kills: 2 }
const FIRST = Temporal.PlainDate.from('2025-01-15')
const RANGE = ['--from', FIRST.toString(), '--to', FIRST.add({ days: nights - 1 }).toString()]

/** Purchases of 2,000 customers over 18 months: most come back, each at times of their own. */
const PURCHASES = `
select customer_id, purchased_at as happened_at, (customer_id * 37 % 1000) / 10 + 5.0 as amount
  from (select (i * 7919) % 2000 as customer_id,
               timestamp '2025-01-01' + to_minutes(((i * 104729) % 777600)::bigint) as purchased_at
          from range(40000) t(i))`

async function projectWithYear(): Promise<TemporaryProject> {
  const project = await generatedProject({ sql: FEATURES }, smallModel())
  await writeParquet(join(project.root, 'data/events/date=2026-03-01/events.parquet'), PURCHASES)
  return project
}
const FEATURES = `SELECT customer_id,
  count(*) FILTER (happened_at >= $as_of - INTERVAL 30 DAY)::FLOAT AS recent,
  (sum(amount) / 100)::DOUBLE AS spend
FROM events GROUP BY customer_id`

describe.each([{ redis: false }, { redis: true }])(
  'a backfill that is killed and goes on (redis: $redis)',
  ({ redis }) => {
    // Redis in the long form alone: what is tested is the ledger.
    const skip = redis && (!hasRedis || !FULL)
    const databases: FreshDatabase[] = []
    const projects: TemporaryProject[] = []
    let server: RedisServer | undefined

    async function prepared(): Promise<{ database: FreshDatabase; project: TemporaryProject; at: At }> {
      const database = await freshDatabase()
      const project = await projectWithYear()
      databases.push(database)
      projects.push(project)
      const env = { DATABASE_URL: database.url, ...(server === undefined ? {} : { REDIS_URL: server.url }) }
      const at = { project: project.root, env }
      const registered = await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
      expect(registered.code, registered.stderr).toBe(0)
      await nightshift(promoting('value', 1), at)
      return { database, project, at }
    }

    beforeAll(async () => {
      server = redis && !skip ? await startRedis() : undefined
    })
    afterAll(async () => {
      for (const project of projects) await project.remove()
      for (const database of databases) await database.drop()
      await server?.remove()
    })

    // Takes half a minute: what a killed process had in hand is taken over when nothing was heard of it for some seconds.
    test.skipIf(skip)(
      `gives the same ${nights} nights as one that nobody disturbs, each computed once (${kills} kills)`,
      async () => {
        const whole = await prepared()
        const reference = await nightshiftJson(['backfill', 'value', ...RANGE, '--yes'], whole.at)
        expect(reference.code, reference.stderr).toBe(0)

        const torn = await prepared()
        const begun = performance.now()
        let command = start(['backfill', 'value', ...RANGE, '--yes'], torn.at)
        for (let kill = 0; kill < kills; kill++) {
          const over = ended(command)
          // Each time some nights further on, in the middle of others.
          const target = Math.floor(((kill + 0.5) * nights) / (kills + 1))
          await untilNights(torn.database, target)
          await sleep((kill * 97) % 250)
          command.kill('SIGKILL')
          await over
          command = start(['resume', '1', '--json'], torn.at)
        }
        const { code, stdout, stderr } = await ended(command)
        expect(code, stderr).toBe(0)
        expect(JSON.parse(stdout)).toMatchObject({
          state: 'done',
          nights,
          published: nights,
          failed: 0,
          left: 0,
        })

        for (const kind of ['features/activity', 'scores/value']) {
          const { rows, apart } = await differences(whole.project, torn.project, kind)
          expect(rows, kind).toBeGreaterThan(nights * 100)
          expect(apart, kind).toBe(0)
        }
        expect(readdirSync(join(torn.project.root, 'warehouse/.attempts'))).toEqual([])
        const { rows } = await torn.database.database.pool.query(AFTER)
        expect(rows[0]).toEqual({ open: 0, twice: 0, after_publication: 0, lost: expect.any(Number) })
        record({
          fault: `kill -9 of a backfill of ${nights} nights, ${kills} times`,
          promise: 'the same nights as undisturbed, each computed and published once',
          happened: 'the same, none twice',
          seconds: (performance.now() - begun) / 1000,
        })
        if (FULL) console.info(`${kills} kills: ${rows[0].lost} attempts lost, none of them committed`)
      },
      FULL ? 20 * 60_000 : 600_000,
    )
  },
)

test('a night that is due while ten thousand back-filled ones wait starts within two seconds', async () => {
  const database = await freshDatabase()
  // Each back-filled night keeps a place busy for some seconds.
  const project = await generatedProject({ customers: 3000, sql: FEATURES }, smallModel({ work: 40 }))
  try {
    await writeParquet(join(project.root, 'data/events/date=2026-03-01/events.parquet'), OLD)
    const at = { project: project.root, env: { DATABASE_URL: database.url } }
    const registered = await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
    expect(registered.code, registered.stderr).toBe(0)
    await nightshift(promoting('value', 1), at)
    const up = start(['up', '--port', '0', '--places', '2'], at)
    const upEnded = ended(up)
    const backfill = start(
      ['backfill', 'value', '--from', '1998-01-01', '--to', '2025-05-18', '--max-active', '8', '--yes'],
      at,
    )
    const backfillEnded = ended(backfill)
    await untilBusy(database, 2)
    // Due since midnight, and missed until there is a schedule.
    const today = Temporal.Now.plainDateISO('UTC').toString()
    await project.write(
      'schedules/nightly.yaml',
      `schedule: nightly\ncron: "0 0 * * *"\nstart: "${today}"\nscore: [value]\n`,
    )
    const night = await untilNight(database, today)
    backfill.kill('SIGKILL')
    up.kill('SIGKILL')
    await Promise.all([upEnded, backfillEnded])
    console.info(
      `begun ${night.late_ms} ms after it was queued, beside ${night.busy} back-filled runs and ${night.left} nights that wait; ${night.before} of them began before it`,
    )
    expect(night.busy).toBeGreaterThan(0)
    expect(night.left).toBeGreaterThan(9_000)
    // As many as there are places may have been taken from the queue already.
    expect(night.before).toBeLessThanOrEqual(2)
    if (FULL) expect(night.late_ms).toBeLessThan(2_000)
    record({
      fault: 'ten thousand back-filled nights wait when a night is due',
      promise: 'the night starts within 2 s',
      happened: 'it started beside them',
      seconds: night.late_ms / 1000,
    })
  } finally {
    await project.remove()
    await database.drop()
  }
})

/** Every customer bought something before all of the nights. */
const OLD = `select i as customer_id, timestamp '1997-01-01' + to_minutes(i) as happened_at, i % 7 as amount from range(3000) t(i)`

interface At {
  project: string
  env: Record<string, string>
}

/** Waits until so many back-filled runs are computed at once. */
async function untilBusy(database: FreshDatabase, runs: number): Promise<void> {
  for (let tries = 0; tries < 6000; tries++) {
    const { rows } = await database.database.pool.query(
      `select count(*)::int as n from nightshift.runs where backfill is not null and state = 'running'`,
    )
    if (rows[0].n >= runs) return
    await sleep(20)
  }
  throw new Error(`there were never ${runs} back-filled runs at once`)
}

async function untilNights(database: FreshDatabase, published: number): Promise<void> {
  for (let tries = 0; tries < 6000; tries++) {
    const { rows } = await database.database.pool.query(
      `select count(*)::int as n from nightshift.slots where kind = 'scores' and state = 'published'`,
    )
    if (rows[0].n >= published) return
    await sleep(20)
  }
  throw new Error(`there were never ${published} nights`)
}

interface Begun {
  late_ms: number
  busy: number
  left: number
  /** Back-filled runs that began after the night was queued, and before it. */
  before: number
}

async function untilNight(database: FreshDatabase, partition: string): Promise<Begun> {
  for (let tries = 0; tries < 1200; tries++) {
    const { rows } = await database.database.pool.query<Begun>(
      `select (extract(epoch from a.started_at - f.created_at) * 1000)::int as late_ms,
              (select count(*)::int from nightshift.runs r where r.backfill is not null and r.state = 'running') as busy,
              (select count(*)::int from nightshift.backfill_nights n where n.slot is null) as left,
              (select count(*)::int from nightshift.attempts b join nightshift.runs r on r.id = b.run
                where r.backfill is not null and b.started_at > f.created_at and b.started_at < a.started_at) as before
         from nightshift.slots s
         join nightshift.runs f on f.slot = s.id
         join nightshift.attempts a on a.run = f.id and a.number = 1
        where s.kind = 'features' and s.partition = $1`,
      [partition],
    )
    if (rows[0] !== undefined) return rows[0]
    await sleep(100)
  }
  throw new Error(`the night of ${partition} never began`)
}

/** Rows of all partitions together, and how many are apart by more than the last bits of a sum. */
async function differences(
  a: TemporaryProject,
  b: TemporaryProject,
  kind: string,
): Promise<{ rows: number; apart: number }> {
  const instance = await DuckDBInstance.create(':memory:')
  try {
    const connection = await instance.connect()
    const read = (root: string) =>
      `read_parquet('${join(root, 'warehouse', kind)}/*/*.parquet', hive_partitioning = true, hive_types = {as_of: VARCHAR})`
    const [x, y] = kind.startsWith('features') ? ['recent', 'spend'] : ['score', 'version']
    const reader = await connection.runAndReadAll(
      `select count(*)::int as rows,
              count(*) filter (a.customer_id is null or b.customer_id is null
                or abs(a.${x} - b.${x}) > 1e-6 * greatest(abs(a.${x}), 1)
                or abs(a.${y} - b.${y}) > 1e-9 * greatest(abs(a.${y}), 1))::int as apart
         from ${read(a.root)} a full join ${read(b.root)} b using (as_of, customer_id)`,
    )
    connection.closeSync()
    const [row] = reader.getRowObjects()
    return { rows: Number(row?.rows), apart: Number(row?.apart) }
  } finally {
    instance.closeSync()
  }
}

/** What must not be, over all that the ledger knows. */
const AFTER = `
select (select count(*)::int from nightshift.runs where state in ('waiting', 'queued', 'running', 'publishing')) as open,
       (select count(*)::int from (select from nightshift.runs where state = 'published' group by slot having count(*) > 1) t) as twice,
       (select count(*)::int from nightshift.attempts a join nightshift.runs r on r.id = a.run join nightshift.slots s on s.id = r.slot
         where a.started_at > s.published_at) as after_publication,
       (select count(*)::int from nightshift.attempts where outcome = 'lost') as lost`
