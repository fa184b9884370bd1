import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The folder in a project for users, mails and the embedded database. Only its owner may read it. */
export const PRIVATE = '.nightshift'
const FOLDER = 0o700

/** Makes `.nightshift`, or a folder within it, readable by its owner only, whatever the process's umask. */
export function privateFolder(root: string, ...names: string[]): string {
  let folder = join(root, PRIVATE)
  makeOne(folder)
  for (const name of names) {
    folder = join(folder, name)
    makeOne(folder)
  }
  return folder
}

function makeOne(folder: string): void {
  const made = mkdirSync(folder, { recursive: true, mode: FOLDER })
  // A folder of another user is unchanged: `closePrivate` has reported it.
  if (made !== undefined || isOpen(folder)) close(folder, FOLDER)
}

function isOpen(path: string): boolean {
  return (statSync(path).mode & 0o077) !== 0
}

/**
 * Removes the permissions of everyone but the owner from `.nightshift` and its contents: an older build, a copy or a
 * umask may have left them. Folders that are already private are not walked again. Links are not followed. Returns
 * the paths that belong to another user and stay open.
 */
export function closePrivate(root: string): string[] {
  const top = join(root, PRIVATE)
  return existsSync(top) ? closeOne(top, 0) : []
}

/** Below these two levels only folders that were open are checked: `outbox` may hold many thousands of mails. */
const ALWAYS = 2

function closeOne(path: string, depth: number): string[] {
  const stat = depth === 0 ? statSync(path) : lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined || stat.isSymbolicLink()) return []
  const wasOpen = (stat.mode & 0o077) !== 0
  const refused = wasOpen && !close(path, stat.isDirectory() ? FOLDER : stat.mode & FOLDER) ? [path] : []
  if (!stat.isDirectory() || !(wasOpen || depth < ALWAYS)) return refused
  return [...refused, ...namesIn(path).flatMap((name) => closeOne(join(path, name), depth + 1))]
}

function close(path: string, mode: number): boolean {
  try {
    chmodSync(path, mode)
    return true
  } catch {
    return false
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
