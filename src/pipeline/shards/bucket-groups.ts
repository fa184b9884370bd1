import type { CutSource } from '../sources/source-tables.ts'
import { bucketOf, isBucketed, type Share } from './buckets.ts'

/** Buckets that one shard reads, and the size of their files. */
export interface BucketGroup {
  buckets: string[]
  bytes: number
}

/** Bytes of the files that the cut admits of each bucket, over all sources that have buckets; sorted by bucket. */
export function bytesByBucket(sources: CutSource[]): Map<string, number> {
  const bytes = new Map<string, number>()
  for (const { found, admitted } of sources.filter((source) => isBucketed(source.found)))
    for (const file of admitted.files) {
      const bucket = bucketOf(found, file)
      bytes.set(bucket, (bytes.get(bucket) ?? 0) + file.size)
    }
  return new Map([...bytes].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * Divides sorted buckets into at most `shards` groups of neighbours of about the same size, each of at least one bucket and, on the
 * average, of `minBytes`. Undefined where that leaves fewer than two.
 */
export function planGroups(
  buckets: ReadonlyMap<string, number>,
  shards: number,
  minBytes: number,
): BucketGroup[] | undefined {
  const all = [...buckets].map(([bucket, bytes]) => ({ bucket, bytes }))
  const total = all.reduce((sum, { bytes }) => sum + bytes, 0)
  const count = Math.min(shards, all.length, Math.floor(total / minBytes))
  if (count < 2) return undefined
  const groups: BucketGroup[] = []
  let before = 0
  for (const [index, { bucket, bytes }] of all.entries()) {
    const own = groups.at(-1)
    const left = all.length - index
    const missing = count - groups.length
    // Its middle lies behind the end of the last group, or each bucket that is left has to begin one.
    const isNext = before + bytes / 2 >= (groups.length * total) / count
    if (own === undefined || (missing > 0 && (isNext || left <= missing)))
      groups.push({ buckets: [bucket], bytes })
    else {
      own.buckets.push(bucket)
      own.bytes += bytes
    }
    before += bytes
  }
  return groups
}

/** The smallest bucket of a share, which is computed a second time to see that its rows depend on nothing else. */
export function smallestBucket(sources: CutSource[], { buckets }: Share): string | undefined {
  const bytes = [...bytesByBucket(sources)].filter(([bucket]) => buckets.includes(bucket))
  return bytes.reduce<[string, number] | undefined>(
    (least, each) => (least === undefined || each[1] < least[1] ? each : least),
    undefined,
  )?.[0]
}
