import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { ConfigurationError } from '../../project/files/problem.ts'
import { readUsers, type User } from './users.ts'

const HEADER = '# Users who may sign in to the pages, written by `nightshift user`: name:role:bcrypt-hash\n'

/**
 * Changes the users of a file: the new file replaces the old one atomically, and only its owner can read it. The
 * temporary file is also the lock.
 *
 * @throws ConfigurationError if another process is changing the file
 */
export function changeUsers(path: string, change: (users: Map<string, User>) => void): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.new`
  const file = openTemporary(temporary)
  try {
    try {
      const users = readUsers({ path, required: false })
      change(users)
      writeSync(file, HEADER + [...users.values()].map((user) => `${entryOf(user)}\n`).join(''))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    // Independent of the umask of the process.
    chmodSync(temporary, 0o600)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** A user's entry in the file or in NIGHTSHIFT_USERS. */
export function entryOf({ name, role, hash }: User): string {
  return `${name}:${role}:${hash}`
}

function openTemporary(temporary: string): number {
  try {
    return openSync(temporary, 'wx', 0o600)
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (!taken) throw error
    throw new ConfigurationError(
      `${temporary} exists: another \`nightshift user\` is running, or was killed; in that case, remove the file`,
      { cause: error },
    )
  }
}
