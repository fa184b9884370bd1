import { Failure } from '../../pipeline/engine/failure.ts'
import { isObjectPath, objectName, readObjectPattern } from '../../project/object-path.ts'
import type { Project } from '../../project/project.ts'
import { type ObjectStore, openObjectStore } from './object-store.ts'

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
