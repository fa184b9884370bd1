import { afterEach, expect, test } from 'vitest'
import { workerAlive } from '../../src/ledger/nights/alive.ts'
import { freePort, type MailServer, openMailServer } from '../alerts/mail-server.ts'
import { ended, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { hasRedis, type RedisServer, startRedis } from '../jobs/redis-server.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { record, secondsUntil } from './record.ts'

const VIEWS = 12
let database: FreshDatabase
let redis: RedisServer
let mails: MailServer
let project: TemporaryProject
let up: ReturnType<typeof start>
afterEach(async () => {
  up?.kill('SIGKILL')
  await mails?.close()
  await redis?.remove()
  await project?.remove()
  await database?.drop()
})

/** Kept from ending, as Linux stops a process: connections stay, answers do not come. */
const FAULTS = [
  { name: 'killed', happen: () => redis.kill() },
  { name: 'stopped', happen: async () => void redis.stop() },
]

// Takes half a minute: it waits for the deadline of a night and for the time limits of clients.
test.skipIf(!hasRedis).each(FAULTS)(
  'Redis $name over a deadline: incident and mail come within 30 s of it, however many nights wait for the queue',
  async ({ name, happen }) => {
    database = await freshDatabase()
    redis = await startRedis()
    mails = await openMailServer()
    const now = new Date(Date.now() + 60_000)
    project = await generatedProject({
      customers: 10,
      schedule: `schedule: nightly
cron: "${now.getUTCMinutes()} ${now.getUTCHours()} * * *"
refresh: [activity${Array.from({ length: VIEWS }, (_, view) => `, more${view}`).join('')}]
deadline: "${String((now.getUTCHours() + 1) % 24).padStart(2, '0')}:59"
`,
    })
    for (let view = 0; view < VIEWS; view++) {
      await project.write(
        `features/more${view}/view.yaml`,
        `view: more${view}\nentity: customer_id\nowner: data@example.com\nsources:\n  events: { path: data/events/**/*.parquet, kind: events, event_time: happened_at }\n`,
      )
      await project.write(
        `features/more${view}/features.sql`,
        'SELECT customer_id, count(*) AS orders FROM events GROUP BY customer_id\n',
      )
    }
    up = start(['up', '--port', String(await freePort()), '--host', '127.0.0.1'], {
      project: project.root,
      env: { DATABASE_URL: database.url, REDIS_URL: redis.url, SMTP_URL: mails.url },
    })
    void ended(up)
    const { pool } = database.database
    await secondsUntil(() => workerAlive(database.database), { within: 60 })
    await secondsUntil(async () => (await pool.query('select from nightshift.slots')).rows.length > VIEWS, {
      within: 60,
    })
    await happen()
    // Tonight is due, and its deadline passes in five seconds, without a queue.
    await pool.query(
      `update nightshift.slots set due = now() - interval '1 minute', deadline = now() + interval '5 seconds'
        where as_of = (select min(as_of) from nightshift.slots)`,
    )
    const from = performance.now() + 5_000
    const incident = await secondsUntil(
      async () => (await pool.query('select from nightshift.incidents')).rows.length > VIEWS,
      { within: 60, from },
    )
    const mailed = await secondsUntil(async () => mails.received.length > 0, { within: 60, from })
    record({
      fault: `Redis is ${name} over a deadline`,
      promise: 'incident and mail within 30 s of the deadline',
      happened: 'incident and mail came',
      seconds: mailed,
    })
    expect(incident).toBeLessThan(30)
    expect(mailed).toBeLessThan(30)
  },
)
