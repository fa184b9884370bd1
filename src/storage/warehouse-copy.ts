import { createHash, randomUUID } from 'node:crypto'
import { opendir, rename, rm, stat, utimes } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Failure } from '../pipeline/engine/failure.ts'
import { makeFolder } from '../pipeline/partition/sync.ts'
import { placeOf } from '../project/object-path.ts'
import { inParallel } from './in-parallel.ts'
import { type ObjectStore, openObjectStore, type StoredObject } from './object-store.ts'

const FETCHES_AT_ONCE = 8
/** An object that is written again and again while it is fetched is asked for this often. */
const FETCHES = 3
/** What was used so recently may be open. */
const USED_MS = 3_600_000
const PART = /\.[0-9a-f-]{36}\.part$/

let added = 0

/** Bytes of the copies that this process has added so far. */
export function addedBytes(): number {
  return added
}

/**
 * Makes the files of a warehouse what the bucket holds now: those that are others, or not here, are fetched, and those
 * that are gone there are removed here. Paths outside the copy of a bucket are left alone.
 */
export async function fetchFiles(
  paths: Iterable<string>,
  {
    signal,
    open = openObjectStore,
  }: { signal?: AbortSignal | undefined; open?: () => Promise<ObjectStore> } = {},
): Promise<void> {
  const wanted = [...new Set(paths)].filter((path) => placeOf(path) !== undefined)
  if (wanted.length === 0) return
  const store = await open()
  await inParallel(wanted, FETCHES_AT_ONCE, (path) => fetchOne(store, path, signal))
}

/** The same for one file. Returns its path. */
export async function fetchFile(path: string): Promise<string> {
  await fetchFiles([path])
  return path
}

async function fetchOne(store: ObjectStore, path: string, signal: AbortSignal | undefined): Promise<void> {
  const place = placeOf(path)
  if (place === undefined) return
  for (let tried = 1; ; tried++) {
    const object = await store.head(place, signal)
    if (object === undefined) return await rm(path, { force: true })
    if (await isCopyOf(path, object)) return await stamp(path, object)
    try {
      return await download(store, object, path, signal)
    } catch (error) {
      const isOther = error instanceof Failure && error.failureClass === 'transient' && !signal?.aborted
      if (tried === FETCHES || !isOther) throw error
    }
  }
}

async function download(
  store: ObjectStore,
  object: StoredObject,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const making = `${path}.${randomUUID()}.part`
  await makeFolder(dirname(path))
  try {
    await store.download(object, making, signal)
    await stamp(making, object)
    await rename(making, path)
    added += object.size
  } finally {
    await rm(making, { force: true })
  }
}

/** Takes a file of this machine, which holds the object's content, for its copy, so that it need not be fetched. */
export async function takeAsCopy(file: string, path: string, object: StoredObject): Promise<void> {
  if ((await stat(file).catch(() => undefined))?.size !== object.size) return
  await stamp(file, object)
  await makeFolder(dirname(path))
  await rename(file, path)
  added += object.size
}

/**
 * The time of change of a copy names the object: its own to the second, and six digits from its ETag, so that two contents
 * within a second differ. The time of access says when it was last asked for.
 */
async function stamp(path: string, object: StoredObject): Promise<void> {
  await utimes(path, Date.now() / 1000, microseconds(object) / 1e6)
}

async function isCopyOf(path: string, object: StoredObject): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.size === object.size && Math.round(found.mtimeMs * 1000) === microseconds(object)
}

function microseconds({ etag, modified }: StoredObject): number {
  const digits = createHash('sha256').update(etag).digest().readUInt32BE(0) % 1_000_000
  return Math.floor(modified / 1000) * 1_000_000 + digits
}

/**
 * Removes the copies that were used longest ago until the others take at most `limitBytes`, and what interrupted fetches
 * have left. Attempts' own files are no copies, and what was used within the hour stays.
 */
export async function trimCopies(warehouse: string, limitBytes: number): Promise<void> {
  if (placeOf(warehouse) === undefined) return
  const files: { path: string; size: number; used: number }[] = []
  const entries = await opendir(warehouse, { recursive: true }).catch(() => undefined)
  for await (const entry of entries ?? []) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() || path.includes('/.attempts/') || path.includes('/.building-')) continue
    const found = await stat(path).catch(() => undefined)
    if (found !== undefined) files.push({ path, size: found.size, used: found.atimeMs })
  }
  let sum = files.reduce((total, { size }) => total + size, 0)
  for (const { path, size, used } of files.sort((a, b) => a.used - b.used)) {
    if (Date.now() - used < USED_MS) return
    if (sum <= limitBytes && !PART.test(basename(path))) continue
    await rm(path, { force: true })
    sum -= size
  }
}
