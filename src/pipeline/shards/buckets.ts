import { columnNamed, type Schema } from '../sources/source-columns.ts'
import type { FoundSource, SourceFile } from '../sources/sources.ts'
import { widerType } from '../sources/widening.ts'

/** The source's files are divided by the entity of its view. */
export function isBucketed({ source }: Pick<FoundSource, 'source'>): boolean {
  return source.buckets !== undefined
}

/** The key of the folders by which files are divided; undefined where they have no such key. */
export function bucketKey({
  source,
  hiveKeys,
}: Pick<FoundSource, 'source' | 'hiveKeys'>): string | undefined {
  const name = source.buckets?.toLowerCase()
  return hiveKeys.find((key) => key.toLowerCase() === name)
}

/** As written in the path: `01` and `1` are two buckets. */
export function bucketOf(
  found: Pick<FoundSource, 'source' | 'hiveKeys'>,
  file: Pick<SourceFile, 'keys'>,
): string {
  return file.keys.get(bucketKey(found) ?? '') ?? ''
}

/** Types that hold each column of the entity in all of these tables; undefined where none does. */
export function entityTypes(tables: { schema: Schema }[], entity: string[]): (string | undefined)[] {
  return entity.map((name) => {
    const own = tables.map(({ schema }) => columnNamed(schema.columns, name)?.type)
    const [first, ...others] = own
    const type = others.reduce(
      (wide, each) => (wide === undefined || each === undefined ? undefined : widerType(wide, each)),
      first,
    )
    return type === 'HUGEINT' ? undefined : type
  })
}

/** What one shard of a view reads. Plain data. */
export interface Share {
  /** Values of the key of the folders, as written. */
  buckets: string[]
  /** Of sources in buckets that show their newest snapshot, its raw time over all buckets. */
  snapshots: Record<string, string>
}

/** The files that can hold rows before the cut, or those of them that a share reads. */
export function filesIn(
  { found, admitted, files }: { found: FoundSource; admitted: { files: SourceFile[] }; files: SourceFile[] },
  share: Share | undefined,
): SourceFile[] {
  if (admitted.files.length === 0) return []
  if (share === undefined || !isBucketed(found)) return files
  const buckets = new Set(share.buckets)
  return files.filter((file) => buckets.has(bucketOf(found, file)))
}
