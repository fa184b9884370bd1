import { isUtf8 } from 'node:buffer'
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { isAbsolute, join, sep } from 'node:path'

/** Hand-written files of a project (YAML, SQL, a runbook) are not longer. */
export const LONGEST_FILE = 1024 * 1024

/** Why a file of the project cannot be read. `fault` is a full sentence. */
export interface Unread {
  fault: string
  missing: boolean
}

/**
 * Reads a text file of the project, named relative to its root, as UTF-8 without its byte order mark; or returns the
 * reason why it cannot. Reads only regular files of at most 1 MiB whose real path is within the project: a link out
 * of it would show files of the machine on a page. Never blocks: a pipe is refused, not opened.
 */
export function readProjectFile(root: string, file: string): string | Unread {
  const path = join(root, file)
  try {
    const outside = isAbsolute(file) || leaves(root, path)
    if (outside !== false) return refused(leavingWords(file, outside))
    const bytes = readWhole(path)
    return typeof bytes === 'string' ? refused(bytes) : textOf(bytes)
  } catch (cause) {
    return unread(cause)
  }
}

/**
 * The real path of a file or folder, if that is outside the project; else false. Throws if it does not exist.
 */
export function leaves(root: string, path: string): string | false {
  const base = realPath(root)
  const real = realPath(path)
  return real === base || real.startsWith(base === sep ? sep : `${base}${sep}`) ? false : real
}

/** As one call of the system, which knows less of links into `/proc`: those, and what is missing, are told by Node's own. */
function realPath(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    return realpathSync(path)
  }
}

/** The message for a file or folder that a link or `..` takes out of the project. */
export function leavingWords(file: string, real: string | true): string {
  const where = real === true ? 'a file of the machine' : real
  return `expected a file within the project, but ${file} leads out of it, to ${where}: put the file itself in the project`
}

/** What a file is read into: the next one overwrites it. A MiB for each file of a thousand models would be a gigabyte to collect. */
let space: Buffer | undefined

/** The bytes of a regular file, until the next one is read; or the reason why it is refused. */
function readWhole(path: string): Buffer | string {
  const before = statSync(path)
  if (before.isDirectory()) return 'expected a file, but it is a folder'
  if (!before.isFile())
    return 'expected a file, but it is a device, a pipe or a socket: put a plain file there'
  // Does not block if the file is replaced by a pipe between the two checks.
  const handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  try {
    const opened = fstatSync(handle)
    const now = lstatSync(realPath(path))
    const same = [before, now].every(({ dev, ino }) => dev === opened.dev && ino === opened.ino)
    if (!opened.isFile() || !same) return 'the file was replaced while it was read: try again'
    if (opened.size > LONGEST_FILE) return tooLong(opened.size)
    space ??= Buffer.allocUnsafe(LONGEST_FILE + 1)
    const bytes = space
    let length = 0
    for (let got = -1; got !== 0 && length < bytes.length; length += got) {
      got = readSync(handle, bytes, length, bytes.length - length, null)
    }
    return length > LONGEST_FILE ? tooLong(length) : bytes.subarray(0, length)
  } finally {
    closeSync(handle)
  }
}

const BYTE_ORDER_MARK = '\uFEFF'

function textOf(bytes: Buffer): string | Unread {
  // The first TextDecoder of a process took 28 ms of a command that took 665 (a profile, on a busy machine).
  if (!isUtf8(bytes)) return refused('expected a text file in UTF-8, got other bytes: save it as UTF-8')
  const text = bytes.toString('utf8')
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
}

function tooLong(bytes: number): string {
  return `expected a file of at most 1 MiB (${LONGEST_FILE} bytes), got: ${bytes} or more bytes; it is not read`
}

function refused(fault: string): Unread {
  return { fault, missing: false }
}

function unread(cause: unknown): Unread {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
  const why =
    {
      ENOENT: 'is missing',
      ENOTDIR: 'is missing',
      EACCES: 'is not readable by this user',
      ELOOP: 'is a link that leads back to itself',
      ENXIO: 'is a pipe or a socket',
    }[code] ?? `cannot be read (${code})`
  return { fault: `expected a file, but it ${why}`, missing: code === 'ENOENT' || code === 'ENOTDIR' }
}
