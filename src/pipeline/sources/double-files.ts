import { realpathSync } from 'node:fs'
import type { Source } from '../../project/project.ts'
import type { SourceFile } from './sources.ts'

/**
 * The first file that links let a source's path name twice, and why it is refused: its rows would count twice. A hard
 * link and a copy are files of their own, since nothing tells them from rows that were meant. Links from one day's
 * snapshot to another's are legal, because a cut sees one snapshot alone. Costs nothing but where files share an inode.
 */
export function doubleFile(
  source: Source,
  files: SourceFile[],
): { file: SourceFile; why: string } | undefined {
  const first = new Map<string, SourceFile>()
  const known = new Map<string, SourceFile>()
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

function reason({ path }: SourceFile, { shown }: SourceFile): string {
  return `is ${shown} once more, by a link (both lead to ${realpathSync(path)}), and its rows would count twice: remove the link, or write a path that names the file once`
}

/** Where a file really lies, and the snapshot that it belongs to by its folders, where they say one. */
function placeOf(source: Source, { path, keys }: SourceFile): string {
  const at = source.kind === 'snapshots' ? source.snapshot_at.toLowerCase() : undefined
  const snapshot = [...keys].find(([key]) => key.toLowerCase() === at)?.[1]
  return `${snapshot ?? ''}\n${realpathSync(path)}`
}
