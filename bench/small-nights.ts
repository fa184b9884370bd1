import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Database, openDatabase } from '../src/ledger/connection/database.ts'
import { removeDatabase } from '../src/ledger/server/remove-server.ts'
import { findVersion } from '../src/registry/version-records.ts'
import { hasRedis, startRedis } from '../test/jobs/redis-server.ts'
import type { LoopTask } from './bare-loop.ts'
import { AS_OF, type BenchProject, benchProject } from './data.ts'
import { median } from './figures.ts'
import { thisMachine } from './machine.ts'
import { MARK, processorSeconds } from './memory.ts'
import { checked, cli, field, goLive, openUp, stop, timedRun, untilWorking, type Warm } from './nightshift.ts'
import type { Measured } from './program.ts'
import { milliseconds, type Row, type Section, seconds, times, within } from './rows.ts'

/** As many as in the CDNOW data: nights in which the fixed costs are nearly all. */
const CUSTOMERS = 2357
const DAYS = 90
const SAMPLES = 15
const COMMAND = 'npm run bench -- --small'

/**
 * Nights of 2,357 customers in a warm `up`, on both queues: how long until a night starts and ends, a backfill beside the
 * bare loop over the same calls, and `run` of a night that is there already.
 */
export async function measureSmallNights(
  folder: string,
  { nights, say }: { nights: number; say: (text: string) => void },
): Promise<Section> {
  const machine = thisMachine()
  const rows: Row[] = []
  // Each day is a file, and a night reads all of them: one night is of a quarter, a backfill of years.
  const one = await benchProject(join(folder, 'small'), CUSTOMERS, { days: DAYS + 1 })
  const many = await benchProject(join(folder, 'small-many'), CUSTOMERS, { days: DAYS + nights })
  for (const queue of ['PostgreSQL', 'Redis'] as const) {
    if (queue === 'Redis' && !hasRedis) continue
    say(`${CUSTOMERS} customers: nights with the queue in ${queue}`)
    const redis = queue === 'Redis' ? await startRedis() : undefined
    try {
      const on = { queue, url: redis?.url ?? '', command: COMMAND }
      rows.push(
        ...(await inUp(one, on, (warm) => singleNights(warm, on, say))),
        await inUp(many, on, (warm) => backfill(warm, on, nights)),
      )
    } finally {
      await redis?.remove()
    }
  }
  return { machine, rows }
}

interface OnQueue {
  queue: string
  /** Of Redis; empty: PostgreSQL. */
  url: string
  command: string
}

const rowOf = ({ queue, command }: OnQueue, what: string) => ({
  what: `${what} (queue in ${queue})`,
  command,
})

/** In an `up` of its own, with its model live. */
async function inUp<T>(
  project: BenchProject,
  { queue, url }: OnQueue,
  measure: (warm: Warm) => Promise<T>,
): Promise<T> {
  const mark = `small-${queue}-${process.pid}`
  const env = { ...process.env, REDIS_URL: url, [MARK]: mark }
  // Each queue begins with an empty ledger: nights that replace others are compared with them.
  await removeDatabase(project.root)
  for (const part of ['warehouse', '.nightshift'])
    rmSync(join(project.root, part), { recursive: true, force: true })
  await goLive(project, env)
  const up = await openUp(project, env)
  let database: Database | undefined
  try {
    database = await openDatabase({ root: project.root, role: 'command' })
    await untilWorking(database)
    return await measure({ project, database, env, mark })
  } finally {
    await database?.close()
    await stop(up)
  }
}

async function singleNights(warm: Warm, on: OnQueue, say: (text: string) => void): Promise<Row[]> {
  const { project, database, env, mark } = warm
  const starts: number[] = []
  const whole: number[] = []
  const unchanged: number[] = []
  for (let sample = -2; sample < SAMPLES; sample++) {
    const night = await timedRun(warm)
    // A machine whose last night is still being checked is not at rest.
    await checked(database, night, mark)
    // The first ones warm up: compute processes, statements, code.
    if (sample < 0) continue
    const { steps } = night
    starts.push(steps['until features start'] ?? 0, steps['until scores start'] ?? 0)
    whole.push(night.seconds)
  }
  await sleep(3000)
  for (let sample = 0; sample < 7; sample++) {
    const begun = performance.now()
    await cli(project, env, 'run', 'scored', '--as-of', AS_OF, '--json')
    unchanged.push(performance.now() - begun)
  }
  const rows = [
    within(rowOf(on, 'from enqueueing a run to its start, median'), 1000 * median(starts), {
      most: 25,
      show: milliseconds,
    }),
    within(
      rowOf(on, `a night of 2,357 customers and ${DAYS} daily files, enqueue to published, median`),
      median(whole),
      { most: 0.35, show: seconds },
    ),
    within(
      rowOf(on, '`run` of an unchanged night, with the start of the command, median'),
      median(unchanged),
      { most: 500, show: milliseconds },
    ),
  ]
  say(rows.map(({ measured }) => measured).join(', '))
  return rows
}

async function backfill({ project, database, env, mark }: Warm, on: OnQueue, nights: number): Promise<Row> {
  const labels = Array.from({ length: nights }, (_, back) =>
    new Date(Date.parse(AS_OF) - (nights - 1 - back) * 86_400_000).toISOString().slice(0, 10),
  )
  const bare = await bareLoop(project, database, labels)
  const [used, begun] = [processorSeconds(mark), performance.now()]
  const [from, to] = [labels.at(0) ?? '', labels.at(-1) ?? '']
  const made = await cli(
    project,
    env,
    'backfill',
    'scored',
    '--from',
    from,
    '--to',
    to,
    '--all',
    '--yes',
    '--json',
  )
  const wall = (performance.now() - begun) / 1000
  const processor = processorSeconds(mark) - used
  if (field(made, 'published') !== nights)
    throw new Error(`expected ${nights} nights to be published, got: ${JSON.stringify(made).slice(0, 2000)}`)
  const ratio = wall / bare.seconds
  const { most, show } = { most: 1.5, show: times }
  const measured = `${seconds(wall)} (processor ${seconds(processor)}); bare loop ${seconds(bare.seconds)} (processor ${seconds(bare.processor_seconds)}): ${times(ratio)}`
  return {
    ...within(rowOf(on, `a backfill of ${nights} nights, with a daily file for each`), ratio, { most, show }),
    measured,
  }
}

async function bareLoop({ root }: BenchProject, database: Database, nights: string[]): Promise<Measured> {
  const version = await findVersion(database.pool, 'scored', 1)
  if (version === undefined) throw new Error('expected version 1 to be registered')
  const task: LoopTask = {
    root,
    nights,
    model: join(root, 'warehouse', version.file),
    mapping: version.mapping,
    out: join(root, 'loop'),
  }
  const program = fileURLToPath(new URL('./bare-loop.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import',
    'tsx',
    program,
    JSON.stringify(task),
  ])
  return JSON.parse(stdout)
}
