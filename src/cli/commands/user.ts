import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { readEnvironment } from '../../host/environment.ts'
import { usersSourceOf } from '../../host/users-source.ts'
import { didYouMean } from '../../project/files/nearest.ts'
import { closePrivate } from '../../project/files/private-folder.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { hashPassword } from '../../web/security/password.ts'
import {
  openUsers,
  ROLES,
  USER_NAME,
  USER_NAME_LEGAL,
  type User,
  type UsersSource,
} from '../../web/security/users.ts'
import { changeUsers, entryOf } from '../../web/security/users-file.ts'
import type { GlobalOptions } from '../command.ts'
import { readPassword } from '../terminal/ask-password.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'

interface Options extends GlobalOptions {
  role?: string
}

/** `user add NAME --role ROLE`, `user list`, `user remove NAME`: manages who may sign in to the pages. */
export default async function user([what = '', name]: string[], options: Options): Promise<number> {
  const root = resolve(options.project)
  if (!existsSync(resolve(root, 'nightshift.yaml'))) {
    throw new ConfigurationError(
      `--project: expected a folder that holds nightshift.yaml, got: ${options.project}`,
    )
  }
  const source = usersSourceOf(root, readEnvironment())
  closePrivate(root)
  switch (what) {
    case 'add':
      return add(source, root, nameIn(name), options)
    case 'list':
      return list(source, options)
    case 'remove':
      return remove(source, root, nameIn(name), options)
    default:
      throw new ConfigurationError(
        `user: expected add, list or remove, got: ${what}${didYouMean(what, ['add', 'list', 'remove'])}`,
      )
  }
}

/** An existing user gets the new password and role. */
async function add(source: UsersSource, root: string, name: string, options: Options): Promise<number> {
  const role = ROLES.find((each) => each === options.role)
  if (role === undefined) {
    throw new ConfigurationError(
      `--role: expected viewer (reads) or operator (retries, releases, skips), got: ${options.role ?? 'nothing'}` +
        didYouMean(options.role ?? '', [...ROLES]),
    )
  }
  const added: User = { name, role, hash: await hashPassword(await readPassword(name)) }
  if (source.kind === 'entries') {
    // Standard output has only the entry, so that it can be piped.
    process.stderr.write(
      'NIGHTSHIFT_USERS contains the users: add this entry to it, in single quotes because of its $\n',
    )
    printLine(entryOf(added))
    return 0
  }
  let had = false
  changeUsers(source.path, (users) => {
    had = users.has(name)
    users.set(name, added)
  })
  const file = relative(root, source.path)
  if (options.json) printJson({ name, role, file })
  else if (had)
    printLine(`${name} is ${role} and has a new password: ${file}; earlier sessions are signed out`)
  else printLine(`${name} may sign in as ${role}: ${file}`)
  return 0
}

function list(source: UsersSource, options: Options): number {
  const users = [...openUsers(source)().values()].map(({ name, role }) => ({ name, role }))
  if (options.json) printJson(users)
  else if (users.length === 0) printLine('no users: the pages are only reachable from this machine')
  else
    printTable(
      ['name', 'role'],
      users.map(({ name, role }) => [name, role]),
    )
  return 0
}

function remove(source: UsersSource, root: string, name: string, options: Options): number {
  if (source.kind === 'entries') {
    throw new ConfigurationError(
      `user remove: NIGHTSHIFT_USERS contains the users: remove the entry of ${name} from it`,
    )
  }
  changeUsers(source.path, (users) => {
    if (users.delete(name)) return
    const names = [...users.keys()]
    throw new ConfigurationError(
      `user remove: expected one of ${names.join(', ') || 'no users'}, got: ${name}${didYouMean(name, names)}`,
    )
  })
  const file = relative(root, source.path)
  if (options.json) printJson({ name, file })
  else printLine(`${name} can no longer sign in: ${file}; open sessions are signed out`)
  return 0
}

function nameIn(name: string | undefined): string {
  if (name !== undefined && USER_NAME.test(name)) return name
  throw new ConfigurationError(`user: expected ${USER_NAME_LEGAL}, got: ${name ?? 'nothing'}`)
}
