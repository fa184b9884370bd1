import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { type Database, openDatabase } from '../src/ledger/connection/database.ts'
import { removeDatabase } from '../src/ledger/server/remove-server.ts'
import { hasRedis, startRedis } from '../test/jobs/redis-server.ts'
import { benchProject } from './data.ts'
import { median, wholeNumber } from './figures.ts'
import { loadModel, registerLoad, viewOf, writeHourly, writeLoad } from './load-project.ts'
import { thisMachine } from './machine.ts'
import { MARK, memoryNow, processorSeconds } from './memory.ts'
import { CLI, goLive, stop, untilWorking } from './nightshift.ts'
import { measurePlanner } from './planner.ts'
import { keepResults, printSection } from './results.ts'
import { counted, megabytes, milliseconds, type Row, seconds, within } from './rows.ts'

/**
 * Many nights at once: backfills of so many models, on both queues; and the planner's wake-up on
 * a ledger with a year of 100 models.
 */
const { values } = parseArgs({
  options: {
    models: { type: 'string', default: '1000' },
    nights: { type: 'string', default: '30' },
    queue: { type: 'string', multiple: true, default: ['postgres', 'redis'] },
    'history-models': { type: 'string', default: '100' },
    'history-nights': { type: 'string', default: '365' },
  },
})
const models = wholeNumber('--models', values.models)
const nights = wholeNumber('--nights', values.nights)
const COMMAND = `npm run bench:load${models === 1000 && nights === 30 ? '' : ` -- --models ${models} --nights ${nights}`}`
const CUSTOMERS = 300
const FIRST = '2026-10-24'
/** Further models with a schedule of their own, each due in another minute. */
const DUE = 3
const PAGE_LOADS = 7

const machine = thisMachine()
const rows: Row[] = []
for (const queue of values.queue) {
  if (queue !== 'postgres' && queue !== 'redis')
    throw new Error(`expected --queue to be postgres or redis, got: ${queue}`)
  if (queue === 'redis' && !hasRedis) continue
  rows.push(...(await enqueueAll(queue)))
}
rows.push(
  ...(await measurePlanner({
    models: wholeNumber('--history-models', values['history-models']),
    nights: wholeNumber('--history-nights', values['history-nights']),
    command: COMMAND,
  })),
)
const section = { machine, rows }
printSection(section)
keepResults({ load: section })

async function enqueueAll(queue: 'postgres' | 'redis'): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-load-'))
  const mark = `load-${queue}-${process.pid}`
  // Redis is one of the processes that are counted: it inherits the mark.
  process.env[MARK] = mark
  const redis = queue === 'redis' ? await startRedis() : undefined
  const env = { ...process.env, REDIS_URL: redis?.url ?? '' }
  const project = await benchProject(folder, CUSTOMERS)
  const processes: ChildProcess[] = []
  let database: Database | undefined
  try {
    await goLive(project, env)
    database = await openDatabase({ root: project.root, role: 'command' })
    writeLoad(project.root, models + DUE)
    await registerLoad(database, models + DUE)
    const port = await freePort()
    const start = (...args: string[]) =>
      spawn(process.execPath, [CLI, ...args, '--project', project.root], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...env, NIGHTSHIFT_LOG: 'error' },
      })
    processes.push(start('scheduler'), start('web', '--port', String(port)))
    const worker = start('worker')
    processes.push(worker)
    await untilWorking(database)
    const before = memoryNow(mark)
    const [begun, used] = [performance.now(), processorSeconds(mark)]
    await startBackfills(project.root, env, database)
    const asked = (performance.now() - begun) / 1000
    // A command asks for a worker. What computes from here on would be no part of the enqueueing.
    const whileAsked = processorSeconds(mark) - used
    await stop(worker)
    const without = processorSeconds(mark)
    await untilCounted(
      database,
      "select count(*)::int as n from nightshift.runs where kind = 'features' and backfill is not null",
      models * nights,
    )
    const enqueued = (performance.now() - begun) / 1000
    const processor = whileAsked + processorSeconds(mark) - without
    console.error(`${queue}: ${models * nights} nights enqueued in ${seconds(enqueued)}`)
    const memory = memoryNow(mark)
    processes.push(start('worker'))
    const pages = await slowestPage(port, loadModel(0))
    const starts = await startsOfDueNights(database, project.root)
    const { rows: sizes } = await database.pool.query<{ bytes: string }>(
      'select pg_database_size(current_database()) as bytes',
    )
    const of = (what: string) => ({
      what: `${what} (queue in ${queue === 'redis' ? 'Redis' : 'PostgreSQL'})`,
      command: COMMAND,
    })
    const all = `${counted(models)} models x ${nights} nights`
    const queued = redis === undefined ? '' : `, ${megabytes(await usedBy(redis.url))} in Redis`
    return [
      {
        ...of(`${all}, from the first command until all are in the queue`),
        measured: `${seconds(enqueued)} (asked for after ${seconds(asked)}; processor ${seconds(processor)})`,
        target: '',
      },
      {
        ...of(`${all}: memory of all processes; the database on disk`),
        measured: `${megabytes(memory)}, before ${megabytes(before)}; ${megabytes(Number(sizes[0]?.bytes) / 1e6)}${queued}`,
        target: '',
      },
      within(of('the slowest page beside them, median'), pages, { most: 200, show: milliseconds }),
      within(of('from when a night is due to its start beside them, the slowest'), Math.max(...starts), {
        most: 2,
        show: seconds,
      }),
    ]
  } finally {
    await database?.close()
    await Promise.all(processes.map(stop))
    await removeDatabase(project.root)
    await redis?.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** One command asks for all of them, and follows them until it is ended. */
async function startBackfills(root: string, env: NodeJS.ProcessEnv, database: Database): Promise<void> {
  const last = new Date(Date.parse(FIRST) + (nights - 1) * 86_400_000).toISOString().slice(0, 10)
  const names = Array.from({ length: models }, (_, index) => loadModel(index))
  const period = ['--from', FIRST, '--to', last, '--max-active', String(nights)]
  const command = spawn(
    process.execPath,
    [CLI, 'backfill', ...names, ...period, '--yes', '--json', '--project', root],
    { stdio: ['ignore', 'ignore', 'inherit'], env },
  )
  const failed = new Promise<never>((_, reject) => {
    command.once('exit', (code) =>
      reject(new Error(`expected backfill to follow its nights, it ended with ${code}`)),
    )
  })
  failed.catch(() => {})
  await Promise.race([
    failed,
    untilCounted(database, 'select count(*)::int as n from nightshift.backfills', models),
  ])
  command.removeAllListeners('exit')
  await stop(command)
}

async function untilCounted(database: Database, sql: string, wanted: number): Promise<void> {
  for (;;) {
    const { rows } = await database.pool.query<{ n: number }>(sql)
    if ((rows[0]?.n ?? 0) >= wanted) return
    await sleep(100)
  }
}

/** The slowest of the pages that people look at, in ms: medians of so many loads. */
async function slowestPage(port: number, model: string): Promise<number> {
  const pages: number[] = []
  for (const path of ['/', `/models/${model}`, '/runs', '/incidents', '/registry']) {
    const times: number[] = []
    for (let load = -1; load < PAGE_LOADS; load++) {
      const begun = performance.now()
      const answer = await fetch(`http://127.0.0.1:${port}${path}`)
      await answer.text()
      if (answer.status !== 200) throw new Error(`expected ${path} to be there, got: ${answer.status}`)
      if (load >= 0) times.push(performance.now() - begun)
    }
    pages.push(median(times))
    console.error(`${path}: ${milliseconds(median(times))}`)
  }
  return Math.max(...pages)
}

/** Seconds from when each of some nights is due until a worker begins its features. */
async function startsOfDueNights(database: Database, root: string): Promise<number[]> {
  const names = Array.from({ length: DUE }, (_, index) => loadModel(models + index))
  const minute = new Date(Date.now() + 30_000).getUTCMinutes()
  writeHourly(
    root,
    names.map((model, index) => ({ model, minute: (minute + 1 + index) % 60 })),
  )
  const views = names.map(viewOf)
  await untilCounted(
    database,
    `select count(distinct r.name)::int as n from nightshift.runs r
      where r.kind = 'features' and r.started_at is not null and r.name in (${views.map((view) => `'${view}'`).join(', ')})`,
    DUE,
  )
  const { rows } = await database.pool.query<{ seconds: number }>(
    `select extract(epoch from min(r.started_at) - s.due)::float8 as seconds
       from nightshift.slots s join nightshift.runs r on r.slot = s.id
      where s.kind = 'features' and s.name = any($1) and r.started_at is not null group by s.id`,
    [views],
  )
  return rows.map((row) => row.seconds)
}

async function usedBy(url: string): Promise<number> {
  const client = new Redis(url)
  try {
    return Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1] ?? 0) / 1e6
  } finally {
    client.disconnect()
  }
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
