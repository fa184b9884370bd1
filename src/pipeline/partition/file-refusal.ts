import { constants, readFileSync } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'
import { classify } from '../engine/classify.ts'
import { Failure } from '../engine/failure.ts'

/**
 * A refusal of the file system, as a Failure that the person on call can act on: the path, its owner and permissions,
 * and the user of this process. `resource`: what is lacking (a permission, room, a disk that may be written) can come
 * back while we wait, unlike data or SQL that break a promise. Errors that pass by themselves stay `transient`.
 *
 * @param what what could not be done: `the partition could not be published`
 * @param written folders that had to be written, the likelier cause first; those that do not exist yet may be among
 * them
 */
export async function refusal(error: unknown, what: string, written: string[]): Promise<Failure> {
  const code = codeOf(error)
  if (code === undefined) return classify(error)
  const found = await blame(error, code, written)
  return new Failure(
    PASSING.has(found.code) ? 'transient' : 'resource',
    `${what}: ${found.path} ${await explain(found.path, found.code)} (${found.code})`,
    {
      cause: error,
      evidence: {
        code: found.code,
        path: found.path,
        told_by: error instanceof Error ? error.message : String(error),
      },
    },
  )
}

/** Temporary errors of a disk or a network share. */
const PASSING = new Set(['EIO', 'EBUSY', 'EAGAIN', 'ESTALE', 'ETIMEDOUT', 'ENOENT', 'EINTR'])

/** The folder that may not be written; else the path that the error names. */
async function blame(
  error: unknown,
  code: string,
  written: string[],
): Promise<{ path: string; code: string }> {
  for (const folder of written) {
    const path = await nearest(folder)
    if ((await stat(path).catch(() => undefined))?.isDirectory() === false) return { path, code: 'ENOTDIR' }
    const denied = await access(path, constants.W_OK | constants.X_OK).then(
      () => undefined,
      (reason: unknown) => codeOf(reason) ?? 'EACCES',
    )
    if (denied !== undefined) return { path, code: denied }
  }
  return { path: await nearest(pathOf(error) ?? written[0] ?? '/'), code }
}

async function explain(path: string, code: string): Promise<string> {
  switch (code) {
    case 'EACCES':
      return `may not be written by ${ourselves()}: ${await ownership(path)}. Give that user the permission, or run as the owner`
    case 'EPERM':
      return (
        `may not be changed by ${ourselves()}: ${await ownership(path)}. It is immutable (lsattr -d shows an i or a; chattr -i ` +
        'takes it away), or belongs to another user in a folder with the sticky bit'
      )
    case 'EROFS':
      return `lies on a disk that may only be read: ${await ownership(path)}. Mount it for writing`
    case 'ENOSPC':
    case 'EDQUOT':
      return `has no room left: ${await room(path)}. Make room`
    case 'EISDIR':
    case 'ENOTEMPTY':
    case 'EEXIST':
      return `is a folder where a file is expected: ${await ownership(path)}. Move it aside`
    case 'ENOTDIR':
      return `is a file where a folder is expected: ${await ownership(path)}. Move it aside`
    default:
      return `was refused: ${await ownership(path)}`
  }
}

/** `it belongs to root (0:0) with permissions drwxr-xr-x`. */
async function ownership(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return 'its owner cannot be read'
  const owner = nameOf(found.uid)
  return `it belongs to ${owner} (${found.uid}:${found.gid}) with permissions ${permissions(found.mode)}`
}

async function room(path: string): Promise<string> {
  const disk = await statfs(path).catch(() => undefined)
  if (disk === undefined) return 'its disk cannot be asked'
  const mb = (blocks: number) => Math.round((blocks * disk.bsize) / 1_000_000)
  return `${mb(disk.bavail)} of ${mb(disk.blocks)} MB and ${disk.ffree} of ${disk.files} names are free on its disk`
}

/** The path itself, or what there is of it. */
async function nearest(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    if (at === dirname(at) || (await stat(at).catch(() => undefined)) !== undefined) return at
  }
}

function permissions(mode: number): string {
  const letters = 'rwxrwxrwx'
  const bits = [...letters].map((letter, index) => (mode & (1 << (8 - index)) ? letter : '-')).join('')
  const sticky = mode & 0o1000 ? `${bits.slice(0, 8)}${mode & 1 ? 't' : 'T'}` : bits
  return `${(mode & constants.S_IFMT) === constants.S_IFDIR ? 'd' : '-'}${sticky}`
}

function ourselves(): string {
  const uid = process.geteuid?.()
  return uid === undefined ? userInfo().username : `this process, which runs as ${nameOf(uid)} (${uid})`
}

/** Containers run as users that /etc/passwd does not know. */
function nameOf(uid: number): string {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((each) => each.split(':')[2] === String(uid))
    return line?.split(':')[0] ?? 'a user without a name'
  } catch {
    return 'a user'
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error
    ? error.code
    : undefined
}

/** What a rename was to replace, or what else the error names. */
function pathOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('dest' in error && typeof error.dest === 'string') return error.dest
  return 'path' in error && typeof error.path === 'string' ? error.path : undefined
}
