import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Failure } from '../pipeline/engine/failure.ts'
import { makeFolder } from '../pipeline/partition/sync.ts'
import {
  isObjectPath,
  objectName,
  placeOf,
  readObjectPattern,
  shownWarehouse,
} from '../project/object-path.ts'
import type { Project } from '../project/project.ts'
import { type ObjectStore, openObjectStore } from './object-store.ts'
import { hasFiles, sendFile } from './warehouse-files.ts'

/** Paths into object storage that a project's sources name, each once. */
export function objectPaths({ views, models }: Pick<Project, 'views' | 'models'>): string[] {
  const sources = [...Object.values(views), ...Object.values(models)].flatMap((each) =>
    Object.values(each.sources),
  )
  return [...new Set(sources.map(({ path }) => path).filter(isObjectPath))]
}

/**
 * Does with each path what a night does: lists it (one page) and reads the end of one object. Returns a sentence for each.
 * Throws a Failure that names the path, the missing permission and what to do.
 */
export async function tryObjects(
  paths: string[],
  open: () => Promise<ObjectStore> = openObjectStore,
): Promise<string[]> {
  const store = await open()
  const said: string[] = []
  for (const path of paths) {
    const { bucket, prefix } = readObjectPattern(path)
    for await (const page of store.list(bucket, prefix)) {
      const [first] = page
      if (first === undefined) break
      await store.readEnd(first, 8)
      said.push(`${objectName(bucket, prefix)} can be listed and read (${first.key})`)
      break
    }
    if (said.length < paths.indexOf(path) + 1)
      throw new Failure('late-data', `${path}: it can be listed, but no key begins with ${prefix}`)
  }
  return said
}

/**
 * Does with a warehouse in a bucket what a night does: stores a small object, reads it back, lists, copies and removes.
 * Returns a sentence. Throws a Failure that names the missing permission.
 */
export async function tryWarehouse(warehouse: string): Promise<string> {
  const name = `doctor-${randomUUID()}`
  const [file, copy] = [name, `${name}-copy`].map((each) => join(warehouse, '.attempts', each, 'try.parquet'))
  const [from, to] = [placeOf(file ?? ''), placeOf(copy ?? '')]
  if (file === undefined || from === undefined || to === undefined)
    throw new Failure('bug', `expected the path of a warehouse in a bucket, got: ${warehouse}`)
  const store = await openObjectStore()
  await makeFolder(dirname(file))
  try {
    await writeFile(file, name)
    await sendFile(file)
    const stored = await store.head(from)
    if (stored === undefined || (await store.copy(stored, to)) === undefined)
      throw new Failure('transient', `${objectName(from.bucket, from.key)} is gone right after it was stored`)
    await hasFiles(warehouse)
    for (const each of [from, to]) await store.remove(each)
  } catch (error) {
    for (const each of [from, to]) await store.remove(each).catch(() => {})
    throw error
  } finally {
    await rm(dirname(file), { recursive: true, force: true })
  }
  return `${shownWarehouse(warehouse)} can be listed, read, written, copied within and removed from`
}
