import { link as linkFile, stat } from 'node:fs/promises'
import { readRunId } from '../pipeline/partition/footer.ts'
import { hashFile } from '../pipeline/partition/sync.ts'
import { placeOf, shownWarehouse } from '../project/object-path.ts'
import { openObjectStore } from './object-store.ts'
import { fetchFile } from './warehouse-copy.ts'

/** What the ledger says of a published file. */
export interface Published {
  run: string
  sha256: string | null
  /** `stampOf` when the file was last seen to be this one; null: it never was. */
  stamp: string | null
}

export type FileVerdict =
  /** `stamp`: to be kept where it is another than before. */
  { state: 'right'; stamp: string } | { state: 'missing' | 'foreign'; why: string }

/**
 * What a write or another file in its place changes: size, modification time (ns) and inode of a file, size and ETag of an
 * object. Undefined: it is not there.
 */
export async function stampOf(path: string): Promise<string | undefined> {
  const place = placeOf(path)
  if (place !== undefined) {
    const found = await (await openObjectStore()).head(place)
    return found && `${found.size} ${found.etag}`
  }
  try {
    const seen = await stat(path, { bigint: true })
    return seen.isFile() ? `${seen.size} ${seen.mtimeNs} ${seen.ino}` : 'not a file'
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/** The run that wrote a file of the warehouse, by its own metadata; undefined where there is no such file, or it says none. */
export async function writerOf(path: string): Promise<string | undefined> {
  return await readRunId(await fetchFile(path))
}

/**
 * Whether the file under a stable name is the one that the ledger says is published. One look at the file where its
 * stamp is what it was (some 30 µs, a request in a bucket); else, and `fully`, its hash (1 s a GB). Throws where the file
 * cannot be read: then nothing is known of it.
 */
export async function lookAtPublished(
  path: string,
  { run, sha256, stamp }: Published,
  { fully = false }: { fully?: boolean } = {},
): Promise<FileVerdict> {
  const seen = await stampOf(path)
  if (seen === undefined) return { state: 'missing', why: `${shownWarehouse(path)} is missing` }
  if (seen === stamp && !fully) return { state: 'right', stamp }
  if (seen === 'not a file') return { state: 'foreign', why: `${path} is no file` }
  await fetchFile(path)
  return await lookInside(path, { run, sha256 }, seen)
}

/** The same for a file of this machine that was read or linked from a stable name, by its content. */
export async function lookInside(
  path: string,
  { run, sha256 }: Pick<Published, 'run' | 'sha256'>,
  seen: string,
): Promise<FileVerdict> {
  // A ledger that is older than hashes has the run's id alone.
  const found = sha256 === null ? undefined : await hashFile(path)
  const wrote = found?.sha256 === sha256 ? run : await readRunId(path)
  if (found === undefined ? wrote === run : found.sha256 === sha256) return { state: 'right', stamp: seen }
  const name = shownWarehouse(path)
  const whose = wrote === undefined ? 'names no run' : `is of run ${wrote}`
  const why =
    wrote === run
      ? `${name} has been changed since run ${run} wrote it`
      : `${name} ${whose}, and the ledger says ${run}`
  return { state: 'foreign', why }
}

/**
 * Gives a published file a second name on this machine, `link`, by which it stays readable while another takes its place; if
 * linking fails, the path itself is used. The verdict is about what was linked.
 */
export async function pinPublished(
  path: string,
  link: string,
  published: Published,
): Promise<{ file: string; verdict: FileVerdict }> {
  const file = await pinFile(path, link)
  if (placeOf(path) === undefined) return { file, verdict: await lookAtPublished(file, published) }
  const isHere = (await stat(file).catch(() => undefined)) !== undefined
  const verdict: FileVerdict = isHere
    ? await lookInside(file, published, published.stamp ?? '')
    : { state: 'missing', why: `${shownWarehouse(path)} is missing` }
  return { file, verdict }
}

/** The second name, or the path itself where the disk knows no hard links. */
export async function pinFile(path: string, link: string): Promise<string> {
  await fetchFile(path)
  return await linkFile(path, link).then(
    () => link,
    () => path,
  )
}
