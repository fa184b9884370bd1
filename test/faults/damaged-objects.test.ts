import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { nightshift } from '../cli/nightshift.ts'
import { query } from '../pipeline/feature-case.ts'
import { writeParquet } from '../projects/generated.ts'
import { refuse } from '../workers/objects/storage.ts'
import { type BucketOfNights, copies, openBucketOfNights, stable, to } from './bucket-of-nights.ts'
import { record, secondsUntil } from './record.ts'

const EVENTS = 'data/events.parquet'
let nights: BucketOfNights
let folder: string

beforeAll(async () => {
  nights = await openBucketOfNights({ events: `s3://nights/${EVENTS}` })
  folder = mkdtempSync(join(tmpdir(), 'nightshift-test-'))
  await nights.storage.put(EVENTS, await eventsOf(1))
})
afterAll(async () => {
  await nights?.close()
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})
afterEach(() => {
  nights.storage.fault = undefined
  nights.storage.hasParts = false
})

/** Events whose amounts are all the same: files of two amounts have the same size. */
async function eventsOf(amount: number): Promise<Buffer> {
  const path = join(folder, `${amount}.parquet`)
  await writeParquet(
    path,
    `SELECT i AS customer_id, TIMESTAMP '2026-03-01 12:00:00' AS happened_at, ${amount}::DOUBLE AS amount FROM range(100) t(i)`,
  )
  return readFileSync(path)
}

async function attemptsOf(id: string): Promise<string[]> {
  const { rows } = await nights.database.database.pool.query<{ said: string }>(
    `select coalesce(outcome, 'at work') || coalesce(': ' || (failure->>'message'), '') as said from nightshift.attempts where run = $1 order by number`,
    [id],
  )
  return rows.map(({ said }) => said)
}

async function spendOf(label: string): Promise<unknown> {
  const { storage } = nights
  const path = join(folder, 'features.parquet')
  writeFileSync(path, (await storage.get(stable(label))) ?? '')
  return await query(`SELECT min(spend) AS least, max(spend) AS most, count(*)::INT AS n FROM '${path}'`)
}

test('status of a source that refuses says all but what is stale, and why', async () => {
  const { id, label } = await nights.ask()
  await nights.published(id)
  const { storage, root, database } = nights
  storage.fault = (_, response) => refuse(response, 403, 'InvalidAccessKeyId')
  const env = { ...storage.env, DATABASE_URL: database.url }
  const { code, stdout, stderr } = await nightshift(['status'], { project: root, env })
  expect(code, stderr).toBe(0)
  expect(stdout).toMatch(new RegExp(`${label} .*published`))
  expect(stderr).toContain('which nights are stale is not known: ')
  expect(stderr).toContain('correct AWS_ACCESS_KEY_ID')
})

test('what is stored otherwise than it was sent is not published', async () => {
  const { storage } = nights
  let spoilt = false
  storage.fault = (request, response) => {
    if (spoilt || request.method !== 'PUT' || copies(request) || !to(request, '.attempts')) return false
    spoilt = true
    const key = decodeURIComponent(request.url?.split('?')[0] ?? '').replace('/nights/', '')
    request.resume().once('end', async () => {
      await storage.put(key, 'something else')
      response.writeHead(200, { etag: '"0"' }).end()
    })
    return true
  }
  const { id, label } = await nights.ask()
  const seconds = await nights.published(id)
  expect(await attemptsOf(id)).toEqual([expect.stringMatching(/^failed: .*: wrote SHA-256 /), 'published'])
  expect(await nights.seen(label)).toBe(id)
  record({
    fault: 'the storage keeps other bytes than it was sent, once (warehouse in a bucket)',
    promise: 'it is noticed before anything is published',
    happened: 'read back, and tried again',
    seconds,
  })
})

test('what arrives otherwise than it was stored is not used', async () => {
  const { storage } = nights
  const { id, label } = await nights.ask()
  await nights.published(id)
  const stored = await storage.get(stable(label))
  if (stored === undefined) throw new Error('expected a published object')
  let damaged = 0
  storage.fault = (request, response) => {
    if (damaged > 0 || request.method !== 'GET' || !to(request, 'features')) return false
    damaged++
    const body = Buffer.from(stored)
    body[8] = (body[8] ?? 0) ^ 0xff
    response.writeHead(200, { 'content-length': body.length }).end(body)
    return true
  }
  // As on another machine.
  rmSync(join(nights.root, '.nightshift/objects/warehouse'), { recursive: true, force: true })
  const env = { ...storage.env, DATABASE_URL: nights.database.url }
  const replayed = await nightshift(['replay', id, '--json'], { project: nights.root, env })
  expect(replayed.code, replayed.stderr).toBe(0)
  expect(JSON.parse(replayed.stdout)).toMatchObject({ same: true, rows: 100 })
  expect(damaged).toBe(1)
})

test('a source that changes between its listing and its read is listed again', async () => {
  const { storage } = nights
  const other = await eventsOf(2)
  // Neither its size nor its hash tells the other object.
  expect(other.length).toBe((await eventsOf(1)).length)
  storage.hasParts = true
  let changed = false
  storage.fault = (request, _, letThrough) => {
    if (changed || request.method !== 'GET' || !request.url?.includes(EVENTS)) return false
    changed = true
    void storage.put(EVENTS, other).then(letThrough)
    return true
  }
  // Nobody has read it yet.
  rmSync(join(nights.root, '.nightshift/objects'), { recursive: true, force: true })
  const { id, label } = await nights.ask()
  const seconds = await nights.published(id)
  expect(await attemptsOf(id)).toEqual([expect.stringContaining('changed while it was read'), 'published'])
  expect(await spendOf(label)).toEqual([{ least: 2, most: 2, n: 100 }])
  record({
    fault: 'an object of a source is replaced between its listing and its read',
    promise: 'no night mixes what was listed with what is there now',
    happened: 'told by its ETag, and tried again',
    seconds,
  })
})

test('a worker that comes back late commits nothing', async () => {
  const { storage } = nights
  const late: (() => void)[] = []
  storage.fault = (request, _, letThrough) => {
    if (late.length === 2 || request.method !== 'GET' || !to(request, '.attempts')) return false
    // The first has sent its file and is stopped before its commit; the second waits there.
    if (late.length === 0) nights.worker().kill('SIGSTOP')
    late.push(letThrough)
    return true
  }
  const { id, label } = await nights.ask()
  await secondsUntil(async () => late.length === 1, { within: 60 })
  const stopped = nights.worker()
  const begun = performance.now()
  nights.hire()
  await secondsUntil(async () => late.length === 2, { within: 60 })
  late[0]?.()
  stopped.kill('SIGCONT')
  // The other is busy: who has nothing left to do with the first run takes the next one.
  const other = await nights.ask()
  await nights.published(other.id)
  expect(await attemptsOf(id)).toEqual([expect.stringContaining('lost'), 'at work'])
  late[1]?.()
  await nights.published(id)
  const seconds = (performance.now() - begun) / 1000
  expect(await attemptsOf(id)).toEqual([expect.stringContaining('lost'), 'published'])
  expect(await nights.runOf(id)).toMatchObject({ standings: 1 })
  expect(await nights.seen(label)).toBe(id)
  stopped.kill('SIGKILL')
  record({
    fault:
      'SIGSTOP of a worker past its lease, before its commit, while another is at work (warehouse in a bucket)',
    promise: 'its commit is refused',
    happened: 'published by the other worker',
    seconds,
  })
})
