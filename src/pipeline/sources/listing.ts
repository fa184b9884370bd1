import { createHash } from 'node:crypto'
import { isObjectPath, showPath } from '../../project/object-path.ts'
import type { Source } from '../../project/project.ts'
import { expandGlob } from './glob.ts'

export interface ListingRequest {
  /** Absolute path of the project. */
  root: string
  sources: Record<string, Source>
}

/** Lists the files of sources without opening one. Two digests are equal while no file came, went or was written again. */
export function listFiles({ root, sources }: ListingRequest): { files: number; digest: string } {
  const hash = createHash('sha256')
  let count = 0
  for (const name of Object.keys(sources).sort()) {
    const { files, unreadable } = expandGlob(root, sources[name]?.path ?? '')
    count += files.length
    hash.update(`${JSON.stringify(name)}\n`)
    for (const { path, size, modified, inode } of files) {
      const shown = showPath(root, path)
      // An object's time names its content, and its cached file is now another, now whole.
      const identity = isObjectPath(shown) ? [shown, size, modified] : [path, size, modified, inode]
      hash.update(`${JSON.stringify(identity)}\n`)
    }
    for (const { path, why, modified } of unreadable)
      hash.update(`${JSON.stringify([path, why, modified])}\n`)
  }
  return { files: count, digest: hash.digest('hex') }
}
