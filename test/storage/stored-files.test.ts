import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { Failure } from '../../src/pipeline/engine/failure.ts'
import { attemptFolder, partitionPath } from '../../src/pipeline/partition/partition-files.ts'
import { placeOf, warehouseFolder } from '../../src/project/object-path.ts'
import { openObjectStore } from '../../src/storage/object-store.ts'
import { lookAtPublished, pinPublished, stampOf } from '../../src/storage/published-file.ts'
import { tryWarehouse } from '../../src/storage/try-objects.ts'
import { fetchFile, trimCopies } from '../../src/storage/warehouse-copy.ts'
import {
  hasFiles,
  keepSecond,
  placeAttempt,
  placeNew,
  removeAttempts,
  sendFile,
  sweepAttempts,
} from '../../src/storage/warehouse-files.ts'
import { makeFolder } from '../pipeline/feature-case.ts'
import { openStorage, refuse, type Storage } from '../workers/objects/storage.ts'
import { inEnvironment } from './in-environment.ts'

let storage: Storage
let leave: () => void
beforeAll(async () => {
  storage = await openStorage()
  leave = inEnvironment(storage.env)
})
afterAll(async () => {
  leave?.()
  await storage?.close()
})

let warehouse: string
let prefix: string
let cases = 0
beforeEach(() => {
  prefix = `case${++cases}`
  warehouse = machine()
  storage.requests.length = 0
})
afterEach(() => {
  storage.fault = undefined
})

/** The warehouse as another machine sees it. */
const machine = () => warehouseFolder(makeFolder(), `s3://nights/${prefix}`)

const SCORES = ['scores', 'churn', '2026-11-22'] as const
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

function write(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}

const attemptFile = (attempt: string, text: string) =>
  write(join(attemptFolder(warehouse, attempt), 'scores.parquet'), text)

async function publish(attempt: string, text: string): Promise<boolean> {
  await sendFile(attemptFile(attempt, text))
  return await placeAttempt(attemptFolder(warehouse, attempt), partitionPath(warehouse, ...SCORES))
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.catch((thrown: unknown) => thrown)
  if (!(error instanceof Failure)) throw new Error(`expected a Failure, got: ${String(error)}`)
  return error
}

const keys = async () => {
  const store = await openObjectStore()
  const found: string[] = []
  for await (const page of store.list('nights', `${prefix}/`))
    found.push(...page.map(({ key }) => key.slice(prefix.length + 1)))
  return found
}

it('what one machine places, another reads whole, and again only when it is another file', async () => {
  expect(await publish('r1-a1', 'first')).toBe(true)
  expect(await keys()).toEqual(['scores/churn/as_of=2026-11-22/scores.parquet'])
  const other = partitionPath(machine(), ...SCORES).file
  const read = async () => readFileSync(await fetchFile(other), 'utf8')
  expect(await read()).toBe('first')
  storage.requests.length = 0
  expect(await read()).toBe('first')
  expect(storage.requests.map((line) => line.split(' ')[0])).toEqual(['HEAD'])
  await publish('r2-a1', 'other')
  expect(await read()).toBe('other')
  await storage.remove(`${prefix}/scores/churn/as_of=2026-11-22/scores.parquet`)
  expect(existsSync(await fetchFile(other))).toBe(false)
})

it('who placed a file does not fetch it', async () => {
  await publish('r1-a1', 'first')
  storage.requests.length = 0
  expect(readFileSync(await fetchFile(partitionPath(warehouse, ...SCORES).file), 'utf8')).toBe('first')
  expect(storage.requests.filter((line) => line.startsWith('GET'))).toEqual([])
})

it('a zombie finds its object gone, and what it sends again changes nothing that readers see', async () => {
  await sendFile(attemptFile('r1-a1', 'zombie'))
  await removeAttempts(warehouse, ['r1-a1', 'never-was'])
  await publish('r1-a2', 'new')
  attemptFile('r1-a1', 'zombie')
  expect(await placeAttempt(attemptFolder(warehouse, 'r1-a1'), partitionPath(warehouse, ...SCORES))).toBe(
    false,
  )
  await sendFile(attemptFile('r1-a1', 'zombie'))
  expect(readFileSync(await fetchFile(partitionPath(warehouse, ...SCORES).file), 'utf8')).toBe('new')
  const swept = { alive: new Set(['r2-a1']), now: Date.now() + 3_600_000, olderThanMs: 60_000 }
  await sendFile(attemptFile('r2-a1', 'at work'))
  expect(await sweepAttempts(warehouse, { ...swept, now: Date.now() })).toEqual([])
  expect(await sweepAttempts(warehouse, swept)).toEqual(['r1-a1'])
  expect(await keys()).toContain('.attempts/r2-a1/scores.parquet')
})

/** From now on listings have pages of so many objects. */
function inPages(size: number): void {
  storage.fault = (incoming, response) => {
    const { searchParams } = new URL(incoming.url ?? '', 'http://s3')
    if (!searchParams.has('list-type')) return false
    void storage.keys(searchParams.get('prefix') ?? '').then((all) => {
      const left = all.filter((key) => key > (searchParams.get('continuation-token') ?? ''))
      const page = left.slice(0, size)
      const more = left.length > size
      const contents = page.map(
        (key) =>
          `<Contents><Key>${key}</Key><Size>1</Size><ETag>"e"</ETag><LastModified>2026-11-20T00:00:00.000Z</LastModified></Contents>`,
      )
      const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
      response.writeHead(200, { 'content-type': 'application/xml' })
      response.end(
        `<?xml version="1.0"?><ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
      )
    })
    return true
  }
}

it('what is swept, or removed with its attempt, may be more than one page of a listing', async () => {
  const left = Array.from({ length: 8 }, (_, part) => `${prefix}/.attempts/lost-a1/parts/${part}.parquet`)
  const fill = async () => {
    for (const key of [...left, `${prefix}/.attempts/new-a1/scores.parquet`]) await storage.put(key, 'x')
  }
  inPages(3)
  await fill()
  const age = { alive: new Set(['new-a1']), now: Date.now(), olderThanMs: 60_000 }
  expect(await sweepAttempts(warehouse, age)).toEqual(['lost-a1'])
  expect(await keys()).toEqual(['.attempts/new-a1/scores.parquet'])
  await fill()
  await removeAttempts(warehouse, ['lost-a1'])
  expect(await keys()).toEqual(['.attempts/new-a1/scores.parquet'])
})

it('a second copy is made on the server, once', async () => {
  await publish('r1-a1', 'first')
  const { file } = partitionPath(warehouse, ...SCORES)
  const kept = join(warehouse, '.published/r1.parquet')
  storage.requests.length = 0
  await keepSecond(file, kept)
  expect(storage.requests.filter((line) => line.startsWith('GET'))).toEqual([])
  await publish('r2-a1', 'second')
  await keepSecond(file, kept)
  expect(readFileSync(await fetchFile(kept), 'utf8')).toBe('first')
  await keepSecond(join(warehouse, 'nothing.parquet'), join(warehouse, 'nowhere.parquet'))
  expect(await keys()).not.toContain('nowhere.parquet')
})

it('an object that was removed, replaced or cut short is not what the ledger says', async () => {
  await publish('r1-a1', 'first')
  const { file } = partitionPath(warehouse, ...SCORES)
  const key = `${prefix}/scores/churn/as_of=2026-11-22/scores.parquet`
  const says = { run: 'r1', sha256: sha256('first'), stamp: (await stampOf(file)) ?? null }
  expect(await lookAtPublished(file, says)).toEqual({ state: 'right', stamp: says.stamp })
  expect((await lookAtPublished(file, says, { fully: true })).state).toBe('right')
  for (const text of ['fir', 'third']) {
    await storage.put(key, text)
    expect(await lookAtPublished(file, says)).toEqual({
      state: 'foreign',
      why: `s3://nights/${key} names no run, and the ledger says r1`,
    })
  }
  // The same content written again is right, with another stamp or not.
  await storage.put(key, 'first')
  expect((await lookAtPublished(file, { ...says, stamp: null })).state).toBe('right')
  const { file: pinned, verdict } = await pinPublished(file, join(warehouse, '.attempts/pinned'), says)
  expect([verdict.state, readFileSync(pinned, 'utf8')]).toEqual(['right', 'first'])
  await storage.remove(key)
  expect((await lookAtPublished(file, says)).state).toBe('missing')
  expect(readFileSync(pinned, 'utf8')).toBe('first')
})

it('large files go and are copied in parts, with the hash of the whole', async () => {
  const store = await openObjectStore({ part: 100_000, copy: 150_000 })
  const text = 'abcdefghij'.repeat(34_567)
  const path = write(join(warehouse, '.attempts/r1-a1/scores.parquet'), text)
  const [from, to] = [`${prefix}/a`, `${prefix}/b c=d`].map((key) => ({ bucket: 'nights', key }))
  if (from === undefined || to === undefined) throw new Error('two places')
  await store.put(path, from, { size: text.length, sha256: sha256(text) })
  expect(storage.requests.filter((line) => line.includes('partNumber='))).toHaveLength(4)
  expect(await store.hash(from)).toBe(sha256(text))
  const stored = await store.head(from)
  const copied = stored && (await store.copy(stored, to))
  expect(copied).toMatchObject({ size: text.length, sha256: sha256(text) })
  expect(await store.hash(to)).toBe(sha256(text))
  // A part that fails leaves nothing, not even parts.
  storage.fault = ({ url, method }, response) =>
    method === 'PUT' && url?.includes('partNumber=3') === true && refuse(response, 403, 'AccessDenied')
  const at = { bucket: 'nights', key: `${prefix}/c` }
  const failure = await failureOf(store.put(path, at, { size: text.length, sha256: sha256(text) }))
  expect(failure.message).toMatch(/could not be written \(AccessDenied\): .*grant s3:PutObject/)
  expect(storage.requests.at(-1)).toMatch(/^DELETE .*uploadId=/)
  expect(await store.head(at)).toBeUndefined()
})

it('a file that arrives damaged is not kept', async () => {
  await publish('r1-a1', 'first')
  const key = `${prefix}/scores/churn/as_of=2026-11-22/scores.parquet`
  const other = partitionPath(machine(), ...SCORES).file
  storage.fault = ({ method, url }, response) => {
    if (method !== 'GET' || url?.includes('x-id=GetObject') !== true) return false
    const etag = `"${createHash('md5').update('first').digest('hex')}"`
    response.writeHead(200, { etag, 'content-length': 5, 'x-amz-meta-sha256': sha256('first') })
    response.end('wrong')
    return true
  }
  const failure = await failureOf(fetchFile(other))
  expect([failure.failureClass, failure.message]).toEqual([
    'transient',
    `s3://nights/${key} did not arrive as it was stored: its SHA-256 is not ${sha256('first')}`,
  ])
  expect(existsSync(other)).toBe(false)
  // What was sent and reads back otherwise is not published.
  const torn = await failureOf(sendFile(attemptFile('r2-a1', 'first')))
  expect(torn.message).toContain('read back')
})

it.each([
  { status: 400, code: 'ExpiredToken', class: 'transient', says: 'the credentials have expired' },
  { status: 403, code: 'AccessDenied', class: 'contract', says: 'grant s3:PutObject' },
  { status: 404, code: 'NoSuchBucket', class: 'contract', says: 'there is no such bucket' },
])('a write that the storage refuses with $code is $class', async ({ status, code, says, ...expected }) => {
  storage.fault = ({ method }, response) => method === 'PUT' && refuse(response, status, code)
  const failure = await failureOf(sendFile(attemptFile('r1-a1', 'first')))
  expect(failure.failureClass).toBe(expected.class)
  expect(failure.message).toContain(
    `s3://nights/${prefix}/.attempts/r1-a1/scores.parquet could not be written (${code}`,
  )
  expect(failure.message).toContain(says)
})

it('a storage that asks for fewer requests is asked again', async () => {
  let refused = 0
  storage.fault = ({ method }, response) =>
    method === 'PUT' && refused++ < 2 && refuse(response, 503, 'SlowDown')
  expect(await publish('r1-a1', 'first')).toBe(true)
  expect(refused).toBe(4)
})

it('doctor tries each request, and names the permission that is missing', async () => {
  expect(await hasFiles(warehouse)).toBe(false)
  await placeNew(dirname(attemptFile('new', 'first')), partitionPath(warehouse, ...SCORES))
  expect(await hasFiles(warehouse)).toBe(true)
  expect(await tryWarehouse(warehouse)).toBe(
    `s3://nights/${prefix} can be listed, read, written, copied within and removed from`,
  )
  const denied = async (isDenied: (method: string, copies: boolean) => boolean) => {
    storage.fault = ({ method = '', headers }, response) =>
      isDenied(method, headers['x-amz-copy-source'] !== undefined) && refuse(response, 403, 'AccessDenied')
    return (await failureOf(tryWarehouse(warehouse))).message
  }
  expect(await denied((method, copies) => method === 'PUT' && !copies)).toContain('grant s3:PutObject on')
  expect(await denied((method) => method === 'GET')).toContain('s3:GetObject on')
  expect(await denied((_, copies) => copies)).toContain('grant s3:GetObject and s3:PutObject on')
  expect(await denied((method) => method === 'DELETE')).toContain('grant s3:DeleteObject on')
  storage.fault = undefined
  // What could not be removed is swept with the attempts.
  expect((await keys()).filter((key) => key.startsWith('.attempts/'))).toHaveLength(2)
})

it('copies on this machine are bounded: what was used longest ago is given up, and can be fetched again', async () => {
  const files = ['2026-11-20', '2026-11-21', '2026-11-22'].map((label) =>
    partitionPath(warehouse, 'scores', 'churn', label),
  )
  for (const target of files) {
    await placeNew(dirname(attemptFile('new', 'x'.repeat(100))), target)
  }
  await trimCopies(warehouse, 150)
  expect(files.filter(({ file }) => existsSync(file))).toHaveLength(3)
  const { utimesSync, statSync } = await import('node:fs')
  for (const [index, { file }] of files.entries()) utimesSync(file, 1000 + index, statSync(file).mtime)
  await trimCopies(warehouse, 150)
  expect(files.map(({ file }) => existsSync(file))).toEqual([false, false, true])
  expect(readFileSync(await fetchFile(files[0]?.file ?? ''), 'utf8')).toHaveLength(100)
  rmSync(dirname(warehouse), { recursive: true, force: true })
  expect(readFileSync(await fetchFile(files[0]?.file ?? ''), 'utf8')).toHaveLength(100)
  expect(placeOf(files[0]?.file ?? '')?.key).toBe(`${prefix}/scores/churn/as_of=2026-11-20/scores.parquet`)
})
