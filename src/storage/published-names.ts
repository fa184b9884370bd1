import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { prefixOf } from '../project/object-path.ts'
import { openObjectStore } from './object-store.ts'

const KINDS = ['features', 'scores'] as const

/** Views and models that have a published partition in the warehouse, by name. */
export async function publishedNames(warehouse: string): Promise<string[]> {
  const place = prefixOf(warehouse)
  if (place === undefined) return KINDS.flatMap((kind) => namesIn(join(warehouse, kind), kind))
  const store = await openObjectStore()
  const names: string[] = []
  for (const kind of KINDS) names.push(...(await store.folders(place.bucket, `${place.prefix}${kind}/`)))
  return names
}

function namesIn(folder: string, kind: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter((name) => {
    const own = readdirSync(join(folder, name), { withFileTypes: true })
    return own.some(
      (entry) => entry.isDirectory() && existsSync(join(folder, name, entry.name, `${kind}.parquet`)),
    )
  })
}
