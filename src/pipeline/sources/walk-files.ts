import { type Dirent, realpathSync } from 'node:fs'
import { join, sep } from 'node:path'
import { Minimatch } from 'minimatch'
import { isWild, patternRows } from '../../project/files/path-pattern.ts'

/** What a walk asks of the files, and what it tells. */
export interface Walker {
  /** What a folder has. */
  list(folder: string): Dirent[]
  isFolder(parent: string, entry: Dirent): boolean
  /** The pattern names this path; `segment` is the pattern of its last name. */
  take(path: string, segment: string): void
  /** A link that would make `**` loop forever. `why` goes on behind its path. */
  refuse(path: string, why: string): void
}

/** Walks through what a sound pattern names below a folder. Each folder is listed once, whatever the pattern. */
export function walkPattern(start: string, pattern: string, walker: Walker): void {
  const rests = patternRows(pattern).map((names, row) => ({ row, parts: names.map(partOf), at: 0 }))
  walk({ path: start, above: [] }, rests, walker)
}

/** A name as it is, names that match, or any number of folders. */
type Part = string | Minimatch | typeof ANY_FOLDERS
const ANY_FOLDERS = Symbol('**')
const EVERY_FILE = new Minimatch('*', { platform: 'linux' })

/** What is left of one row of the pattern below a folder: `parts` from `at` on. */
interface Rest {
  row: number
  parts: Part[]
  at: number
}

interface Folder {
  path: string
  /** Real paths of the folders that `**` went through to here, this one last; empty where it went through none. */
  above: string[]
}

function partOf(name: string): Part {
  if (name === '**') return ANY_FOLDERS
  if (!isWild(name)) return name
  const only = { nobrace: true, nocomment: true, nonegate: true, noext: true }
  return new Minimatch(name, { ...only, platform: 'linux' })
}

function walk(folder: Folder, rests: Rest[], walker: Walker): void {
  const below = new Map<string, { folder: Folder; rests: Rest[] }>()
  const go = (name: string, rest: Rest, above: string[] = []) => {
    const known = below.get(name) ?? { folder: { path: join(folder.path, name), above }, rests: [] }
    known.rests.push(rest)
    below.set(name, known)
  }
  const meet = (name: string, part: string | Minimatch, rest: Rest) => {
    const next = { ...rest, at: rest.at + 1 }
    if (next.at < rest.parts.length) go(name, next)
    else walker.take(join(folder.path, name), typeof part === 'string' ? part : part.pattern)
  }
  const here = withoutFolders(rests)
  const deeper = here.filter(({ parts, at }) => parts[at] === ANY_FOLDERS)
  const entries = here.every(({ parts, at }) => typeof parts[at] === 'string') ? [] : walker.list(folder.path)
  const real = deeper.length === 0 || folder.above.length > 0 ? folder.above : realPath(folder.path)
  for (const entry of deeper.length === 0 ? [] : entries) {
    if (isHidden(entry.name) || !walker.isFolder(folder.path, entry)) continue
    const above = aboveOf({ ...folder, above: real }, entry, walker)
    if (above !== undefined) for (const rest of deeper) go(entry.name, rest, above)
  }
  for (const rest of here) {
    const part = rest.parts[rest.at]
    if (typeof part === 'string') meet(part, part, rest)
    else if (part instanceof Minimatch) {
      for (const { name } of entries)
        if (name !== HADOOP_UNFINISHED && part.match(name)) meet(name, part, rest)
    }
  }
  for (const next of below.values()) walk(next.folder, next.rests, walker)
}

/**
 * The rests that begin here: `**` may stand for no folder, and a closing one, as in every shell, means every file.
 */
function withoutFolders(rests: Rest[]): Rest[] {
  const known = new Map<string, Rest>()
  const add = (rest: Rest) => {
    const key = `${rest.row} ${rest.at}`
    if (known.has(key)) return
    known.set(key, rest)
    if (rest.parts[rest.at] !== ANY_FOLDERS) return
    const isLast = rest.at === rest.parts.length - 1
    const parts = isLast ? [...rest.parts, EVERY_FILE] : rest.parts
    add({ ...rest, parts, at: rest.at + 1 })
  }
  for (const rest of rests) add(rest)
  return [...known.values()]
}

const HADOOP_UNFINISHED = '_temporary'

function isHidden(name: string): boolean {
  return name.startsWith('.') || name === HADOOP_UNFINISHED
}

/** The real paths down to a folder that `**` goes into; undefined where it is a link back to one of them. */
function aboveOf({ path: folder, above }: Folder, entry: Dirent, walker: Walker): string[] | undefined {
  if (!entry.isSymbolicLink()) return [...above, join(above.at(-1) ?? folder, entry.name)]
  const path = join(folder, entry.name)
  const own = realPath(path)
  const [real] = own
  if (real === undefined || !above.some((each) => isWithin(each, real))) return [...above, ...own]
  walker.refuse(
    path,
    `is a link to ${real}, through which ** came here: it would go around for ever; remove the link, or name the folders in place of **`,
  )
  return undefined
}

/** Empty for a link that leads nowhere. */
function realPath(path: string): string[] {
  try {
    return [realpathSync(path)]
  } catch {
    return []
  }
}

function isWithin(path: string, folder: string): boolean {
  return folder === sep || path === folder || path.startsWith(`${folder}${sep}`)
}
