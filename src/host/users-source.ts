import { join } from 'node:path'
import { PRIVATE } from '../project/files/private-folder.ts'
import type { UsersSource } from '../web/security/users.ts'
import type { Environment } from './environment.ts'

/** Where a project's users are stored: NIGHTSHIFT_USERS, otherwise its `.nightshift/users`. */
export function usersSourceOf(root: string, { users }: Pick<Environment, 'users'>): UsersSource {
  return users ?? { kind: 'file', path: join(root, PRIVATE, 'users'), required: false }
}
