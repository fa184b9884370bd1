import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Views and models that have a published partition in the warehouse, by name. */
export function publishedNames(warehouse: string): string[] {
  return (['features', 'scores'] as const).flatMap((kind) => {
    const folder = join(warehouse, kind)
    if (!existsSync(folder)) return []
    return readdirSync(folder).filter((name) => {
      const own = readdirSync(join(folder, name), { withFileTypes: true })
      return own.some(
        (entry) => entry.isDirectory() && existsSync(join(folder, name, entry.name, `${kind}.parquet`)),
      )
    })
  })
}
