import { Failure } from '../engine/failure.ts'
import type { CutSource } from '../sources/source-tables.ts'
import type { SourceFile } from '../sources/sources.ts'

/** A file of a source as it was when a night was divided. `modified` is in milliseconds since 1970. Plain data. */
export interface PinnedFile {
  source: string
  path: string
  size: number
  modified: number
}

/** All files of the sources, those too that the cut leaves out: together they decide types. */
export function pin(sources: CutSource[]): PinnedFile[] {
  return sources.flatMap(({ found }) => found.files.map((file) => pinned(found.name, file)))
}

/** Throws a transient Failure where a file has changed or is gone: shards of one night have to see the same. */
export function expectPinned(sources: CutSource[], files: PinnedFile[]): void {
  const now = new Map(pin(sources).map((file) => [keyOf(file), file]))
  for (const file of files) {
    const found = now.get(keyOf(file))
    // Machines and disks round times otherwise.
    const isSame = found?.size === file.size && Math.abs(found.modified - file.modified) <= 1
    if (isSame) continue
    const what = found === undefined ? 'is gone, or cannot be read,' : 'has changed'
    throw new Failure(
      'transient',
      `${file.path} ${what} since the night was divided into shards: the run must be repeated`,
      { evidence: { file: file.path, source: file.source, changed: true } },
    )
  }
}

function pinned(source: string, { shown, size, modified }: SourceFile): PinnedFile {
  return { source, path: shown, size, modified: Math.round(modified) }
}

function keyOf({ source, path }: PinnedFile): string {
  return `${source}\n${path}`
}
