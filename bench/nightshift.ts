import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { AS_OF, type BenchProject } from './data.ts'
import { MARK, processorSeconds } from './memory.ts'

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url))

export interface NightshiftResult {
  /** From the enqueueing of the features to the publication of the scores, as the ledger has it. */
  seconds: number
  /** User and system, of the worker, its children and PostgreSQL, while the command ran. */
  processor_seconds: number
  /** From the start of the command to its end. */
  command_seconds: number
  rows: number
  /** Absolute path of the published scores. */
  scores: string
  /** Steps of both runs with their seconds. */
  steps: Record<string, number>
}

export interface Nightshift {
  run(): Promise<NightshiftResult>
  close(): Promise<void>
}

/** A project with its model live and a worker running, warm after one run. `mark` is what its processes are known by. */
export async function openNightshift(project: BenchProject, mark: string): Promise<Nightshift> {
  const env = { ...process.env, [MARK]: mark }
  const version = await cli(project, env, 'register', 'scored', project.model, '--json')
  const number = String(field(version, 'version'))
  await cli(
    project,
    env,
    'promote',
    'scored',
    '--version',
    number,
    '--override',
    'benchmark',
    '--by',
    'bench',
    '--json',
  )
  const worker = spawn(process.execPath, [CLI, 'worker', '--project', project.root], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  // Its log is shown where something goes wrong, and only then.
  let log = ''
  worker.stderr?.on('data', (text: Buffer) => {
    log = (log + text.toString()).slice(-10_000)
  })
  const run = () =>
    timedRun(project, env, mark).catch((error: unknown) => {
      process.stderr.write(log)
      throw error
    })
  try {
    // A command would host a worker of its own while none has said that it lives.
    await sleep(3000)
    await run()
  } catch (error) {
    await stop(worker)
    throw error
  }
  return { run, close: () => stop(worker) }
}

/** Scheduler, worker and pages in one process, alive once this returns. */
export async function openUp(project: BenchProject): Promise<ChildProcess> {
  const up = spawn(process.execPath, [CLI, 'up', '--port', '0', '--project', project.root], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NIGHTSHIFT_LOG: 'error' },
  })
  // A command would host a worker of its own while none has said that it lives.
  await sleep(3000)
  return up
}

async function timedRun(
  project: BenchProject,
  env: NodeJS.ProcessEnv,
  mark: string,
): Promise<NightshiftResult> {
  const used = processorSeconds(mark)
  const begun = performance.now()
  const scores = await cli(project, env, 'run', 'scored', '--as-of', AS_OF, '--force', '--json')
  const command_seconds = (performance.now() - begun) / 1000
  const processor_seconds = processorSeconds(mark) - used
  const state = field(scores, 'state')
  if (state !== 'published')
    throw new Error(`expected the run to be published, got: ${JSON.stringify(scores)}`)
  const list = await cli(project, env, 'runs', 'activity', '--limit', '1', '--json')
  const newest: unknown = Array.isArray(list) ? list[0] : undefined
  const features = await cli(project, env, 'show', String(field(newest, 'run')), '--json')
  const seconds = (time(scores, 'ended_at') - time(features, 'created_at')) / 1000
  return {
    seconds,
    processor_seconds,
    command_seconds,
    rows: Number(field(scores, 'rows')),
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
