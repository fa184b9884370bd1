import { featureCut } from '../cut/cut.ts'
import type { InputFile, StepTime, WrittenFile } from '../engine/facts.ts'
import { stopwatch } from '../engine/stopwatch.ts'
import type { FeatureRequest } from '../features/compute-features.ts'
import { describeOutput } from '../features/describe-output.ts'
import { viewFiles } from '../features/describe-view.ts'
import { openNightQuery } from '../features/feature-query.ts'
import { explain, refuseChanged } from '../features/features-read.ts'
import { refuseFineEntities } from '../features/fine-entities.ts'
import { writeSorted } from '../features/write-sorted.ts'
import { readBack } from '../partition/read-back.ts'
import { hashFile, syncFile } from '../partition/sync.ts'
import { inputFiles } from '../sources/admitted.ts'
import { badPageWarnings, findBadPages } from '../sources/checksums.ts'
import { hashVisible, knownRows } from '../sources/visible.ts'
import { refuse } from '../sql/cut-query.ts'
import { smallestBucket } from './bucket-groups.ts'
import { filesIn, isBucketed, type Share } from './buckets.ts'
import type { PinnedFile } from './pinned-files.ts'
import { proveEntities } from './prove-entities.ts'
import { expectDisjoint, writeEntities } from './shard-entities.ts'

export interface FeatureShardRequest extends FeatureRequest {
  share: Share
  pinned: PinnedFile[]
  bucketed: string[]
  entityTypes: string[]
  viewHash: string
  /** Where it stands among the shards, from 1. */
  shard: number
  shards: number
  /** Where its entities are written. */
  entities: string
}

/** The features of some buckets, written, synced, hashed and read back, and what is known of them. Plain data. */
export interface FeaturePart {
  shard: number
  buckets: string[]
  file: WrittenFile
  /** Their entities, by which the join sees that no other shard has one of them. */
  entities: Pick<WrittenFile, 'path' | 'sha256'>
  /** Entities that were computed a second time, from their own rows alone. */
  proved: number
  inputs: InputFile[]
  warnings: string[]
  steps: StepTime[]
}

/** Computes the features of a share into a part. Throws as `computeFeatures` does, and as `proveEntities`. */
export async function computeShard(request: FeatureShardRequest): Promise<FeaturePart> {
  const steps: StepTime[] = []
  const timed = stopwatch(steps)
  const { root, view, asOf, timezone, share, shard, bucketed } = request
  const cut = featureCut(asOf, request.knownAt, timezone)
  const query = await timed('open', () => openNightQuery(request, cut, { pinned: request.pinned, share }))
  const { engine } = query
  const files = query.sources.flatMap((source) => filesIn(source, share))
  const badPages = findBadPages(files)
  try {
    const { columns, problems } = await timed('describe', () =>
      describeOutput(query, view, viewFiles(root, view)),
    )
    refuse(problems)
    await refuseFineEntities(query, view, columns)
    const { entity } = view
    const metadata = { ...request.metadata, view_hash: request.viewHash, ...partMetadata(request) }
    const { sql, values } = query
    const rows = await timed('compute', () =>
      writeSorted(engine, { ...request, sql, values, entity, metadata }, `computing shard ${shard}`),
    )
    const file = await timed('read back', () =>
      readBack({ engine, path: request.out, entity, columns, rows, metadata }),
    )
    const types = { entity, types: request.entityTypes }
    await timed('entities', async () => {
      await writeEntities(engine, query.tables, cut, { ...types, out: request.entities, bucketed })
      await syncFile(request.entities)
      // Else the proof would find, and say, less.
      await expectDisjoint(engine, [request.entities], { entity, bucketed })
    })
    const inputs = await timed('inputs', () =>
      hashVisible(
        engine,
        query.tables,
        cut,
        // What every shard reads whole is the first one's to report.
        query.sources
          .filter(({ found }) => shard === 1 || isBucketed(found))
          .flatMap((source) => inputFiles(source.found, filesIn(source, share))),
        knownRows(request.known ?? []),
      ),
    )
    const bucket = smallestBucket(query.sources, share)
    const proved =
      bucket === undefined
        ? 0
        : await timed('prove', () =>
            proveEntities({
              ...types,
              query,
              cut,
              bucket,
              out: request.out,
              entities: request.entities,
              columns,
            }),
          )
    await refuseChanged(files)
    return {
      shard,
      buckets: share.buckets,
      file,
      entities: { path: request.entities, sha256: (await hashFile(request.entities)).sha256 },
      proved,
      inputs,
      warnings: badPageWarnings(await timed('checksums', () => badPages)),
      steps,
    }
  } catch (error) {
    throw await explain(error, query, request, { files, warnings: badPageWarnings(await badPages) })
  } finally {
    query.close()
  }
}

/** What a part says of itself beside what its run does. */
export function partMetadata({
  shard,
  shards,
}: Pick<FeatureShardRequest, 'shard' | 'shards'>): Record<string, string> {
  return { shard: `${shard} of ${shards}` }
}
