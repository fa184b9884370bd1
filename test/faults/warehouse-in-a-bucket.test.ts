import { afterAll, beforeAll, expect, test } from 'vitest'
import { refuse, type Storage } from '../workers/objects/storage.ts'
import {
  type BucketOfNights,
  copies,
  openBucketOfNights,
  type Request,
  stable,
  to,
} from './bucket-of-nights.ts'
import { record, secondsUntil } from './record.ts'

const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
const TRIES = FULL ? Number(process.env.NIGHTSHIFT_FAULTS_TRIES ?? 10) : 1

let nights: BucketOfNights
let storage: Storage

beforeAll(async () => {
  nights = await openBucketOfNights()
  storage = nights.storage
})
afterAll(() => nights?.close())

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

/** Reads all the time until it is told to end. Returns the runs that were seen, in turn. */
function watch(label: string): { end(): Promise<(string | undefined)[]> } {
  let over = false
  const runs: (string | undefined)[] = []
  const reading = (async () => {
    while (!over) {
      const run = await nights.seen(label)
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
      nights.worker().kill('SIGKILL')
      if (arrives) letThrough()
      else response.destroy()
      return true
    }
    const { id, label } = await nights.ask()
    const watching = watch(label)
    await secondsUntil(async () => killed > 0, { within: 60 })
    nights.hire()
    await nights.published(id)
    const seconds = (performance.now() - killed) / 1000
    expect(await watching.end()).toEqual([undefined, id])
    expect(await nights.runOf(id)).toMatchObject({ standings: 1, attempts: happened === LOST ? 2 : 1 })
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
    nights.worker().kill('SIGSTOP')
    late = letThrough
    return true
  }
  const { id, label } = await nights.ask()
  await secondsUntil(async () => late !== undefined, { within: 60 })
  const stopped = nights.worker()
  const begun = performance.now()
  nights.hire()
  await nights.published(id)
  const seconds = (performance.now() - begun) / 1000
  const newer = await nights.ask(label)
  await nights.published(newer.id)
  const { length } = storage.requests
  late?.()
  stopped.kill('SIGCONT')
  // It goes on to look whose file is under the name.
  const looks = () => storage.requests.slice(length).filter((line) => line.includes('/features/activity/'))
  await secondsUntil(async () => looks().length > 0, { within: 60 })
  expect(await nights.seen(label)).toBe(newer.id)
  expect(await nights.runOf(id)).toMatchObject({ state: 'published', attempts: 1 })
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
  const { id, label } = await nights.ask()
  let told = ''
  await secondsUntil(
    async () => {
      const { rows } = await nights.database.database.pool.query<{ message: string }>(
        `select detail->'facts'->'failure'->>'message' as message from nightshift.incidents where closed_at is null`,
      )
      told = rows[0]?.message ?? ''
      return told !== ''
    },
    { within: 60 },
  )
  expect(told).toContain(`cannot be moved into place: s3://nights/${stable(label)} could not be copied`)
  expect(told).toContain('grant s3:GetObject and s3:PutObject on the objects of the warehouse')
  expect((await nights.runOf(id))?.state).toBe('publishing')
  storage.fault = undefined
  const seconds = await nights.published(id, 60)
  expect(await nights.seen(label)).toBe(id)
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
    const { id, label } = await nights.ask()
    await nights.published(id)
    const before = await storage.get(stable(label))
    await act(stable(label))
    const isBack = async () => (await storage.get(stable(label)))?.equals(before ?? Buffer.of()) === true
    const seconds = await secondsUntil(isBack, { within: 60 })
    expect((await nights.runOf(id))?.state).toBe('published')
    record({
      fault: `a published object is ${what} (warehouse in a bucket)`,
      promise: 'it is published again, whole, and a foreign one is kept',
      happened: 'published again from its second copy',
      seconds,
    })
  },
)
