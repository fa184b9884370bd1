import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface PartitionPath {
  /** The folder `as_of=<label>`. */
  folder: string
  /** The stable name that readers know. */
  file: string
}

const FILES = { features: 'features.parquet', scores: 'scores.parquet' } as const

/** Where a view's features or a model's scores of one as-of are: always one whole partition, old or new. */
export function partitionPath(
  warehouse: string,
  kind: 'features' | 'scores',
  name: string,
  label: string,
): PartitionPath {
  const folder = join(warehouse, kind, name, `as_of=${label}`)
  return { folder, file: join(folder, FILES[kind]) }
}

/** The folder that belongs to one attempt alone; `attempt` is `<run>-a<n>`. */
export function attemptFolder(warehouse: string, attempt: string): string {
  return join(warehouse, '.attempts', attempt)
}

/**
 * Renames an attempt's file over the stable name and syncs both folders, then removes the attempt's folder.
 * @returns false where the file is not there (any more): it was moved before, or the attempt's files were removed
 */
export async function moveIntoPlace(from: string, to: PartitionPath): Promise<boolean> {
  const file = join(from, to.file.slice(to.folder.length + 1))
  await mkdir(to.folder, { recursive: true })
  const moved = await rename(file, to.file).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
      throw error
    },
  )
  // Also where somebody else renamed it: they may have died before they synced.
  await syncFolder(to.folder)
  await syncFolder(dirname(to.folder))
  await rm(from, { recursive: true, force: true })
  return moved
}

/** Removes the folders of these attempts, so that nobody can publish from them any more. */
export async function removeAttempts(warehouse: string, attempts: string[]): Promise<void> {
  await Promise.all(
    attempts.map((attempt) => rm(attemptFolder(warehouse, attempt), { recursive: true, force: true })),
  )
}

/** Waits until a file's content is on the disk. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Waits until a folder's entries are on the disk: a rename is not safe before that. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
