import { readFileSync, statSync } from 'node:fs'
import { didYouMean } from '../../project/files/nearest.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Role } from '../page-context.ts'
import { isHash } from './password.ts'

export const ROLES = ['viewer', 'operator'] as const satisfies readonly Role[]
export const USER_NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/
export const USER_NAME_LEGAL =
  'a name of letters, digits and . _ @ + - that begins with a letter or a digit (64 at most)'

export interface User {
  name: string
  role: Role
  /** bcrypt. */
  hash: string
}

/** Where users are stored: entries, or a file of entries. */
export type UsersSource =
  | { kind: 'entries'; text: string }
  /** `required`: the file was configured explicitly, so it must exist. */
  | { kind: 'file'; path: string; required: boolean }

/** The current users by name; empty if there are none. */
export type Users = () => ReadonlyMap<string, User>

/**
 * Reads the users, and rereads their file when it changes: a removed user loses access immediately. An invalid change is
 * passed to `onError`, and the last valid users stay in use.
 *
 * @throws ConfigurationError if the first read finds an error
 */
export function openUsers(source: UsersSource, onError: (message: string) => void = () => {}): Users {
  if (source.kind === 'entries') {
    const users = parseUsers(source.text, 'NIGHTSHIFT_USERS')
    return () => users
  }
  let seen = stampOf(source.path)
  let users = readUsers(source)
  return () => {
    const stamp = stampOf(source.path)
    if (stamp === seen) return users
    seen = stamp
    try {
      users = readUsers(source)
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      onError(`the users file is invalid, the last valid users stay in use: ${error.message}`)
    }
    return users
  }
}

/** The users of a file; empty if the file does not exist and is not required. */
export function readUsers({ path, required }: { path: string; required: boolean }): Map<string, User> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (missing && !required) return new Map()
    throw new ConfigurationError(
      `NIGHTSHIFT_USERS: expected a file of users, or entries name:role:hash, got: ${path}, which ` +
        `${missing ? 'does not exist' : 'cannot be read'}; \`nightshift user add NAME --role operator\` creates it`,
      { cause: error },
    )
  }
  return parseUsers(text, path)
}

/**
 * Entries `name:role:bcrypt-hash`, separated by newlines, commas or spaces; `#` begins a comment line. Hashes are
 * never part of an error's message.
 *
 * @param where the beginning of error messages: a path, or the name of the variable
 */
export function parseUsers(text: string, where: string): Map<string, User> {
  const users = new Map<string, User>()
  const entries = text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) => line.split(/[\s,]+/))
    .filter((entry) => entry !== '')
  for (const [index, entry] of entries.entries()) {
    const wrong = (message: string) => new ConfigurationError(`${where}: entry ${index + 1}: ${message}`)
    const [name = '', role = '', hash = '', ...rest] = entry.split(':')
    if (role === '' || hash === '' || rest.length > 0) {
      throw wrong('expected name:role:bcrypt-hash, which `nightshift user add` writes, got: something else')
    }
    if (!USER_NAME.test(name)) throw wrong(`expected ${USER_NAME_LEGAL}, got: ${JSON.stringify(name)}`)
    const known = ROLES.find((each) => each === role)
    if (known === undefined) {
      throw wrong(
        `${name}: expected the role ${ROLES.join(' or ')}, got: ${JSON.stringify(role)}${didYouMean(role, [...ROLES])}`,
      )
    }
    if (!isHash(hash)) {
      throw wrong(
        `${name}: expected a bcrypt hash of 60 characters ($2b$, cost 4 to 15), got: ${hash.length} characters that are not one` +
          ' (a shell or .env file may have expanded its $ as variables: use single quotes)',
      )
    }
    if (users.has(name)) throw wrong(`${name} is listed twice: expected each name once`)
    users.set(name, { name, role: known, hash })
  }
  return users
}

function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? 'absent' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`
}
