import { readdir, rm, stat } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import type { WrittenFile } from '../pipeline/engine/facts.ts'
import { Failure } from '../pipeline/engine/failure.ts'
import { sweepFolder } from '../pipeline/partition/leftovers.ts'
import {
  attemptFolder,
  keepFile,
  moveIntoPlace,
  type PartitionPath,
} from '../pipeline/partition/partition-files.ts'
import { hashFile } from '../pipeline/partition/sync.ts'
import { type ObjectPlace, objectName, placeOf, prefixOf } from '../project/object-path.ts'
import { inParallel } from './in-parallel.ts'
import { openObjectStore, type StoredObject } from './object-store.ts'
import { fetchFiles, takeAsCopy } from './warehouse-copy.ts'

// What is done to the files of a warehouse. A path in the copy of a bucket stands for the object of that key; any other path
// is a file of a folder.

const REQUESTS_AT_ONCE = 16

/** Whether a warehouse is a bucket: what is written has to be sent there, and what is read has to be fetched. */
export function isStored(path: string): boolean {
  return placeOf(path) !== undefined
}

/** Whether a file is there. */
export async function isThere(path: string): Promise<boolean> {
  const place = placeOf(path)
  if (place !== undefined) return (await (await openObjectStore()).head(place)) !== undefined
  return (await stat(path).catch(() => undefined))?.isFile() === true
}

/**
 * Stores what lies under a path of this machine, and reads it back whole: from then on others find it. A folder needs none
 * of this.
 */
export async function sendFile(
  path: string,
  file?: Pick<WrittenFile, 'sha256' | 'bytes'>,
  signal?: AbortSignal,
): Promise<void> {
  const place = placeOf(path)
  if (place === undefined) return
  await send(path, place, file ?? (await hashFile(path)), signal)
}

async function send(
  path: string,
  place: ObjectPlace,
  { sha256, bytes }: Pick<WrittenFile, 'sha256' | 'bytes'>,
  signal?: AbortSignal,
): Promise<void> {
  const store = await openObjectStore()
  await store.put(path, place, { size: bytes, sha256, signal })
  const stored = await store.hash(place, signal)
  if (stored === sha256) return
  throw new Failure(
    'transient',
    `${objectName(place.bucket, place.key)}: wrote SHA-256 ${sha256}, read back ${stored}`,
    { evidence: { written: sha256, read: stored } },
  )
}

/**
 * Moves an attempt's file to the partition's stable name, where readers see the old file or the new one, whole, and removes
 * the attempt's. In a bucket that is a copy on the server and the removal of what `sendFile` has stored. Safe to repeat, and
 * to do twice at once. Returns false where the attempt's file is not there (any more).
 */
export async function placeAttempt(attempt: string, target: PartitionPath): Promise<boolean> {
  const file = join(attempt, basename(target.file))
  const [from, to] = [placeOf(file), placeOf(target.file)]
  if (from === undefined || to === undefined) return await moveIntoPlace(attempt, target)
  const store = await openObjectStore()
  const stored = await store.head(from)
  const placed = stored && (await store.copy(stored, to))
  if (stored !== undefined && placed !== undefined && isSameContent(stored, placed))
    await takeAsCopy(file, target.file, placed)
  await removeBelow(attempt)
  await rm(attempt, { recursive: true, force: true })
  return placed !== undefined
}

/** Another process may have put another file there since. */
function isSameContent(a: StoredObject & { sha256?: string | undefined }, b: typeof a): boolean {
  return a.sha256 !== undefined && a.sha256 === b.sha256
}

/** Moves a file that no attempt of a run has written, and that was not sent, to its stable name. */
export async function placeNew(folder: string, target: PartitionPath): Promise<void> {
  const file = join(folder, basename(target.file))
  await sendFile(file)
  await placeAttempt(folder, target)
}

/** Keeps a file under a second name. One that is there stays, and one that is gone is not kept. */
export async function keepSecond(file: string, kept: string): Promise<void> {
  const [from, to] = [placeOf(file), placeOf(kept)]
  if (from === undefined || to === undefined) return await keepFile(file, kept)
  const store = await openObjectStore()
  if ((await store.head(to)) !== undefined) return
  const found = await store.head(from)
  if (found !== undefined) await store.copy(found, to)
}

/** Puts a second copy back under the stable name, whole; the copy stays. */
export async function restoreFile(kept: string, target: PartitionPath, attempt: string): Promise<void> {
  const [from, to] = [placeOf(kept), placeOf(target.file)]
  if (from === undefined || to === undefined) {
    await keepFile(kept, join(attempt, basename(target.file)))
    await moveIntoPlace(attempt, target)
    return
  }
  const store = await openObjectStore()
  const found = await store.head(from)
  if (found !== undefined) await store.copy(found, to)
}

/** Removes a file. One that is not there is no error. */
export async function removeFile(path: string): Promise<void> {
  const place = placeOf(path)
  if (place !== undefined) await (await openObjectStore()).remove(place)
  await rm(path, { force: true })
}

/** Removes attempts' files, so that a zombie finds its file gone. Those that are not there are no error. */
export async function removeAttempts(warehouse: string, attempts: string[]): Promise<void> {
  for (const attempt of attempts) {
    if (attempt !== basename(attempt) || attempt === '' || attempt.startsWith('.')) {
      throw new Failure('bug', `expected the name of an attempt such as 01JD-a1, got: ${attempt}`)
    }
  }
  const folders = attempts.map((attempt) => attemptFolder(warehouse, attempt))
  // At once: a slot that was tried hundreds of times must not hold its lock for as many turns.
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
  if (!isStored(warehouse)) return
  await inParallel(folders, REQUESTS_AT_ONCE, removeBelow)
}

/** Removes the objects of a folder. */
async function removeBelow(folder: string): Promise<void> {
  const place = prefixOf(folder)
  if (place === undefined) return
  const store = await openObjectStore()
  for await (const page of store.list(place.bucket, place.prefix))
    await inParallel(page, REQUESTS_AT_ONCE, (object) => store.remove(object))
}

/**
 * Removes abandoned files of attempts and of checks of nights: those not in `alive` in which nothing has changed for
 * `olderThanMs` at `now` (milliseconds since 1970). Returns their names.
 */
export async function sweepAttempts(
  warehouse: string,
  { alive, ...age }: { alive: ReadonlySet<string>; now: number; olderThanMs: number },
): Promise<string[]> {
  const swept = await sweepFolder(join(warehouse, '.attempts'), { meant: (name) => !alive.has(name), ...age })
  const place = prefixOf(join(warehouse, '.attempts'))
  if (place === undefined) return swept
  const store = await openObjectStore()
  const old: StoredObject[] = []
  for await (const page of store.list(place.bucket, place.prefix)) {
    old.push(
      ...page.filter(
        ({ key, modified }) =>
          !alive.has(attemptIn(key, place.prefix)) && age.now - modified >= age.olderThanMs,
      ),
    )
  }
  await inParallel(old, REQUESTS_AT_ONCE, (object) => store.remove(object))
  return [...new Set([...swept, ...old.map(({ key }) => attemptIn(key, place.prefix))])]
}

function attemptIn(key: string, prefix: string): string {
  return key.slice(prefix.length).split('/')[0] ?? ''
}

/**
 * Makes a folder of files that are read one by one (of versions, of training sets) what the bucket holds of it: copies of what
 * is gone there are removed, too.
 */
export async function fetchFolder(folder: string, isWanted = (_name: string) => true): Promise<void> {
  const place = prefixOf(folder)
  if (place === undefined) return
  const store = await openObjectStore()
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []))
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.part'))
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
  for await (const page of store.list(place.bucket, place.prefix))
    names.push(...page.map(({ key }) => key.slice(place.prefix.length)))
  await fetchFiles(names.filter(isWanted).map((name) => join(folder, name)))
}

/** Stores files of a folder of this machine as those of another, in this order: the last tells readers that the others are there. */
export async function storeFiles(from: string, to: string, names: string[]): Promise<void> {
  const store = await openObjectStore()
  for (const name of names) {
    const [file, path] = [join(from, name), join(to, name)]
    const place = placeOf(path)
    if (place === undefined)
      throw new Failure('bug', `expected a path of a warehouse in a bucket, got: ${path}`)
    await send(file, place, await hashFile(file))
    const stored = await store.head(place)
    if (stored !== undefined) await takeAsCopy(file, path, stored)
  }
}

/** Whether anything of a warehouse is there that a reader would see: an unmounted share looks like an empty folder. */
export async function hasFiles(warehouse: string): Promise<boolean> {
  const place = prefixOf(warehouse)
  if (place === undefined) {
    const there = await readdir(warehouse).catch(() => [])
    return there.some((name) => !name.startsWith('.'))
  }
  const store = await openObjectStore()
  return (await store.folders(place.bucket, place.prefix)).some((name) => !name.startsWith('.'))
}
