import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { requestFeatures } from '../../src/jobs/request-run.ts'
import { readRunId } from '../../src/pipeline/partition/footer.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { ended, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { openStorage, refuse, type Storage } from '../workers/objects/storage.ts'
import { record, secondsUntil } from './record.ts'

const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
const TRIES = FULL ? Number(process.env.NIGHTSHIFT_FAULTS_TRIES ?? 10) : 1

let storage: Storage
let database: FreshDatabase
let project: TemporaryProject
let reader: string
let night = Temporal.PlainDate.from('2026-03-02')
let worker: ReturnType<typeof start>

beforeAll(async () => {
  storage = await openStorage()
  database = await freshDatabase()
  project = await generatedProject({ customers: 100 })
  reader = mkdtempSync(join(tmpdir(), 'nightshift-test-'))
  await project.write(
    'nightshift.yaml',
    `project: generated
timezone: UTC
warehouse: s3://nights/results
alerts: { from: nightshift@example.com, base_url: "http://localhost:8080", group: 1s }
`,
  )
  hire()
})
afterAll(async () => {
  worker?.kill('SIGKILL')
  await project?.remove()
  await database?.drop()
  await storage?.close()
  rmSync(reader, { recursive: true, force: true })
})

function hire(): void {
  const env = { ...storage.env, DATABASE_URL: database.url }
  worker = start(['worker', '--places', '1'], { project: project.root, env })
  void ended(worker)
}

/** The first request of the work on a run that a step is recognised by. */
type Request = Pick<IncomingMessage, 'method' | 'url' | 'headers'>
const copies = ({ headers }: Request) => headers['x-amz-copy-source'] !== undefined
const to = ({ url = '' }: Request, folder: string) => url.startsWith(`/nights/results/${folder}/`)

interface Step {
  name: string
  is(request: Request): boolean
  /** Whether the request reaches the storage; its answer reaches nobody. */
  arrives: boolean
  happened: string
  /** In CI, too. */
  short: boolean
}

const LOST = 'lost, then published by the next attempt'
const FINISHED = 'published by the next worker'
const STEPS: Step[] = [
  {
    name: 'while it uploads',
    is: (request) => request.method === 'PUT' && !copies(request) && to(request, '.attempts'),
    arrives: false,
    happened: LOST,
    short: false,
  },
  {
    name: 'between upload and commit',
    is: (request) => request.method === 'GET' && to(request, '.attempts'),
    arrives: true,
    happened: LOST,
    short: false,
  },
  {
    name: 'between commit and copy',
    is: (request) => copies(request) && to(request, 'features'),
    arrives: false,
    happened: FINISHED,
    short: true,
  },
  {
    name: 'between copy and removal',
    is: (request) => request.method === 'DELETE' && to(request, '.attempts'),
    arrives: false,
    happened: FINISHED,
    short: true,
  },
  {
    name: 'between removal and the second copy',
    is: (request) => copies(request) && to(request, '.published'),
    arrives: false,
    happened: FINISHED,
    short: false,
  },
]

async function ask(label = next()): Promise<{ id: string; label: string }> {
  const id = `${label.replaceAll('-', '')}N${Math.random().toString(36).slice(2, 6)}`
  await requestFeatures(database.database, 'activity', parseAsOf(label, 'UTC'), {
    id,
    trigger: 'manual',
    forced: true,
    settings: { attempts: 3, backoff_ms: 0, timeout_ms: 60_000, wait_until: null },
  })
  return { id, label }
}

function next(): string {
  const label = night.toString()
  night = night.add({ days: 1 })
  return label
}

async function runOf(id: string) {
  const { rows } = await database.database.pool.query<{ state: string; attempts: number; standings: number }>(
    `select state, (select count(*)::int from nightshift.attempts a where a.run = r.id) as attempts,
            (select count(*)::int from nightshift.standings t where t.run = r.id) as standings
       from nightshift.runs r where id = $1`,
    [id],
  )
  return rows[0]
}

const published = (id: string, within = 120) =>
  secondsUntil(async () => (await runOf(id))?.state === 'published', { within })

const stable = (label: string) => `results/features/activity/as_of=${label}/features.parquet`

/** The run of the whole file that a reader gets who knows the storage alone; undefined: there is none. */
async function seen(label: string): Promise<string | undefined> {
  const body = await storage.get(stable(label))
  if (body === undefined) return undefined
  const path = join(reader, 'read.parquet')
  writeFileSync(path, body)
  const run = await readRunId(path)
  if (run === undefined) throw new Error(`${stable(label)} is no whole file: ${body.length} bytes`)
  return run
}

/** Reads all the time until it is told to end. Returns the runs that were seen, in turn. */
function watch(label: string): { end(): Promise<(string | undefined)[]> } {
  let over = false
  const runs: (string | undefined)[] = []
  const reading = (async () => {
    while (!over) {
      const run = await seen(label)
      if (runs.length === 0 || runs.at(-1) !== run) runs.push(run)
      await new Promise((again) => setTimeout(again, FULL ? 20 : 100))
    }
  })()
  // Thrown where it is awaited.
  reading.catch(() => {})
  return {
    async end() {
      over = true
      await reading
      return runs
    },
  }
}

test.each(STEPS.filter(({ short }) => FULL || short).flatMap((step) => Array(TRIES).fill(step)))(
  'a worker that is killed $name publishes once or not at all, and another finishes',
  async ({ name, is, arrives, happened }: Step) => {
    let killed = 0
    storage.fault = (request, response, letThrough) => {
      if (killed > 0 || !is(request)) return false
      killed = performance.now()
      worker.kill('SIGKILL')
      if (arrives) letThrough()
      else response.destroy()
      return true
    }
    const { id, label } = await ask()
    const watching = watch(label)
    await secondsUntil(async () => killed > 0, { within: 60 })
    hire()
    await published(id)
    const seconds = (performance.now() - killed) / 1000
    expect(await watching.end()).toEqual([undefined, id])
    expect(await runOf(id)).toMatchObject({ standings: 1, attempts: happened === LOST ? 2 : 1 })
    const keys = await storage.keys('results/')
    expect(keys.filter((key) => key.includes(id))).toEqual([`results/.published/${id}.parquet`])
    record({
      fault: `kill -9 of a worker ${name} (warehouse in a bucket)`,
      promise: 'published once and whole; readers of the bucket see the old partition or the new one',
      happened,
      seconds,
    })
  },
)

test('a copy that arrives late, from a worker that was taken for lost, replaces nothing', async () => {
  let late: (() => void) | undefined
  storage.fault = (request, _, letThrough) => {
    if (late !== undefined || !copies(request) || !to(request, 'features')) return false
    worker.kill('SIGSTOP')
    late = letThrough
    return true
  }
  const { id, label } = await ask()
  await secondsUntil(async () => late !== undefined, { within: 60 })
  const stopped = worker
  const begun = performance.now()
  hire()
  await published(id)
  const seconds = (performance.now() - begun) / 1000
  const newer = await ask(label)
  await published(newer.id)
  const { length } = storage.requests
  late?.()
  stopped.kill('SIGCONT')
  // It goes on to look whose file is under the name.
  const looks = () => storage.requests.slice(length).filter((line) => line.includes('/features/activity/'))
  await secondsUntil(async () => looks().length > 0, { within: 60 })
  expect(await seen(label)).toBe(newer.id)
  expect(await runOf(id)).toMatchObject({ state: 'published', attempts: 1 })
  stopped.kill('SIGKILL')
  record({
    fault:
      'SIGSTOP of a worker past its lease, and its copy reaches the storage after a newer run (warehouse in a bucket)',
    promise: 'another worker publishes; what comes late finds its object gone',
    happened: 'published by another worker; nothing was changed',
    seconds,
  })
})

test('a partition that may not be copied is told with the permission, and is published once it may', async () => {
  storage.fault = (request, response) =>
    copies(request) && to(request, 'features') && refuse(response, 403, 'AccessDenied')
  const { id, label } = await ask()
  let told = ''
  await secondsUntil(
    async () => {
      const { rows } = await database.database.pool.query<{ message: string }>(
        `select detail->'facts'->'failure'->>'message' as message from nightshift.incidents where closed_at is null`,
      )
      told = rows[0]?.message ?? ''
      return told !== ''
    },
    { within: 60 },
  )
  expect(told).toContain(`could not be published as s3://nights/${stable(label)}`)
  expect(told).toContain('grant s3:GetObject and s3:PutObject on the objects of the warehouse')
  expect((await runOf(id))?.state).toBe('publishing')
  storage.fault = undefined
  const seconds = await published(id, 60)
  expect(await seen(label)).toBe(id)
  record({
    fault: 'the storage refuses the copy to the stable key (warehouse in a bucket)',
    promise: 'an incident names object and permission; published within 30 s of its end',
    happened: 'told, published by itself',
    seconds,
  })
})

/** What somebody does to a published object. */
const HARMS = [
  { what: 'removed', act: (key: string) => storage.remove(key) },
  { what: 'replaced', act: (key: string) => storage.put(key, 'something else') },
  {
    what: 'cut short',
    act: async (key: string) => storage.put(key, ((await storage.get(key)) ?? Buffer.of()).subarray(0, 100)),
  },
]
test.each(HARMS.slice(0, FULL ? HARMS.length : 1))(
  'an object that somebody has $what is published again from its second copy',
  async ({ what, act }) => {
    const { id, label } = await ask()
    await published(id)
    const before = await storage.get(stable(label))
    await act(stable(label))
    const isBack = async () => (await storage.get(stable(label)))?.equals(before ?? Buffer.of()) === true
    const seconds = await secondsUntil(isBack, { within: 60 })
    expect((await runOf(id))?.state).toBe('published')
    record({
      fault: `a published object is ${what} (warehouse in a bucket)`,
      promise: 'it is published again, whole, and a foreign one is kept',
      happened: 'published again from its second copy',
      seconds,
    })
  },
)
