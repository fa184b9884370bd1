import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { ensureSlot } from '../../../src/ledger/nights/ensure-slot.ts'
import { attemptsOf, findRun } from '../../../src/ledger/nights/run-records.ts'
import { createRun } from '../../../src/ledger/nights/run-transitions.ts'
import { shardsOf } from '../../../src/ledger/shards/split-records.ts'
import { livingWorkers } from '../../../src/ledger/workers/living-workers.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { ended, start } from '../../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { divisibleProject, viewFile } from '../../projects/divisible.ts'
import { writeParquet } from '../../projects/generated.ts'
import { openStorage, type Storage } from '../objects/storage.ts'

const AS_OF = '2026-03-02'
const KEY = 'results/features/activity/as_of=2026-03-02/features.parquet'
const BUCKETS = 4

/** Two checkouts at different paths, whose sources and results lie in a bucket. */
let storage: Storage
let fresh: FreshDatabase
let project: TemporaryProject
let second: string
const workers: ReturnType<typeof start>[] = []

beforeAll(async () => {
  storage = await openStorage()
  fresh = await freshDatabase()
  project = await divisibleProject({ customers: 8 })
  await project.write(
    'nightshift.yaml',
    'project: generated\ntimezone: UTC\nwarehouse: s3://nights/results\nalerts: { from: nightshift@example.com, base_url: "http://localhost:8080" }\n',
  )
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    // Large enough not to come whole with their footers.
    const path = join(project.root, `bucket-${bucket}.parquet`)
    await writeParquet(
      path,
      `SELECT i AS customer_id, TIMESTAMP '2026-03-01 12:00:00' AS happened_at, (hash(i) % 8)::DOUBLE AS amount, md5(i::VARCHAR) AS note FROM range(12000) t(i) WHERE i % ${BUCKETS} = ${bucket}`,
    )
    await storage.put(`lake/bucket=${bucket}/events.parquet`, readFileSync(path))
  }
  await write(1)
  second = `${project.root}-second`
  // Of a file on disk the time counts: a copy of another time is another file to the shards.
  cpSync(project.root, second, { recursive: true, preserveTimestamps: true })
})
afterAll(async () => {
  const over = workers.map(ended)
  for (const worker of workers) worker.kill('SIGTERM')
  await Promise.all(over)
  if (second !== undefined) rmSync(second, { recursive: true, force: true })
  await project?.remove()
  await fresh?.drop()
  await storage?.close()
})

async function write(shards: number): Promise<void> {
  const text = viewFile({ shards }).replace('data/events/', 's3://nights/lake/')
  await project.write('features/activity/view.yaml', text)
  if (second !== undefined)
    cpSync(join(project.root, 'features/activity/view.yaml'), join(second, 'features/activity/view.yaml'))
}

async function hire(root: string, count: number): Promise<void> {
  const env = { ...storage.env, DATABASE_URL: fresh.url }
  workers.push(start(['worker', '--places', '1'], { project: root, env }))
  for (let tries = 0; tries < 300; tries++) {
    if ((await livingWorkers(fresh.database.pool)).length === count) return
    await sleep(100)
  }
  throw new Error('the workers did not come')
}

/** The published file, without the instant of its reading. */
async function compute(id: string): Promise<string> {
  await transaction(fresh.database, async (client) => {
    const slot = await ensureSlot(client, 'features', 'activity', parseAsOf(AS_OF, 'UTC'), { anew: true })
    const settings = { attempts: 1, backoff_ms: 0, timeout_ms: 120_000, wait_until: null }
    return createRun(client, slot, { id, trigger: 'manual', forced: true, settings })
  })
  for (;;) {
    const run = await findRun(fresh.database.pool, id)
    if (run?.state === 'failed' || run?.state === 'held') throw new Error(JSON.stringify(run.failure))
    if (run?.state === 'published') break
    await sleep(100)
  }
  const found = await storage.get(KEY)
  if (found === undefined) throw new Error('nothing is published')
  return found
    .toString('latin1')
    .replaceAll(id, 'N')
    .replace(/known_at.{28}/s, '')
}

// Starts two workers with an S3 server.
test('two machines fetch the objects of their own buckets, and the file is that of one attempt', async () => {
  await hire(project.root, 1)
  const whole = await compute('Nwhole')
  await write(2)
  // Another machine at another path, which has fetched nothing yet.
  await hire(second, 2)
  // Workers read the files again after a second.
  await sleep(1_500)
  storage.requests.splice(0)
  const joined = await compute('Nparts')
  const shards = await shardsOf(fresh.database.pool, 'Nparts')
  expect(shards.map(({ state, buckets }) => ({ state, buckets }))).toEqual([
    { state: 'done', buckets: ['0', '1'] },
    { state: 'done', buckets: ['2', '3'] },
  ])
  expect(joined === whole).toBe(true)
  // The first machine has them all from before. The second reads all footers and fetches what it computes.
  const fetched = storage.requests.filter((line) =>
    /^GET \/nights\/lake\/bucket%3D\d|^GET \/nights\/lake\/bucket=\d/.test(line),
  )
  const wholeObjects = fetched.filter((line) => !line.includes('bytes='))
  const [alone] = await attemptsOf(fresh.database.pool, 'Nwhole')
  const own = shards.filter(({ worker }) => worker !== alone?.worker).length
  expect(new Set(wholeObjects).size).toBe(2 * own)
  expect(await storage.keys('results/.attempts/')).toEqual([])
}, 120_000)
