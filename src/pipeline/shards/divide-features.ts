import { traitsOf } from '../../project/source-kinds.ts'
import { type Cut, featureCut } from '../cut/cut.ts'
import { timeOfTable } from '../cut/cut-view.ts'
import type { Check, Column, Identity, SourceTypes, StepTime } from '../engine/facts.ts'
import { stopwatch } from '../engine/stopwatch.ts'
import { bucketProblems } from '../features/bucket-problems.ts'
import type { FeatureRequest } from '../features/compute-features.ts'
import { describeOutput } from '../features/describe-output.ts'
import { viewFiles } from '../features/describe-view.ts'
import { openNightQuery } from '../features/feature-query.ts'
import { sourceTypes } from '../features/features-read.ts'
import { identityOf } from '../features/view-hash.ts'
import { hasMovedDates, isKeyed, rangeOver } from '../sources/admitted.ts'
import { checkFreshness, refuseLate } from '../sources/freshness.ts'
import { newestVisible } from '../sources/source-tables.ts'
import { type CutQuery, refuse } from '../sql/cut-query.ts'
import { type BucketGroup, bytesByBucket, planGroups } from './bucket-groups.ts'
import { entityTypes, isBucketed } from './buckets.ts'
import { type PinnedFile, pin } from './pinned-files.ts'

/** What is decided once of a night over all its files, before shards compute it. Plain data. */
export interface Division extends Identity {
  groups: BucketGroup[]
  /** What every shard reads, together. */
  pinned: PinnedFile[]
  /** Files among them that the cut admits. */
  admitted: number
  snapshots: Record<string, string>
  /** Names of the sources in buckets that the SQL reads. */
  bucketed: string[]
  /** Types that hold the entity's columns in all of these. */
  entityTypes: string[]
  columns: Column[]
  sources: SourceTypes
  movedDates: boolean
  fresh: Check[]
  steps: StepTime[]
}

/**
 * Divides a night into shards by entity; undefined where it is too small for two. No row is computed: what is read are footers, and the
 * newest rows where `expect.fresh` or snapshots ask for them. Throws as `computeFeatures` does before it computes.
 */
export async function divideFeatures(request: FeatureRequest): Promise<Division | undefined> {
  const { root, view, asOf, timezone } = request
  const steps: StepTime[] = []
  const timed = stopwatch(steps)
  const cut = featureCut(asOf, request.knownAt, timezone)
  const query = await timed('open', () => openNightQuery(request, cut, { schemaOnly: true }))
  try {
    const groups = planGroups(bytesByBucket(query.sources), view.shards, view.minShard)
    if (groups === undefined) return undefined
    refuse(query.checked.problems)
    const files = viewFiles(root, view)
    const output = await timed('describe', () => describeOutput(query, view, files))
    refuse(output.problems)
    if (view.perEntity) refuse(bucketProblems(query, view, files))
    const fresh = await timed('freshness', () => checkFreshness(query.engine, view, query, cut))
    if (request.waits === true) refuseLate(fresh)
    const bucketed = query.tables.filter(({ found }) => isBucketed(found))
    return {
      groups,
      pinned: pin(query.sources),
      admitted: query.sources.reduce((sum, { admitted }) => sum + admitted.files.length, 0),
      snapshots: await timed('snapshots', () => newestSnapshots(query, cut)),
      bucketed: bucketed.map(({ found }) => found.name),
      entityTypes: entityTypes(bucketed, view.entity).map((type) => type ?? 'VARCHAR'),
      columns: output.columns,
      sources: sourceTypes(query),
      ...identityOf(query.checked, view, timezone),
      movedDates: query.sources.some(({ found }) => hasMovedDates(found, cut)),
      fresh,
      steps,
    }
  } finally {
    query.close()
  }
}

/** Of sources in buckets whose newest snapshot is seen and whose time is a column: its raw value over all buckets. */
async function newestSnapshots(
  { engine, tables, sources }: CutQuery,
  cut: Cut,
): Promise<Record<string, string>> {
  const newest: Record<string, string> = {}
  for (const table of tables) {
    const { found } = table
    if (!isBucketed(found) || traitsOf(found.source).rows !== 'newest-time' || isKeyed(found)) continue
    const files = sources.find((source) => source.found === found)?.admitted.files ?? []
    const time = timeOfTable(table)
    const range = time === undefined ? undefined : rangeOver(files, time.name)
    const raw =
      (range && (await newestVisible(engine, table, cut, range.max))) ??
      (await newestVisible(engine, table, cut))
    if (raw !== undefined) newest[found.name] = String(raw)
  }
  return newest
}
