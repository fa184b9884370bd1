import { createHash, randomUUID } from 'node:crypto'
import { open, rename, rm, stat, utimes } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { FOOTER_ONLY } from '../project/object-path.ts'
import type { ObjectStore, StoredObject } from './object-store.ts'

/** One read of this many bytes from the end gets nearly every footer whole. */
export const TAIL = 64 * 1024
/** Length and magic of a Parquet file's end. */
const END = 8

/** Names one content of one object. */
export function contentId({ bucket, key, size, etag }: StoredObject): string {
  return createHash('sha256')
    .update(JSON.stringify([bucket, key, size, etag]))
    .digest('hex')
    .slice(0, 32)
}

/** File names in the cache: of the whole object, which keeps its extension, and of its footer alone. */
export function wholeName(object: StoredObject): string {
  return `${contentId(object)}-${basename(object.key).slice(-100)}`
}

export function footerName(object: StoredObject): string {
  return contentId(object) + FOOTER_ONLY
}

/**
 * The time of change that the cached file gets, in milliseconds: that of the object to the second, and three digits from its
 * ETag, so that an object that is written twice within a second is another one, too.
 */
export function timeOf({ etag, modified }: StoredObject): number {
  const digits = createHash('sha256').update(etag).digest().readUInt16BE(0) % 1000
  return Math.floor(modified / 1000) * 1000 + digits
}

/**
 * Writes a file as long as the object that holds nothing but its Parquet footer, by one or two requests; the rest is a hole.
 * What is no Parquet file gets its last bytes, by which its reader says so.
 */
export async function keepFooter(
  store: ObjectStore,
  object: StoredObject,
  folder: string,
  signal?: AbortSignal,
): Promise<string> {
  const tail = await store.readEnd(object, TAIL, signal)
  const wanted = footerBytes(tail)
  const end =
    wanted > tail.length && wanted <= object.size ? await store.readEnd(object, wanted, signal) : tail
  return await writeEnd(object, end.subarray(-Math.min(wanted, end.length)), folder)
}

/** The same from a whole cached file, which is then no longer needed. */
export async function keepFooterOf(path: string, object: StoredObject, folder: string): Promise<string> {
  const file = await open(path, 'r')
  try {
    const read = async (bytes: number) => {
      const length = Math.min(bytes, object.size)
      const buffer = new Uint8Array(length)
      await file.read(buffer, 0, length, object.size - length)
      return buffer
    }
    const tail = await read(TAIL)
    return await writeEnd(object, await read(footerBytes(tail)), folder)
  } finally {
    await file.close()
  }
}

/** How many of the last bytes are the footer; all that were read, of what does not end as a Parquet file. */
function footerBytes(tail: Uint8Array): number {
  if (tail.length < END || Buffer.from(tail.subarray(-4)).toString('latin1') !== 'PAR1') return tail.length
  return new DataView(tail.buffer, tail.byteOffset).getUint32(tail.length - END, true) + END
}

async function writeEnd(object: StoredObject, end: Uint8Array, folder: string): Promise<string> {
  return await complete(object, join(folder, footerName(object)), async (path) => {
    const file = await open(path, 'wx')
    try {
      await file.truncate(object.size)
      await file.write(end, 0, end.length, object.size - end.length)
    } finally {
      await file.close()
    }
  })
}

/** Fetches the whole object. */
export async function keepWhole(
  store: ObjectStore,
  object: StoredObject,
  folder: string,
  signal?: AbortSignal,
): Promise<string> {
  return await complete(object, join(folder, wholeName(object)), (path) =>
    store.download(object, path, signal),
  )
}

/** A file appears under its name when it is complete; who was faster has written the same. */
async function complete(
  object: StoredObject,
  target: string,
  write: (path: string) => Promise<void>,
): Promise<string> {
  const making = `${target}.${randomUUID()}.part`
  try {
    await write(making)
    await utimes(making, new Date(), new Date(timeOf(object)))
    await rename(making, target)
  } finally {
    await rm(making, { force: true })
  }
  return target
}

/** A cached file is what was put there, as far as its length and time tell. */
export async function isKept(path: string, object: StoredObject): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.size === object.size && Math.round(found.mtimeMs) === timeOf(object)
}

/** Says that it was used now: what was not used for longest is given up first. */
export async function touch(path: string, object: StoredObject): Promise<void> {
  await utimes(path, new Date(), new Date(timeOf(object))).catch(() => {})
}
