import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { openBuilding } from '../../../src/pipeline/dataset/building.ts'
import type { FeatureFacts } from '../../../src/pipeline/engine/facts.ts'
import { Failure } from '../../../src/pipeline/engine/failure.ts'
import type { FeatureRequest } from '../../../src/pipeline/features/compute-features.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { openMirror } from '../../../src/storage/mirror.ts'
import { openObjectStore } from '../../../src/storage/object-store.ts'
import { tryObjects } from '../../../src/storage/try-objects.ts'
import { type Children, openChildren } from '../../../src/workers/child/children.ts'
import { withObjects } from '../../../src/workers/objects/with-objects.ts'
import {
  type CaseView,
  duration,
  makeFolder,
  makeView,
  query,
  readRows,
  writeParquet,
} from '../../pipeline/feature-case.ts'
import { openStorage, refuse, type Storage } from './storage.ts'

const GB = { text: '1GB', bytes: 1e9, share: undefined }

let storage: Storage
let children: Children
const before = { ...process.env }

beforeAll(async () => {
  storage = await openStorage()
  Object.assign(process.env, storage.env)
  children = withObjects(openChildren({ places: 1 }), () => GB)
})
afterAll(async () => {
  await children?.close()
  await storage?.close()
  for (const key of Object.keys(storage.env)) {
    if (before[key] === undefined) delete process.env[key]
    else process.env[key] = before[key]
  }
})

let root: string
let prefix: string
let cases = 0
beforeEach(() => {
  root = makeFolder()
  prefix = `case${++cases}`
  storage.requests.length = 0
})
afterEach(() => {
  storage.fault = undefined
})

/** The bytes of a Parquet file with what a SELECT gives. */
async function parquet(sql: string): Promise<Uint8Array> {
  return readFileSync(await writeParquet(join(makeFolder(), 'a.parquet'), sql))
}

/** Calls of one day, with a wide column, so that a footer is a small part of the file. */
const calls = (day: string, rows = 2000) =>
  parquet(
    `SELECT range % 10 AS id, TIMESTAMP '${day} 12:00:00' AS at, sha256(range::VARCHAR) AS filler FROM range(${rows})`,
  )

const events: CaseView = {
  sql: 'SELECT id, count(*) AS n FROM calls GROUP BY id',
  sources: {},
}

function request(asOf: string, path = `s3://nights/${prefix}/**/*.parquet`): FeatureRequest {
  const out = join(root, `out-${asOf}`)
  mkdirSync(join(out, 'tmp'), { recursive: true })
  const view = makeView(root, {
    ...events,
    sources: { calls: { kind: 'events', path, event_time: 'at' } },
  })
  return {
    root,
    view,
    asOf: parseAsOf(asOf, 'UTC'),
    knownAt: new Date().toISOString(),
    timezone: 'UTC',
    out: join(out, 'features.parquet'),
    temp: join(out, 'tmp'),
    threads: 1,
    metadata: {},
  }
}

const night = (asOf: string, path?: string): Promise<FeatureFacts> =>
  children.run('features', request(asOf, path))

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.catch((thrown: unknown) => thrown)
  if (!(error instanceof Failure)) throw new Error(`expected a Failure, got: ${String(error)}`)
  return error
}

/** Keys that were fetched whole. */
const whole = () =>
  storage.requests.flatMap((line) => /^GET \/nights\/(\S+)\?x-id=GetObject$/.exec(line)?.[1] ?? [])

it('a night reads footers by their ranges, fetches what the cut admits, once, and names objects as its inputs', async () => {
  for (const day of ['2026-11-20', '2026-11-21', '2026-11-22'])
    await storage.put(`${prefix}/day=${day}/calls.parquet`, await calls(day))
  const facts = await night('2026-11-22')
  expect(facts.inputs.map(({ path, rows }) => [path, rows])).toEqual([
    [`s3://nights/${prefix}/day=2026-11-20/calls.parquet`, 2000],
    [`s3://nights/${prefix}/day=2026-11-21/calls.parquet`, 2000],
  ])
  expect((await readRows(facts.file.path)).slice(0, 2)).toEqual([
    { id: '0', n: '400' },
    { id: '1', n: '400' },
  ])
  const admitted = ['2026-11-20', '2026-11-21'].map((day) => `${prefix}/day%3D${day}/calls.parquet`)
  expect(whole().sort()).toEqual(admitted)
  expect(storage.requests.filter((line) => line.includes('bytes='))).toHaveLength(3)
  storage.requests.length = 0
  await night('2026-11-22')
  expect(storage.requests).toHaveLength(1)
  await night('2026-11-23')
  expect(whole()).toEqual([`${prefix}/day%3D2026-11-22/calls.parquet`])
})

it('an object that was written again is another input, and one that was removed is none', async () => {
  await storage.put(`${prefix}/a.parquet`, await calls('2026-11-20'))
  await storage.put(`${prefix}/b.parquet`, await calls('2026-11-20', 2000))
  const first = await night('2026-11-22')
  await storage.put(`${prefix}/a.parquet`, await calls('2026-11-19', 2000))
  await storage.remove(`${prefix}/b.parquet`)
  const second = await night('2026-11-22')
  expect(second.inputs.map(({ path }) => path)).toEqual([`s3://nights/${prefix}/a.parquet`])
  expect(second.inputs[0]?.modified).not.toBe(first.inputs[0]?.modified)
  const { asOf, view } = request('2026-11-22')
  const partitions = [{ asOf, viewHash: second.viewHash, inputs: first.inputs }]
  const stale = await children.run('staleness', { root, view, timezone: 'UTC', threads: 1, partitions })
  expect(stale[0]?.reason).toContain(`s3://nights/${prefix}/`)
})

it('an object that changes between listing and reading fails the attempt as transient', async () => {
  await storage.put(`${prefix}/a.parquet`, await calls('2026-11-20'))
  const mirror = openMirror(root, openObjectStore)
  await mirror.update(`s3://nights/${prefix}/*.parquet`, { maxAgeMs: 0, whole: false })
  await storage.put(`${prefix}/a.parquet`, await calls('2026-11-19'))
  const failure = await failureOf(mirror.fetch([`s3://nights/${prefix}/a.parquet`], { limitBytes: 1e9 }))
  expect([failure.failureClass, failure.message]).toEqual([
    'transient',
    `s3://nights/${prefix}/a.parquet changed while it was read: the run must be repeated`,
  ])
  storage.fault = (incoming, response) =>
    incoming.headers.range === undefined && incoming.url?.includes('GetObject') === true
      ? refuse(response, 412, 'PreconditionFailed')
      : false
  expect((await failureOf(night('2026-11-22'))).failureClass).toBe('transient')
  storage.fault = undefined
  expect((await night('2026-11-22')).file.rows).toBe(10)
})

it('bytes that do not arrive as they were stored are not used', async () => {
  await storage.put(`${prefix}/a.parquet`, await calls('2026-11-20'))
  const good = await calls('2026-11-20')
  storage.fault = (incoming, response) => {
    if (incoming.headers.range !== undefined || !incoming.url?.includes('GetObject')) return false
    const bad = Uint8Array.from(good)
    bad[1000] = (bad[1000] ?? 0) ^ 1
    response.writeHead(200, { 'content-length': bad.length })
    response.end(bad)
    return true
  }
  const failure = await failureOf(night('2026-11-22'))
  expect(failure.failureClass).toBe('transient')
  expect(failure.message).toContain('did not arrive as it was stored')
})

it("tasks of one process that need the same new objects at once do not get into each other's way", async () => {
  for (const name of ['a', 'b', 'c'])
    await storage.put(`${prefix}/${name}.parquet`, await calls('2026-11-20'))
  const path = `s3://nights/${prefix}/*.parquet`
  const mirror = openMirror(root, openObjectStore)
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      await mirror.update(path, { maxAgeMs: 0, whole: false })
      const release = await mirror.fetch(mirror.named(path), { limitBytes: 1e9 })
      release()
    }),
  )
  const local = `'${join(root, '.nightshift/objects/tree/nights', prefix)}/*.parquet'`
  expect(await query(`SELECT count(filler)::INTEGER AS n FROM read_parquet(${local})`)).toEqual([{ n: 6000 }])
})

it('a content that breaks off is fetched again', async () => {
  await storage.put(`${prefix}/a.parquet`, await calls('2026-11-20'))
  let broken = 0
  storage.fault = (incoming, response) => {
    if (incoming.headers.range !== undefined || !incoming.url?.includes('GetObject') || broken === 2)
      return false
    broken++
    response.writeHead(200, { 'content-length': 100_000 })
    response.write('PAR1', () => response.destroy())
    return true
  }
  expect((await night('2026-11-22')).file.rows).toBe(10)
  expect(broken).toBe(2)
})

it('a storage that asks for fewer requests is waited for', async () => {
  await storage.put(`${prefix}/a.parquet`, await calls('2026-11-20'))
  let refused = 0
  storage.fault = (_incoming, response) => ++refused <= 3 && refuse(response, 503, 'SlowDown')
  expect((await night('2026-11-22')).file.rows).toBe(10)
  expect(refused).toBeGreaterThan(3)
})

it.each([
  [403, 'AccessDenied', 'contract', 'grant s3:ListBucket on the bucket and s3:GetObject'],
  [400, 'ExpiredToken', 'transient', 'the credentials have expired: renew them'],
  [403, 'InvalidAccessKeyId', 'contract', 'correct AWS_ACCESS_KEY_ID'],
  [404, 'NoSuchBucket', 'contract', 'there is no such bucket'],
  [301, 'PermanentRedirect', 'contract', 'the bucket is in another region: set AWS_REGION'],
])('%i %s is of class %s and says what to do', async (status, code, failureClass, advice) => {
  storage.fault = (_incoming, response) => refuse(response, status, code, 'no')
  const failure = await failureOf(night('2026-11-22'))
  expect(failure.failureClass).toBe(failureClass)
  expect(failure.message).toContain(`source calls: s3://nights/${prefix}/ could not be listed (${code}: no)`)
  expect(failure.message).toContain(advice)
})

it('without an object the data is late, and the path is named as it was written', async () => {
  const failure = await failureOf(night('2026-11-22'))
  expect(failure.failureClass).toBe('late-data')
  expect(failure.message).toContain(`at s3://nights/${prefix}/**/*.parquet, got: none`)
})

it('text files are fetched whole and converted', async () => {
  await storage.put(`${prefix}/a.csv`, 'id,at\n1,2026-11-20\n1,2026-11-21\n2,2026-11-21\n')
  const given = request('2026-11-22')
  const calls = {
    kind: 'events' as const,
    path: `s3://nights/${prefix}/*.csv`,
    event_time: 'at',
    format: 'csv' as const,
    types: { id: 'BIGINT', at: 'TIMESTAMP' },
  }
  const view = { ...given.view, sources: { calls } }
  const facts = await children.run('features', { ...given, view })
  expect(await readRows(facts.file.path)).toEqual([
    { id: '1', n: '2' },
    { id: '2', n: '1' },
  ])
})

it('a training set that asks for the objects of one date after the other is made of all', async () => {
  for (const day of ['2026-11-18', '2026-11-19', '2026-11-20', '2026-11-21'])
    await storage.put(`${prefix}/day=${day}/calls.parquet`, await calls(day))
  const { view } = request('2026-11-21')
  const building = await openBuilding(join(root, 'datasets'))
  const { manifest } = await children.run('dataset', {
    root,
    model: 'churn',
    view,
    labels: {
      sql: 'SELECT id, count(*) > 200 AS label FROM calls GROUP BY id',
      sqlFile: join(root, 'labels.sql'),
      horizon: duration('1d'),
      lag: duration('0d'),
    },
    asOfs: ['2026-11-19', '2026-11-20'].map((label) => parseAsOf(label, 'UTC')),
    holdoutFrom: undefined,
    timezone: 'UTC',
    now: new Date().toISOString(),
    folder: join(root, 'datasets'),
    building: building.path,
    threads: 1,
    release: 'test',
  })
  expect(manifest.train.rows).toBe(20)
})

it('what a disk may hold of objects is bounded: the longest unused is given up, and its footer stays', async () => {
  for (const name of ['a', 'b']) await storage.put(`${prefix}/${name}.parquet`, await calls('2026-11-20'))
  const mirror = openMirror(root, openObjectStore)
  const path = `s3://nights/${prefix}/*.parquet`
  await mirror.update(path, { maxAgeMs: 0, whole: false })
  const files = join(root, '.nightshift/objects/files')
  const kinds = () => readdirSync(files).map((name) => (name.endsWith('.footer') ? 'footer' : 'whole'))
  const [a = '', b = ''] = mirror.named(path)
  const size = (await calls('2026-11-20')).length
  const limitBytes = Math.floor(size * 1.5)
  const release = await mirror.fetch([a], { limitBytes })
  expect(kinds().sort()).toEqual(['footer', 'whole'])
  const full = await failureOf(mirror.fetch([b], { limitBytes }))
  expect([full.failureClass, full.message]).toEqual(['resource', expect.stringContaining('raise objects in')])
  release()
  ;(await mirror.fetch([b], { limitBytes }))()
  expect(kinds().sort()).toEqual(['footer', 'whole'])
  const local = join(root, '.nightshift/objects/tree/nights', prefix, 'a.parquet')
  // What has been written again since is not brought back by giving up its former content.
  await storage.put(`${prefix}/b.parquet`, await calls('2026-11-19', 3000))
  await mirror.update(path, { maxAgeMs: 0, whole: false })
  ;(await mirror.fetch([a], { limitBytes }))()
  const other = local.replace('a.parquet', 'b.parquet')
  expect(await query(`SELECT num_rows::INTEGER AS n FROM parquet_file_metadata('${other}')`)).toEqual([
    { n: 3000 },
  ])
  expect(await query(`SELECT num_rows::INTEGER AS n FROM parquet_file_metadata('${local}')`)).toEqual([
    { n: 2000 },
  ])
})

it('100,000 objects are listed in pages of 1,000, and those that the path does not name are left alone', async () => {
  const page = (number: number) => {
    const keys = Array.from({ length: 1000 }, (_, index) => `${prefix}/${number}/${index}.txt`)
    const contents = keys.map(
      (key) =>
        `<Contents><Key>${key}</Key><Size>9</Size><ETag>"e"</ETag><LastModified>2026-11-20T00:00:00.000Z</LastModified></Contents>`,
    )
    const next = number < 99 ? `<NextContinuationToken>${number + 1}</NextContinuationToken>` : ''
    return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${number < 99}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`
  }
  storage.fault = (incoming, response) => {
    const token = new URL(incoming.url ?? '', 'http://s3').searchParams.get('continuation-token')
    response.writeHead(200, { 'content-type': 'application/xml' })
    response.end(page(Number(token ?? 0)))
    return true
  }
  const store = await openObjectStore()
  let objects = 0
  for await (const each of store.list('nights', `${prefix}/`)) objects += each.length
  expect([objects, storage.requests.length]).toEqual([100_000, 100])
  const mirror = openMirror(root, openObjectStore)
  let turns = 0
  const counting = setInterval(() => turns++, 1)
  await mirror.update(`s3://nights/${prefix}/**/*.parquet`, { maxAgeMs: 0, whole: false })
  clearInterval(counting)
  // The worker comes to other work between the pages.
  expect(turns).toBeGreaterThanOrEqual(100)
  expect(mirror.named(`s3://nights/${prefix}/**/*.parquet`)).toEqual([])
  expect(storage.requests).toHaveLength(200)
})

it('doctor lists and reads what sources name, and says which permission is missing', async () => {
  await storage.put(`${prefix}/a.parquet`, await calls('2026-11-20'))
  const path = `s3://nights/${prefix}/*.parquet`
  expect(await tryObjects([path])).toEqual([
    `s3://nights/${prefix}/ can be listed and read (${prefix}/a.parquet)`,
  ])
  storage.fault = (incoming, response) =>
    incoming.url?.includes('GetObject') === true && refuse(response, 403, 'AccessDenied', 'no')
  await expect(tryObjects([path])).rejects.toThrow(
    `s3://nights/${prefix}/a.parquet could not be read (AccessDenied: no): the credentials do not allow it: grant s3:ListBucket on the bucket and s3:GetObject on its objects`,
  )
  storage.fault = undefined
  await expect(tryObjects([`s3://nights/${prefix}/none/*`])).rejects.toThrow('no key begins with')
})
