import { hostname, userInfo } from 'node:os'

/** Who put evidence on record: the name given or signed in, the operating system's user, and the machine. */
export interface Author {
  by: string | null
  os_user: string
  host: string
}

export function authorHere(by: string | null): Author {
  return { by, os_user: osUser(), host: hostname() }
}

/** A container may run under a number that has no name. */
function osUser(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}
