import { realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { FOOTER_ONLY, isObjectPath, pathWithin, shownPath, showPath } from '../../project/object-path.ts'
import type { KeyType, Source } from '../../project/project.ts'
import { type Zones, zonesOf } from '../cut/source-zones.ts'
import { Failure } from '../engine/failure.ts'
import { convertFile, isConverted } from './converted-files.ts'
import { doubleFile } from './double-files.ts'
import { type Footer, readFooter } from './footers.ts'
import { expandGlob, type FoundFile, hiveKeys } from './glob.ts'
import { type Unreadable, whyUnreadable } from './unreadable-files.ts'

/** One Parquet file of a source, with what its footer and its path say. */
export interface SourceFile extends FoundFile {
  /** As people are shown it, and as InputFile names it: relative to the project's root where it lies within. */
  shown: string
  /** The Parquet file that holds its rows: `path`, or what that was converted to (converted-files.ts). */
  parquet: string
  /** The path that an engine opens: `parquet`, or a private name of the same file (private-files.ts). */
  opened: string
  footer: Footer
  /** Values of the source's hive keys, as in the path. */
  keys: Map<string, string>
}

/** A source whose files exist; the types of its columns are not checked yet. */
export interface FoundSource {
  name: string
  source: Source
  files: SourceFile[]
  /** Names of the `key=value` folders, in the path's order. */
  hiveKeys: string[]
  /** What the path names and what cannot be read: `admit` says which of it a cut cannot do without. */
  unreadable: Unreadable[]
  zones: Zones
  /** Types of keys as they were decided when the definition was first used, where they were. */
  decidedKeys?: Record<string, KeyType> | undefined
}

/**
 * Finds a source's files and reads their footers (about 1 ms a file, kept while the process lives). Files that are not read
 * as they are get converted first.
 * Throws a late-data Failure where the path names nothing, a contract Failure that names the file where its folders
 * have other keys than the rest, and where links name one file twice. A file that is broken is `unreadable`.
 */
export async function findSource(
  root: string,
  name: string,
  source: Source,
  projectZone: string,
): Promise<FoundSource> {
  const expanded = expandGlob(root, source.path)
  const files: SourceFile[] = []
  const unreadable: Unreadable[] = expanded.unreadable.map((each) => ({
    ...each,
    shown: showPath(root, each.path),
    // What it is named is a key, too, where it stands for a folder.
    keys: ownKeys(root, join(each.path, 'file')),
  }))
  for (const file of expanded.files) {
    const shown = showPath(root, file.path)
    if (/[*?[\]]/.test(file.path)) {
      throw contract(
        name,
        shown,
        `the path has a character that DuckDB reads as a pattern (*, ?, [ or ]): rename the file or its folder`,
      )
    }
    const keys = ownKeys(root, file.path)
    try {
      const found = { ...file, shown, keys }
      const parquet = isConverted(source) ? await convertFile(root, name, source, found) : file.path
      const footer = readFooter(parquet === file.path ? file : ofCopy(parquet), shown)
      files.push({ ...found, parquet, opened: parquet, footer })
    } catch (error) {
      if (error instanceof Failure && error.evidence.field === 'select') throw error
      unreadable.push({ ...file, shown, keys, ...whyUnreadable(file, shown, error, source.format) })
    }
  }
  if (files.length === 0 && unreadable.length === 0) throw missing(root, name, source)
  const keys = [...((files[0] ?? unreadable[0])?.keys.keys() ?? [])]
  for (const file of files) {
    if (file.keys.size !== keys.length || keys.some((key) => !file.keys.has(key))) {
      const expected =
        keys.length === 0
          ? 'no key=value folders'
          : `the folders ${keys.map((key) => `${key}=...`).join('/')}`
      throw contract(
        name,
        file.shown,
        `expected ${expected} in its path as in ${files[0]?.shown}, got: ${[...file.keys.keys()].map((key) => `${key}=...`).join('/') || 'none'}`,
      )
    }
  }
  const double = doubleFile(source, files)
  if (double !== undefined) throw contract(name, double.file.shown, double.why)
  return { name, source, files, hiveKeys: keys, unreadable, zones: zonesOf(source, projectZone) }
}

/**
 * Throws where only the footers of some of these files are here, those of objects: `evidence.fetch` names them for the worker,
 * which fetches them and hands the task over again.
 */
export function requireFetched(files: SourceFile[]): void {
  const missing = files.filter(
    ({ path, shown }) => isObjectPath(shown) && realpathSync(path).endsWith(FOOTER_ONLY),
  )
  if (missing.length === 0) return
  const fetch = [...new Set(missing.map(({ shown }) => shown))]
  throw new Failure('transient', `${fetch.length} objects are still to be fetched, such as ${fetch[0]}`, {
    evidence: { fetch },
  })
}

/** What `readFooter` asks of a file. */
function ofCopy(path: string): FoundFile {
  const { size, mtimeMs, dev, ino } = statSync(path)
  return { path, size, modified: mtimeMs, inode: `${dev}:${ino}` }
}

/** Only keys within the project count: `/data/env=prod/project` says nothing of a source. */
function ownKeys(root: string, path: string): Map<string, string> {
  return hiveKeys(pathWithin(root, path) ?? path)
}

const FORMATS = { parquet: 'Parquet', csv: 'CSV', json: 'JSON' }

/** No file of the source can be read. */
export function missing(root: string, name: string, source: Source): Failure {
  const path = shownPath(source.path)
  const where = isAbsolute(path) || isObjectPath(path) ? path : join(resolve(root), path)
  return new Failure(
    'late-data',
    `source ${name}: expected at least one ${FORMATS[source.format ?? 'parquet']} file at ${path}, got: none (looked in ${where}; names with a leading dot do not count)`,
    { evidence: { source: name, path } },
  )
}

export function contract(source: string, file: string, why: string, cause?: unknown): Failure {
  return new Failure('contract', `source ${source}: ${file}: ${why}`, { cause, evidence: { source, file } })
}
