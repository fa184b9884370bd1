import { randomUUID } from 'node:crypto'
import { lstat, mkdir, opendir, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { Minimatch } from 'minimatch'
import { bytes as sizeText } from '../format/sizes.ts'
import { Failure } from '../pipeline/engine/failure.ts'
import { FOOTER_ONLY, OBJECT_TREE, objectName, readObjectPattern } from '../project/object-path.ts'
import {
  footerName,
  isKept,
  keepFooter,
  keepFooterOf,
  keepWhole,
  TAIL,
  touch,
  wholeName,
} from './cached-object.ts'
import { inParallel } from './in-parallel.ts'
import { type ObjectStore, openObjectStore, type StoredObject } from './object-store.ts'

/** Objects of a project's sources on this machine: names of all, footers of Parquet objects, and whole those in use. */
export interface Mirror {
  /**
   * Lists what a path names and gives each object its name and footer here. A listing that is at most `maxAgeMs` old is good
   * enough. `whole`: fetches the objects themselves, as for text files, which have no footer.
   */
  update(path: string, options: { maxAgeMs: number; whole: boolean; signal?: AbortSignal }): Promise<void>
  /** Fetches objects by their names, `s3://bucket/key`, and keeps them until the returned function is called. */
  fetch(names: Iterable<string>, options: { limitBytes: number; signal?: AbortSignal }): Promise<() => void>
  /** Names of all objects that a path names, as of the last listing. */
  named(path: string): string[]
}

const FOOTERS_AT_ONCE = 32
const OBJECTS_AT_ONCE = 8
/** What was used so recently is left to other processes. */
const OTHERS_MS = 600_000
/** No object takes so long to arrive. */
const ABANDONED_MS = 86_400_000

interface Listing {
  at: number
  done: Promise<void>
  keys: Map<string, StoredObject>
}

const mirrors = new Map<string, Mirror>()

/** The mirror of the project at `root`, one for a process. */
export function mirrorOf(root: string, open: () => Promise<ObjectStore> = openObjectStore): Mirror {
  const known = mirrors.get(root)
  if (known !== undefined) return known
  const mirror = openMirror(root, open)
  mirrors.set(root, mirror)
  return mirror
}

export function openMirror(root: string, open: () => Promise<ObjectStore>): Mirror {
  const tree = join(root, OBJECT_TREE)
  const folder = join(dirname(tree), 'files')
  const listings = new Map<string, Listing>()
  /** Whole files in use by tasks of this process, and by how many. */
  const pinned = new Map<string, number>()
  /** Objects by their whole files, of those that this process has fetched. */
  const fetched = new Map<string, StoredObject>()
  const listed = (name: string): StoredObject | undefined => {
    for (const { keys } of listings.values()) {
      const object = keys.get(name)
      if (object !== undefined) return object
    }
    return undefined
  }
  const placeOf = ({ bucket, key }: StoredObject) => join(tree, bucket, key)
  const nameOf = ({ bucket, key }: StoredObject) => objectName(bucket, key)

  /** Leads the object's name to a cached file. */
  async function link(object: StoredObject, file: string): Promise<void> {
    const place = placeOf(object)
    const making = join(folder, `.link-${randomUUID()}`)
    const before = basename(await readlink(place).catch(() => ''))
    try {
      await mkdir(dirname(place), { recursive: true })
      await rm(making, { force: true })
      await symlink(relative(dirname(place), file), making)
      await rename(making, place)
    } catch (error) {
      await rm(making, { force: true })
      throw unnamed(object, error)
    }
    if (before.endsWith(FOOTER_ONLY) && before !== basename(file))
      await rm(join(folder, before), { force: true })
  }

  /** The object's name leads to its content, whole or its footer. */
  async function isPlaced(object: StoredObject): Promise<boolean> {
    const now = basename(await readlink(placeOf(object)).catch(() => ''))
    return (now === footerName(object) || now === wholeName(object)) && isKept(join(folder, now), object)
  }

  async function place(store: ObjectStore, object: StoredObject, signal?: AbortSignal): Promise<void> {
    if (await isPlaced(object)) return
    for (const name of [wholeName(object), footerName(object)]) {
      const file = join(folder, name)
      if (await isKept(file, object)) return await link(object, file)
    }
    // A small object comes whole for the same request.
    const keep = object.size <= TAIL ? keepWhole : keepFooter
    await link(object, await keep(store, object, folder, signal))
  }

  async function list(
    path: string,
    keys: Map<string, StoredObject>,
    { whole, signal }: { whole: boolean; signal?: AbortSignal },
  ): Promise<void> {
    const { bucket, pattern, prefix } = readObjectPattern(path)
    const matching = new Minimatch(pattern, {
      nocomment: true,
      nonegate: true,
      noext: true,
      platform: 'linux',
    })
    const store = await open()
    await mkdir(folder, { recursive: true })
    for await (const page of store.list(bucket, prefix, signal)) {
      const named = page.filter(({ key }) => matching.match(key))
      for (const object of named) {
        refuseStrange(object)
        keys.set(nameOf(object), object)
      }
      if (!whole) await inParallel(named, FOOTERS_AT_ONCE, (object) => place(store, object, signal))
    }
    await forget(bucket, prefix, (key) => !keys.has(objectName(bucket, key)) && matching.match(key))
  }

  /** Takes the names away of objects that are no longer there. Folder by folder: there may be 100,000 names. */
  async function forget(bucket: string, prefix: string, isGone: (key: string) => boolean): Promise<void> {
    const start = join(tree, bucket, prefix.slice(0, prefix.lastIndexOf('/') + 1))
    const entries = await opendir(start, { recursive: true, bufferSize: 256 }).catch(() => undefined)
    for await (const entry of entries ?? []) {
      if (!entry.isSymbolicLink()) continue
      const path = join(entry.parentPath, entry.name)
      if (!isGone(relative(join(tree, bucket), path))) continue
      const file = basename(await readlink(path).catch(() => ''))
      await rm(path, { force: true })
      if (file.endsWith(FOOTER_ONLY)) await rm(join(folder, file), { force: true })
    }
  }

  /** What a process that was ended has left. */
  async function sweep(): Promise<void> {
    for (const name of await readdir(folder)) {
      if (!name.endsWith('.part') && !name.startsWith('.link-')) continue
      const found = await lstat(join(folder, name)).catch(() => undefined)
      if (found !== undefined && Date.now() - found.ctimeMs > ABANDONED_MS)
        await rm(join(folder, name), { force: true })
    }
  }

  /** Whole files in the cache, the one that was used longest ago first. */
  async function kept(): Promise<{ name: string; size: number; used: number }[]> {
    const names = (await readdir(folder)).filter(
      (name) => /^[0-9a-f]{32}-/.test(name) && !name.endsWith('.part'),
    )
    const files: { name: string; size: number; used: number }[] = []
    await inParallel(names, FOOTERS_AT_ONCE, async (name) => {
      const found = await stat(join(folder, name)).catch(() => undefined)
      if (found !== undefined) files.push({ name, size: found.size, used: found.atimeMs })
    })
    return files.sort((a, b) => a.used - b.used)
  }

  /** Gives up whole files that nobody uses until `bytes` more find room within the limit. */
  async function makeRoom(bytes: number, limitBytes: number): Promise<void> {
    await sweep()
    const files = await kept()
    let sum = files.reduce((total, { size }) => total + size, 0) + bytes
    for (const { name, size, used } of files) {
      if (sum <= limitBytes) return
      if ((pinned.get(name) ?? 0) > 0) continue
      const object = fetched.get(name)
      // Another process may be about to open what this one has not fetched. A name that leads nowhere is mended by the next listing.
      if (object === undefined && Date.now() - used < OTHERS_MS) continue
      const now = object && basename(await readlink(placeOf(object)).catch(() => ''))
      if (object !== undefined && now === name)
        await link(object, await keepFooterOf(join(folder, name), object, folder))
      fetched.delete(name)
      await rm(join(folder, name), { force: true })
      sum -= size
    }
    if (sum > limitBytes) throw tooLarge(bytes, limitBytes)
  }

  return {
    async update(path, { maxAgeMs, ...options }) {
      const known = listings.get(path)
      if (known !== undefined && performance.now() - known.at <= maxAgeMs) return await known.done
      const keys = new Map<string, StoredObject>()
      const done = list(path, keys, options)
      const listing = { at: performance.now(), done, keys }
      listings.set(path, listing)
      await done.catch((error: unknown) => {
        if (listings.get(path) === listing) listings.delete(path)
        throw error
      })
    },
    async fetch(names, { limitBytes, signal }) {
      const objects = [...names].map((name) => {
        const object = listed(name)
        if (object !== undefined) return object
        throw new Failure('transient', `${name} is no longer listed: the run must be repeated`, {
          evidence: { object: name },
        })
      })
      for (const object of objects) fetched.set(wholeName(object), object)
      const pins = objects.map(wholeName)
      for (const name of pins) pinned.set(name, (pinned.get(name) ?? 0) + 1)
      const release = () => {
        for (const name of pins.splice(0)) pinned.set(name, (pinned.get(name) ?? 1) - 1)
      }
      try {
        const store = await open()
        const missing: StoredObject[] = []
        await inParallel(objects, FOOTERS_AT_ONCE, async (object) => {
          const file = join(folder, wholeName(object))
          if (!(await isKept(file, object))) missing.push(object)
          else await touch(file, object)
        })
        await makeRoom(
          missing.reduce((sum, { size }) => sum + size, 0),
          limitBytes,
        )
        await inParallel(missing, OBJECTS_AT_ONCE, async (object) => {
          await keepWhole(store, object, folder, signal)
        })
        await inParallel(objects, FOOTERS_AT_ONCE, async (object) => {
          const now = basename(await readlink(placeOf(object)).catch(() => ''))
          if (now !== wholeName(object)) await link(object, join(folder, wholeName(object)))
        })
        return release
      } catch (error) {
        release()
        throw error
      }
    },
    named: (path) => [...(listings.get(path)?.keys.keys() ?? [])],
  }
}

/** A key becomes a path here: every part of it has to be a name. */
function refuseStrange({ bucket, key }: StoredObject): void {
  const names = key.split('/')
  const isStrange = names.some(
    (name) =>
      name === '' || name === '.' || name === '..' || name.includes('\0') || Buffer.byteLength(name) > 255,
  )
  if (!isStrange) return
  throw new Failure(
    'contract',
    `${objectName(bucket, key)}: its key cannot be a path of names between single slashes: copy the object to another key, or leave it out of the source's path`,
    { evidence: { object: objectName(bucket, key) } },
  )
}

/** Keys such as `a` and `a/b`: a path cannot be a file and a folder. */
function unnamed(object: StoredObject, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code !== 'ENOTDIR' && code !== 'EISDIR' && code !== 'EEXIST' && code !== 'ENOTEMPTY') return error
  const name = objectName(object.bucket, object.key)
  return new Failure(
    'contract',
    `${name}: its key, or a part of it, is at once the key of an object and the folder of others: copy one of them to another key`,
    { cause: error, evidence: { object: name } },
  )
}

function tooLarge(bytes: number, limit: number): Failure {
  return new Failure(
    'resource',
    `objects of ${sizeText(bytes)} are to be fetched, and the cache may hold ${sizeText(limit)}, of which other tasks use a part: raise objects in nightshift.yaml`,
    { evidence: { bytes, limit } },
  )
}
