import type { Engine } from '../engine/duckdb.ts'
import type { WrittenFile } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { readMetadata } from '../partition/footer.ts'
import { hashFile } from '../partition/sync.ts'
import { endKeys } from './end-keys.ts'
import { type Part, shardMetadata } from './score-shard.ts'

export interface Whole {
  /** Rows of the partition. */
  rows: number
  shards: number
  features: string
  featuresSha256: string
  entity: string[]
  /** What every part says of its run, its features and its version. */
  metadata: Record<string, string>
}

/**
 * Whether parts are a whole partition: each shard once, its rows following those of the one before, up to the last row. Throws a
 * Failure of class `bug`, since the parts are those that the ledger says.
 */
export function expectEachOnce(
  parts: readonly Part[],
  { rows, shards }: Pick<Whole, 'rows' | 'shards'>,
): void {
  const wrong = (message: string) =>
    new Failure('bug', `the shards are not one whole partition: ${message}`, {
      evidence: { shards: parts.map(({ shard, range }) => ({ shard, ...range })) },
    })
  if (parts.length !== shards) throw wrong(`expected ${shards} parts, got: ${parts.length}`)
  let next = 0
  for (const [index, { shard, range, file }] of parts.entries()) {
    if (shard !== index + 1) throw wrong(`expected shard ${index + 1} in its place, got: ${shard}`)
    if (range.first !== next)
      throw wrong(`expected shard ${shard} to begin with row ${next}, got: row ${range.first}`)
    if (file.rows !== range.rows)
      throw wrong(`expected ${range.rows} rows of shard ${shard}, got: ${file.rows}`)
    next += range.rows
  }
  if (next !== rows) throw wrong(`expected ${rows} rows of all shards, got: ${next}`)
}

/**
 * Whether the file of a part is still the one that its worker wrote, of this run, these features and this range, and whether its
 * first and last row are of the entities that the features have there. Throws a Failure of class `resource`: what is on the disk
 * is not what was written.
 */
export async function expectPart(engine: Engine, part: Part, whole: Whole): Promise<void> {
  const { shard, range } = part
  const own = shardMetadata({ ...whole, shard, range })
  const expectSame = await expectFile(part, { ...whole.metadata, ...own })
  const keys = await endKeys(engine, whole.features, whole.entity, range)
  expectSame('the entity of its first row', keys.first.join(', '), part.keys.first.join(', '))
  expectSame('the entity of its last row', keys.last.join(', '), part.keys.last.join(', '))
}

/**
 * Whether the file of a shard is still the one that its worker wrote, with this metadata. Returns a comparison for what else is
 * known of it. Throws a Failure of class `resource`.
 */
export async function expectFile(
  { file, shard }: { file: Pick<WrittenFile, 'path' | 'sha256'>; shard: number },
  metadata: Record<string, string>,
): Promise<(what: string, written: string, found: string) => void> {
  const expectSame = (what: string, written: string, found: string) => {
    if (written === found) return
    throw new Failure(
      'resource',
      `${file.path}, shard ${shard}: expected ${what} ${written}, got: ${found}`,
      {
        evidence: { shard, what, written, found },
      },
    )
  }
  const hashed = await hashFile(file.path).catch((cause: unknown) => {
    const words = cause instanceof Error ? cause.message : String(cause)
    throw new Failure('resource', `the part of shard ${shard} cannot be read: ${words}`, {
      cause,
      evidence: { shard, file: file.path },
    })
  })
  expectSame('sha256', file.sha256, hashed.sha256)
  const found = await readMetadata(file.path)
  for (const [key, value] of Object.entries(metadata))
    expectSame(`metadata ${key}`, value, found[key] ?? 'nothing')
  return expectSame
}
