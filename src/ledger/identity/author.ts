import { hostname, userInfo } from 'node:os'

/** The operating system's user and the machine: recorded beside the name that a person gives. */
export interface Whereabouts {
  os_user: string
  host: string
}

/** Who put something on record: the name given or signed in, and from where. */
export interface Author extends Whereabouts {
  by: string | null
}

export function whereabouts(): Whereabouts {
  return { os_user: osUser(), host: hostname() }
}

export function authorHere(by: string | null): Author {
  return { by, ...whereabouts() }
}

/** A container may run under a number that has no name. */
function osUser(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}
