import { randomUUID } from 'node:crypto'
import { linkSync, lstatSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { filesIn, isBucketed, type Share } from '../shards/buckets.ts'
import { mayReadKeys } from './declared-columns.ts'
import { keyFolders } from './glob.ts'
import type { CutSource } from './source-tables.ts'
import { requireFetched, type SourceFile } from './sources.ts'

/** Sources whose files an engine opens under unguessable names. */
export interface PrivateFiles {
  sources: CutSource[]
  /** The files' own paths by the names that the engine knows, for its errors. */
  names: Map<string, string>
  /** Takes the names away, in the background; the files stay. */
  release(): void
}

/**
 * Gives each file a random name in a folder of its own below `folder`, so that SQL which finds a way to name a file
 * reads none: the engine may open these names alone. Folders `key=value` are kept of sources whose keys a query may read
 * (`reads`: names of columns in lower case; undefined: any), since DuckDB takes keys from the path. To make and remove a folder
 * costs more than a link: up to 0.3 ms on ext4 without a journal. 2,000 files take 0.1 s of processor time. A hard link lies outside what the file's own name can reach. Where
 * the disk or the file's owner allows none it is a symbolic link: DuckDB then takes the file's own path for allowed
 * too, and what is left is to ask DuckDB's plan which files a statement opens (`strangersIn`).
 */
export function openPrivately(
  sources: CutSource[],
  folder: string,
  {
    schemaOnly = false,
    share,
    reads,
  }: {
    schemaOnly?: boolean | undefined
    share?: Share | undefined
    reads?: ReadonlySet<string> | undefined
  } = {},
): PrivateFiles {
  // A schema stands in the footer.
  if (!schemaOnly)
    requireFetched(
      sources.flatMap((source) =>
        share === undefined ? [...source.files, ...source.lenders] : filesIn(source, share),
      ),
    )
  const root = join(folder, `sources-${randomUUID()}`)
  const names = new Map<string, string>()
  const keyed = new Set(
    sources
      .filter((source) => mayReadKeys(source, reads) || (share !== undefined && isBucketed(source.found)))
      .flatMap(({ files, lenders }) => [...files, ...lenders].map(({ parquet }) => parquet)),
  )
  const folders = new Set<string>()
  const linked = new Map<string, string>()
  // Some disks wait a millisecond for each folder. Whoever removes `folder` itself finishes it.
  const release = () => void rm(root, { recursive: true, force: true }).catch(() => {})
  const open = (file: SourceFile): SourceFile => {
    const known = linked.get(file.parquet)
    if (known !== undefined) return { ...file, opened: known }
    const opened = join(root, ...(keyed.has(file.parquet) ? keyFolders(file) : []), `${linked.size}.parquet`)
    if (!folders.has(dirname(opened))) folders.add(mkdirSync(dirname(opened), { recursive: true }) ?? '')
    linkTo(file.parquet, opened)
    linked.set(file.parquet, opened)
    names.set(opened, file.path)
    return { ...file, opened }
  }
  try {
    return {
      sources: sources.map((source) => ({
        ...source,
        files: source.files.map(open),
        lenders: source.lenders.map(open),
      })),
      names,
      release,
    }
  } catch (error) {
    release()
    throw error
  }
}

/**
 * Other disks, file systems without hard links, read-only ones, and files of other people (`fs.protected_hardlinks`).
 */
function linkTo(path: string, name: string): void {
  try {
    // A hard link to a symbolic link would be one more symbolic link.
    linkSync(lstatSync(path).isSymbolicLink() ? realpathSync(path) : path, name)
  } catch {
    symlinkSync(path, name)
  }
}
