import { stat } from 'node:fs/promises'
import { readRunId } from './footer.ts'
import { hashFile } from './sync.ts'

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

/** Size, modification time (ns) and inode of a file: what a write or another file in its place changes. Undefined: it is not there. */
export async function stampOf(path: string): Promise<string | undefined> {
  try {
    const seen = await stat(path, { bigint: true })
    return seen.isFile() ? `${seen.size} ${seen.mtimeNs} ${seen.ino}` : 'not a file'
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/**
 * Whether the file under a stable name is the one that the ledger says is published. One look at the file where its
 * stamp is what it was (some 30 µs); else, and `fully`, its hash (1 s a GB). Throws where the file cannot be read: then
 * nothing is known of it.
 */
export async function lookAtPublished(
  path: string,
  { run, sha256, stamp }: Published,
  { fully = false }: { fully?: boolean } = {},
): Promise<FileVerdict> {
  const seen = await stampOf(path)
  if (seen === undefined) return { state: 'missing', why: `${path} is missing` }
  if (seen === stamp && !fully) return { state: 'right', stamp }
  if (seen === 'not a file') return { state: 'foreign', why: `${path} is no file` }
  // A ledger that is older than hashes has the run's id alone.
  const found = sha256 === null ? undefined : await hashFile(path)
  const wrote = found?.sha256 === sha256 ? run : await readRunId(path)
  if (found === undefined ? wrote === run : found.sha256 === sha256) return { state: 'right', stamp: seen }
  const whose = wrote === undefined ? 'names no run' : `is of run ${wrote}`
  const why =
    wrote === run
      ? `${path} has been changed since run ${run} wrote it`
      : `${path} ${whose}, and the ledger says ${run}`
  return { state: 'foreign', why }
}
