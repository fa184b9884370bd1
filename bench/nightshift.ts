import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Database, openDatabase } from '../src/ledger/connection/database.ts'
import { listen } from '../src/ledger/connection/notifications.ts'
import { workerAlive } from '../src/ledger/nights/alive.ts'
import { AS_OF, type BenchProject } from './data.ts'
import { MARK, processorSeconds } from './memory.ts'

export const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url))

export interface NightshiftResult {
  /** From the enqueueing of the features to the publication of the scores, as the ledger has it. */
  seconds: number
  /** User and system, of the worker, its children and PostgreSQL, while the command ran. */
  processor_seconds: number
  /** From the start of the command to its end. */
  command_seconds: number
  rows: number
  /** Of all processes, when the scores were published: what comes after belongs to the checks. */
  used_until_published: number
  /** Runs of the features and of the scores. */
  runs: { features: string; scores: string }
  /** Absolute path of the published scores. */
  scores: string
  /** Steps of both runs with their seconds. */
  steps: Record<string, number>
}

/** What follows a night: parity, profile, drift. */
export interface Monitors {
  /** From the publication until all of them are recorded. */
  seconds: number
  processor_seconds: number
}

export interface Nightshift {
  run(): Promise<NightshiftResult>
  /** Waits for the checks of a night that has just ended. */
  checked(night: NightshiftResult): Promise<Monitors>
  close(): Promise<void>
}

/** Registers the project's model and makes it live, without the gate. */
export async function goLive(project: BenchProject, env: NodeJS.ProcessEnv): Promise<void> {
  const version = await cli(project, env, 'register', 'scored', project.model, '--json')
  const number = String(field(version, 'version'))
  const why = ['--override', 'benchmark', '--by', 'bench']
  await cli(project, env, 'promote', 'scored', '--version', number, ...why, '--json')
}

/** A project with its model live and a worker running, warm after one run. `mark` is what its processes are known by. */
export async function openNightshift(project: BenchProject, mark: string): Promise<Nightshift> {
  const env = { ...process.env, [MARK]: mark }
  await goLive(project, env)
  const worker = spawn(process.execPath, [CLI, 'worker', '--project', project.root], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  // Its log is shown where something goes wrong, and only then.
  let log = ''
  worker.stderr?.on('data', (text: Buffer) => {
    log = (log + text.toString()).slice(-10_000)
  })
  const run = (database: Database) =>
    timedRun({ project, database, env, mark }).catch((error: unknown) => {
      process.stderr.write(log)
      throw error
    })
  let database: Database | undefined
  const close = async () => {
    await database?.close()
    await stop(worker)
  }
  try {
    const opened = await openDatabase({ root: project.root, role: 'command' })
    database = opened
    await untilWorking(opened)
    await checked(opened, await run(opened), mark)
    return { run: () => run(opened), checked: (night) => checked(opened, night, mark), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** A command would host a worker of its own while none has said that it lives. */
export async function untilWorking(database: Database): Promise<void> {
  while (!(await workerAlive(database))) await sleep(50)
}

/** Waits until what follows a night, parity and profile, is recorded. */
export async function checked(database: Database, night: NightshiftResult, mark: string): Promise<Monitors> {
  for (;;) {
    const { rows } = await database.pool.query<{ seconds: number }>(
      `select extract(epoch from greatest(p.at, c.checked_at) - r.ended_at)::float8 as seconds
         from nightshift.profiles p join nightshift.runs r on r.id = p.run, nightshift.certificates c
        where p.run = $1 and c.run = $2 and c.against = 'recomputed'`,
      [night.runs.scores, night.runs.features],
    )
    const [found] = rows
    if (found !== undefined)
      return { ...found, processor_seconds: processorSeconds(mark) - night.used_until_published }
    await sleep(200)
  }
}

/** Scheduler, worker and pages in one process, alive once this returns. */
export async function openUp(
  project: Pick<BenchProject, 'root'>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ChildProcess> {
  const up = spawn(process.execPath, [CLI, 'up', '--port', '0', '--project', project.root], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...env, NIGHTSHIFT_LOG: 'error' },
  })
  // A command would host a worker of its own while none has said that it lives.
  await sleep(3000)
  return up
}

/** What a night is run in. */
export interface Warm {
  project: BenchProject
  database: Database
  env: NodeJS.ProcessEnv
  mark: string
}

/**
 * Reads the processor seconds once a newer run of the scores is published: the checks of the night begin at once. Looks
 * when the ledger tells of a change: to ask again and again would take a part of what is measured.
 */
async function usedUntilPublished(database: Database, mark: string, over: AbortSignal): Promise<number> {
  const newest = async () => {
    const { rows } = await database.pool.query<{ published_run: string }>(
      "select published_run from nightshift.slots where kind = 'scores' and name = 'scored' and partition = $1",
      [AS_OF],
    )
    return rows[0]?.published_run
  }
  const before = await newest()
  let stopListening: (() => Promise<void>) | undefined
  const used = new Promise<number>((resolve, reject) => {
    over.addEventListener('abort', () => resolve(processorSeconds(mark)))
    const look = async () => {
      if ((await newest()) !== before) resolve(processorSeconds(mark))
    }
    listen(database, () => void look().catch(reject)).then((stop) => {
      stopListening = stop
    }, reject)
  })
  return await used.finally(() => stopListening?.())
}

/** One forced night of a project whose worker is running. */
export async function timedRun({ project, database, env, mark }: Warm): Promise<NightshiftResult> {
  const used = processorSeconds(mark)
  const begun = performance.now()
  const over = new AbortController()
  const published = usedUntilPublished(database, mark, over.signal)
  const scores = await cli(project, env, 'run', 'scored', '--as-of', AS_OF, '--force', '--json').finally(() =>
    over.abort(),
  )
  const command_seconds = (performance.now() - begun) / 1000
  const used_until_published = await published
  const state = field(scores, 'state')
  if (state !== 'published')
    throw new Error(`expected the run to be published, got: ${JSON.stringify(scores)}`)
  const list = await cli(project, env, 'runs', 'activity', '--limit', '1', '--json')
  const newest: unknown = Array.isArray(list) ? list[0] : undefined
  const features = await cli(project, env, 'show', String(field(newest, 'run')), '--json')
  const seconds = (time(scores, 'ended_at') - time(features, 'created_at')) / 1000
  return {
    seconds,
    processor_seconds: used_until_published - used,
    used_until_published,
    command_seconds,
    rows: Number(field(scores, 'rows')),
    runs: { features: String(field(features, 'run')), scores: String(field(scores, 'run')) },
    scores: join(project.root, String(field(scores, 'path'))),
    steps: {
      'until features start': (time(features, 'started_at') - time(features, 'created_at')) / 1000,
      ...steps('features', features),
      'until scores start': (time(scores, 'started_at') - time(features, 'ended_at')) / 1000,
      ...steps('scores', scores),
    },
  }
}

function steps(kind: string, record: unknown): Record<string, number> {
  const tries = field(record, 'tries')
  const last: unknown = Array.isArray(tries) ? tries.at(-1) : undefined
  const list = field(last, 'steps')
  if (!Array.isArray(list)) return {}
  return Object.fromEntries(
    list.map((step) => [`${kind}: ${field(step, 'step')}`, Number(field(step, 'ms')) / 1000]),
  )
}

/** What a command prints as JSON. Throws where it does not end with 0. */
export async function cli(
  project: BenchProject,
  env: NodeJS.ProcessEnv,
  ...args: string[]
): Promise<unknown> {
  const command = [CLI, ...args, '--project', project.root]
  const { stdout } = await promisify(execFile)(process.execPath, command, { env, maxBuffer: 1 << 26 })
  return JSON.parse(stdout)
}

export function field(record: unknown, name: string): unknown {
  return typeof record === 'object' && record !== null ? Reflect.get(record, name) : undefined
}

function time(record: unknown, name: string): number {
  const value = Date.parse(String(field(record, name)))
  if (Number.isNaN(value)) throw new Error(`expected ${name} to be a time, got: ${field(record, name)}`)
  return value
}

export async function stop(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return
  const ended = once(worker, 'exit')
  worker.kill('SIGTERM')
  const late = setTimeout(() => worker.kill('SIGKILL'), 20_000)
  await ended
  clearTimeout(late)
}
