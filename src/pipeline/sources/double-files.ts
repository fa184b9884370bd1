import { realpathSync } from 'node:fs'
import type { Source } from '../../project/project.ts'
import { traitsOf } from '../../project/source-kinds.ts'
import type { FoundFile } from './glob.ts'

/** A file as its path says, with the values of the source's hive keys. */
interface LinkedFile extends FoundFile {
  /** As it is shown to people. */
  shown: string
  keys: Map<string, string>
}

/**
 * The first file that links let a source's path name twice, and why it is refused: its rows would count twice. A hard
 * link and a copy are files of their own, since nothing tells them from rows that were meant. Links from one day's
 * snapshot to another's are legal, because a cut sees one snapshot alone. Costs nothing but where files share an inode.
 */
export function doubleFile<File extends LinkedFile>(
  source: Source,
  files: File[],
): { file: File; why: string } | undefined {
  const first = new Map<string, File>()
  const known = new Map<string, File>()
  for (const file of files) {
    const other = first.get(file.inode)
    if (other === undefined) {
      first.set(file.inode, file)
      continue
    }
    known.set(placeOf(source, other), other)
    const place = placeOf(source, file)
    const same = known.get(place)
    if (same !== undefined) return { file, why: reason(file, same) }
    known.set(place, file)
  }
  return undefined
}

function reason({ path }: LinkedFile, { shown }: LinkedFile): string {
  return `is ${shown} once more, by a link (both lead to ${realpathSync(path)}), and its rows would count twice: remove the link, or write a path that names the file once`
}

/** Where a file really lies, and the snapshot that it belongs to by its folders, where they say one. */
function placeOf(source: Source, { path, keys }: LinkedFile): string {
  const { time, rows } = traitsOf(source)
  const at = rows === 'newest-time' ? time?.name.toLowerCase() : undefined
  const snapshot = [...keys].find(([key]) => key.toLowerCase() === at)?.[1]
  return `${snapshot ?? ''}\n${realpathSync(path)}`
}
