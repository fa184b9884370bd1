import type { Project } from '../../project/project.ts'
import { addedBytes, trimCopies } from '../../storage/warehouse-copy.ts'
import { cacheBytes } from './with-objects.ts'

/** What this process had added when it last looked. */
let seen = 0

/**
 * Keeps the copies of a warehouse in a bucket within the project's `objects` where this process has added some since it last
 * did: a machine without a worker has nobody else who does. Does not throw: what remains is trimmed the next time.
 */
export async function trimCopiesAdded({
  warehouse,
  objects,
  root,
}: Pick<Project, 'warehouse' | 'objects' | 'root'>): Promise<void> {
  const now = addedBytes()
  if (now === seen) return
  seen = now
  await Promise.resolve()
    .then(() => trimCopies(warehouse, cacheBytes(objects, root)))
    .catch(() => {})
}
