import { type Dirent, lstatSync, readdirSync, statSync } from 'node:fs'
import { extname, isAbsolute, join, resolve, sep } from 'node:path'
import { isObjectPath } from '../../project/object-path.ts'
import { Failure } from '../engine/failure.ts'
import { walkPattern } from './walk-files.ts'

export interface FoundFile {
  /** Absolute. Symbolic links are followed, and their own names kept. */
  path: string
  size: number
  /** Milliseconds since 1970, with fractions. */
  modified: number
  /** Device and inode: two paths with one of them name one file. */
  inode: string
}

/** What a source's path names, files and others, each sorted by path. */
export interface Expanded {
  files: FoundFile[]
  unreadable: UnreadablePath[]
}

/** A path that the pattern names and that is no file: a folder, a link to nothing, what may not be looked at. */
export interface UnreadablePath {
  path: string
  /** Completes a sentence that begins with the path. */
  why: string
  /** Milliseconds since 1970; undefined where it cannot be known. */
  modified: number | undefined
}

/**
 * The files that a source's path names. `*` and `?` stay within one name, `**` goes through any number of folders,
 * `[ab]` and `{a,b}` choose. What begins with a dot is matched only where it is written out: writers put unfinished
 * files there, and so does Hadoop's `_temporary`. Nothing else that the pattern names is left out in silence: what is
 * no file is `unreadable`. A folder is so only where no other path that the pattern names lies within it.
 */
export function expandGlob(root: string, pattern: string): Expanded {
  // A worker hands over where they are kept on this machine (workers/objects).
  if (isObjectPath(pattern)) throw new Failure('bug', `expected files on this machine, got: ${pattern}`)
  const found: Found = new Map()
  walkPattern(isAbsolute(pattern) ? sep : resolve(root), pattern, {
    list: (folder) => entries(folder, found),
    isFolder,
    take: (path, segment) => keep(path, segment, found),
    refuse: (path, why) => found.set(path, { path, why, modified: modifiedOf(path) }),
  })
  const sorted = [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
  return {
    files: sorted.filter((each) => 'size' in each),
    unreadable: sorted.filter((each) => 'why' in each).filter((each) => !holdsOther(each, sorted)),
  }
}

type Found = Map<string, FoundFile | UnreadablePath>

function holdsOther({ path, why }: UnreadablePath, all: { path: string }[]): boolean {
  return why === FOLDER && all.some((other) => other.path.startsWith(`${path}${sep}`))
}

/** What Hive and Spark write for a null key. */
export const HIVE_NULL = '__HIVE_DEFAULT_PARTITION__'

/**
 * Values of `key=value` folders of a path, in order. The values are as written, percent signs decoded. A folder with two
 * signs of equality is none of them to DuckDB: writers encode a sign within a value.
 */
export function hiveKeys(path: string): Map<string, string> {
  const keys = new Map<string, string>()
  for (const folder of path.split(sep).slice(0, -1)) {
    const [key = '', value, more] = folder.split('=')
    if (key !== '' && value !== undefined && more === undefined) keys.set(decode(key), decode(value))
  }
  return keys
}

/** The folders of the path that name the source's keys. `NULL` is a text, and none to DuckDB unless a letter is encoded. */
export function keyFolders({ path, keys }: { path: string; keys: ReadonlyMap<string, string> }): string[] {
  const folders = path
    .split(sep)
    .slice(0, -1)
    .filter((folder) => folder.indexOf('=') > 0)
  const named = keys.size === 0 ? [] : folders.slice(-keys.size)
  return named.map((folder) =>
    folder.replace(/=(n)(ull)$/i, (_, n: string, rest: string) => `=%${n.charCodeAt(0).toString(16)}${rest}`),
  )
}

const FOLDER = 'is a folder'
/** Empty files by which Hadoop and Spark mark a folder as whole, and files that hold others' footers, never rows. */
const MARKERS = /^_(?:SUCCESS|metadata|common_metadata|(?:committed|started)_\d+)$/

function keep(path: string, segment: string, found: Found): void {
  const name = path.slice(path.lastIndexOf(sep) + 1)
  if (segment !== name && MARKERS.test(name)) return
  const seen = look(path)
  if (seen === undefined) return
  // `data/*` means the files there; a folder is meant by it only where it is named as data.
  const isAny = segment === '*' && !['.parquet', '.parq', '.pq'].includes(extname(name).toLowerCase())
  if ('why' in seen && seen.why === FOLDER && isAny) return
  found.set(path, seen)
}

/** Undefined where nothing lies there. */
function look(path: string): FoundFile | UnreadablePath | undefined {
  const unreadable = (why: string) => ({ path, why, modified: modifiedOf(path) })
  try {
    const own = lstatSync(path, { throwIfNoEntry: false })
    if (own === undefined) return undefined
    const stat = own.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : own
    if (stat === undefined) return unreadable('is a link to something that is not there')
    if (stat.isDirectory()) return { ...unreadable(FOLDER), modified: stat.mtimeMs }
    if (!stat.isFile()) return unreadable('is neither a file nor a link to one')
    return { path, size: stat.size, modified: stat.mtimeMs, inode: `${stat.dev}:${stat.ino}` }
  } catch (error) {
    return unreadable(reasonOf(error))
  }
}

/** What the system's refusal means; throws what is none. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ELOOP':
      return 'is a link that leads back to itself'
    case 'EACCES':
    case 'EPERM':
      return 'may not be read by the user that Nightshift runs as: give it the permission'
    case 'ENAMETOOLONG':
      return 'leads to a name that is too long'
    default:
      throw error
  }
}

/** Names in a folder. One that is not there has none; one that is a broken link, or may not be listed, is unreadable. */
function entries(folder: string, found: Found): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOTDIR') return []
    if (code === 'ENOENT') {
      const own = look(folder)
      if (own !== undefined && 'why' in own) found.set(folder, own)
      return []
    }
    found.set(folder, { path: folder, why: reasonOf(error), modified: modifiedOf(folder) })
    return []
  }
}

function modifiedOf(path: string): number | undefined {
  try {
    return lstatSync(path).mtimeMs
  } catch {
    return undefined
  }
}

/** A broken link without an extension stands for a folder, so that a day that was moved away is not a day without rows. */
function isFolder(parent: string, entry: Dirent): boolean {
  if (entry.isDirectory()) return true
  if (!entry.isSymbolicLink()) return false
  try {
    const stat = statSync(join(parent, entry.name), { throwIfNoEntry: false })
    return stat === undefined ? !entry.name.includes('.') : stat.isDirectory()
  } catch {
    return !entry.name.includes('.')
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
