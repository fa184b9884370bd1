import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { ConfigurationError } from '../../project/files/problem.ts'
import { readUsers, type User } from './users.ts'

const HEADER = '# Who may sign in to the pages, as `nightshift user` writes it: name:role:bcrypt-hash\n'

/**
 * Changes the users of a file: the new one takes the place of the old one whole, and only its owner can read it. The
 * file that is being written is the lock as well.
 *
 * @throws ConfigurationError where somebody else changes it at this moment
 */
export function changeUsers(path: string, change: (users: Map<string, User>) => void): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const aside = `${path}.new`
  const file = openAside(aside)
  try {
    try {
      const users = readUsers({ path, required: false })
      change(users)
      writeSync(file, HEADER + [...users.values()].map((user) => `${entryOf(user)}\n`).join(''))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    // Whatever the mask of the process says.
    chmodSync(aside, 0o600)
    renameSync(aside, path)
  } catch (error) {
    rmSync(aside, { force: true })
    throw error
  }
}

/** As it stands in a file, or in NIGHTSHIFT_USERS. */
export function entryOf({ name, role, hash }: User): string {
  return `${name}:${role}:${hash}`
}

function openAside(aside: string): number {
  try {
    return openSync(aside, 'wx', 0o600)
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (!taken) throw error
    throw new ConfigurationError(
      `${aside} is there: another \`nightshift user\` is at work, or was killed; remove the file in that case`,
      { cause: error },
    )
  }
}
