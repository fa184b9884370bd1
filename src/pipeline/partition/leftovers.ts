import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Removes what killed processes have left below a folder: entries whose name is `meant`, in which nothing has changed
 * for `olderThanMs` at `now` (milliseconds since 1970). Returns their names. Whatever cannot be read is left alone.
 */
export async function sweepFolder(
  folder: string,
  { meant, now, olderThanMs }: { meant: (name: string) => boolean; now: number; olderThanMs: number },
): Promise<string[]> {
  const swept: string[] = []
  for (const name of await readdir(folder).catch(() => [])) {
    if (!meant(name)) continue
    const path = join(folder, name)
    const changed = await newestChange(path).catch(() => undefined)
    if (changed === undefined || now - changed < olderThanMs) continue
    const removed = await rm(path, { recursive: true, force: true }).then(
      () => true,
      () => false,
    )
    if (removed) swept.push(name)
  }
  return swept
}

/** A folder's time does not change with its files, so the files of running work are checked too. */
async function newestChange(path: string): Promise<number> {
  const found = await stat(path)
  if (!found.isDirectory()) return found.mtimeMs
  const within = (await readdir(path)).map((name) => newestChange(join(path, name)).catch(() => 0))
  return Math.max(found.mtimeMs, ...(await Promise.all(within)))
}
