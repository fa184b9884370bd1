import { copyFile, link, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { makeFolder, syncFolder } from './sync.ts'

/** Where a partition is published: one file under a stable name, always one whole partition. */
export interface PartitionPath {
  folder: string
  file: string
}

export type PartitionKind = 'features' | 'scores'

/** Paths of a published partition. `label` is the as-of's: `2026-11-22` or `2026-11-22T03Z`. */
export function partitionPath(
  warehouse: string,
  kind: PartitionKind,
  name: string,
  label: string,
): PartitionPath {
  const folder = join(warehouse, kind, name, `as_of=${label}`)
  return { folder, file: join(folder, `${kind}.parquet`) }
}

/** Paths of what a challenger scored beside the champion. */
export function shadowPath(warehouse: string, model: string, version: number, label: string): PartitionPath {
  const folder = join(warehouse, 'shadow', model, `challenger=${version}`, `as_of=${label}`)
  return { folder, file: join(folder, 'scores.parquet') }
}

/** Paths of what a person has scored with a version that need not be live. */
export function trialPath(warehouse: string, model: string, version: number, label: string): PartitionPath {
  const folder = join(warehouse, 'trials', model, `version=${version}`, `as_of=${label}`)
  return { folder, file: join(folder, 'scores.parquet') }
}

/** Paths of what a current process had scored, as it was read once for the night. */
export function currentPath(warehouse: string, model: string, label: string): PartitionPath {
  const folder = join(warehouse, 'shadow', model, 'current', `as_of=${label}`)
  return { folder, file: join(folder, 'scores.parquet') }
}

/** Where scores are kept that another run's have taken the place of. */
export function supersededPath(warehouse: string, model: string, label: string, run: string): string {
  return join(warehouse, 'superseded', model, `as_of=${label}`, `${run}.parquet`)
}

/** A second name of the file that is published, beside the stable one: what removes or replaces that leaves this. */
export function keptPath(warehouse: string, run: string): string {
  return join(warehouse, '.published', `${run}.parquet`)
}

/** Where a file is put that lay under a stable name and was not what the ledger says. */
export function foreignPath(
  warehouse: string,
  kind: PartitionKind,
  name: string,
  label: string,
  id: string,
): string {
  return join(warehouse, '.foreign', kind, name, `as_of=${label}`, `${id}.parquet`)
}

/** Keeps a published file under a second name: a hard link if the disk supports it, else a copy. Safe to repeat. */
export async function keepFile(file: string, kept: string): Promise<void> {
  await makeFolder(dirname(kept))
  try {
    await link(file, kept)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EEXIST' || code === 'ENOENT') return
    await copyFile(file, kept)
  }
  await syncFolder(dirname(kept))
}

/** The folder of one attempt (`<run>-a<n>`), which no other attempt writes to. */
export function attemptFolder(warehouse: string, attempt: string): string {
  return join(warehouse, '.attempts', attempt)
}

/**
 * Renames an attempt's file over the partition's stable name, syncs the folders, and removes the attempt's. After a
 * power cut the path shows the old or the new partition, whole. Safe to repeat, and to do twice at once. Returns
 * false where the file is not there (any more): it was moved before, or a later attempt removed it.
 */
export async function moveIntoPlace(attempt: string, target: PartitionPath): Promise<boolean> {
  await makeFolder(target.folder)
  const moved = await rename(join(attempt, basename(target.file)), target.file).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
      throw error
    },
  )
  // Also if another process renamed it: it may have died before syncing.
  await syncFolder(target.folder)
  await rm(attempt, { recursive: true, force: true })
  return moved
}
