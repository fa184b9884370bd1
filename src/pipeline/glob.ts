import { type Dirent, readdirSync, statSync } from 'node:fs'
import { isAbsolute, join, resolve, sep } from 'node:path'

export interface FoundFile {
  /** Absolute. Symbolic links are followed, and their own names kept. */
  path: string
  size: number
  /** Milliseconds since 1970, with fractions. */
  modified: number
}

/**
 * The files that a source's path names, sorted by path. `*` and `?` stay within one name, `**` goes through any
 * number of folders, `[ab]` and `{a,b}` choose. What begins with a dot is matched only where it is written out:
 * writers put unfinished files there, and so does Hadoop's `_temporary`. Empty files are left out for the same reason.
 */
export function expandGlob(root: string, pattern: string): FoundFile[] {
  const absolute = isAbsolute(pattern) ? pattern : join(resolve(root), pattern)
  const [first = '', ...segments] = absolute
    .split(sep)
    .filter((segment, index) => index === 0 || segment !== '')
  const found = new Map<string, FoundFile>()
  walk(first === '' ? sep : first, segments, found)
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Values of `key=value` folders of a path, in order. The values are as written, percent signs decoded. */
export function hiveKeys(path: string): Map<string, string> {
  const keys = new Map<string, string>()
  for (const folder of path.split(sep).slice(0, -1)) {
    const split = folder.indexOf('=')
    if (split > 0) keys.set(decode(folder.slice(0, split)), decode(folder.slice(split + 1)))
  }
  return keys
}

function walk(folder: string, segments: string[], found: Map<string, FoundFile>): void {
  const [segment, ...rest] = segments
  if (segment === undefined) return
  if (segment === '**') {
    // As in DuckDB and every shell, a closing `**` means every file below.
    walk(folder, rest.length === 0 ? ['*'] : rest, found)
    for (const entry of entries(folder)) {
      if (!hidden(entry.name) && isFolder(folder, entry)) walk(join(folder, entry.name), segments, found)
    }
    return
  }
  const names = isPattern(segment) ? matching(folder, segment) : [segment]
  for (const name of names) {
    const path = join(folder, name)
    if (rest.length > 0) walk(path, rest, found)
    else keep(path, found)
  }
}

function matching(folder: string, segment: string): string[] {
  const pattern = segmentPattern(segment)
  return entries(folder)
    .map((entry) => entry.name)
    .filter((name) => (segment.startsWith('.') || !hidden(name)) && pattern.test(name))
}

function keep(path: string, found: Map<string, FoundFile>): void {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined || !stat.isFile() || stat.size === 0) return
  found.set(path, { path, size: stat.size, modified: stat.mtimeMs })
}

function entries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return []
    throw error
  }
}

function isFolder(parent: string, entry: Dirent): boolean {
  if (entry.isDirectory()) return true
  return (
    entry.isSymbolicLink() &&
    statSync(join(parent, entry.name), { throwIfNoEntry: false })?.isDirectory() === true
  )
}

function hidden(name: string): boolean {
  return name.startsWith('.') || name === '_temporary'
}

function isPattern(segment: string): boolean {
  return /[*?[\]{}]/.test(segment)
}

function segmentPattern(segment: string): RegExp {
  let source = ''
  let depth = 0
  for (let at = 0; at < segment.length; at++) {
    const char = segment.charAt(at)
    const close = char === '[' ? segment.indexOf(']', at + 2) : -1
    if (char === '*') source += '.*'
    else if (char === '?') source += '.'
    else if (close > 0) {
      const inside = segment.slice(at + 1, close).replace(/\\/g, '\\\\')
      source += `[${inside.replace(/^!/, '^')}]`
      at = close
    } else if (char === '{') {
      source += '(?:'
      depth++
    } else if (char === '}' && depth > 0) {
      source += ')'
      depth--
    } else if (char === ',' && depth > 0) source += '|'
    else source += char.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  }
  return new RegExp(`^${source}${')'.repeat(depth)}$`, 's')
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
