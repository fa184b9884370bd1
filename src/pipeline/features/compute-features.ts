import type { View } from '../../project/project.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { featureCut } from '../cut/cut.ts'
import type { FeatureFacts, InputFile, StepTime } from '../engine/facts.ts'
import { stopwatch } from '../engine/stopwatch.ts'
import { sameContent } from '../parity/same-content.ts'
import { readBack } from '../partition/read-back.ts'
import type { Share } from '../shards/buckets.ts'
import type { PinnedFile } from '../shards/pinned-files.ts'
import { hasMovedDates } from '../sources/admitted.ts'
import { badPageWarnings, findBadPages } from '../sources/checksums.ts'
import { checkFreshness, refuseLate } from '../sources/freshness.ts'
import { inputsOf } from '../sources/input-files.ts'
import { hashVisible, knownRows } from '../sources/visible.ts'
import { refuse } from '../sql/cut-query.ts'
import { describeOutput } from './describe-output.ts'
import { viewFiles } from './describe-view.ts'
import { checkExpectations } from './expectations.ts'
import { openNightQuery } from './feature-query.ts'
import { explain, refuseChanged, sourceTypes } from './features-read.ts'
import { refuseFineEntities } from './fine-entities.ts'
import { shifted } from './shifted.ts'
import { identityOf } from './view-hash.ts'
import { writeSorted } from './write-sorted.ts'

export { type InputsRequest, snapshotInputs } from '../sources/input-files.ts'
export { describeView, type ViewDescription, type ViewRequest } from './describe-view.ts'

export interface FeatureRequest {
  /** Absolute path of the project. */
  root: string
  view: View
  asOf: AsOf
  /** ISO 8601: when this run reads its sources. */
  knownAt: string
  /** The project's zone. */
  timezone: string
  /** Path to write, in a folder that is there. */
  out: string
  /** Folder for what does not fit into memory. */
  temp: string
  /** Threads of DuckDB. */
  threads: number
  /** As DuckDB writes it, such as `4GB`. */
  memoryLimit?: string | undefined
  /** Key-value metadata of the file; the view's hash is added. */
  metadata: Record<string, string>
  /** The nearest earlier published as-of within 7 days. */
  previous?: { rows: number; label: string } | undefined
  /** The published file of the same as-of, which this one is to replace. */
  replaces?: string | undefined
  /** Inputs of a published partition: their rows' sums are taken over where the files are unchanged. */
  known?: InputFile[] | undefined
  /** False: the facts say which files were read, and not what their rows come to. Default: true. */
  hashed?: boolean
  /** Reads these files alone, where they are admitted. Default: all that the sources have. */
  only?: InputFile[] | undefined
  /** Reads these files alone, as they were when the night was divided. */
  pinned?: PinnedFile[] | undefined
  /** Computes the rows of some buckets alone. */
  share?: Share | undefined
  /** `declared` takes every source of view.yaml for an input. Default: `read`, those that features.sql reads. */
  sources?: 'read' | 'declared' | undefined
  /** Nothing is computed while a source's newest row is older than `expect.fresh` allows. Default: that is a failed check. */
  waits?: boolean
  /** For drills alone: shifts the columns, see shifted.ts. */
  shift?: boolean
  progress?: (text: string, rows?: number, total?: number) => void
}

/**
 * Computes a view's partition at an as-of and writes it, sorted by entity, synced, hashed, checked and read back,
 * but not published. Expectations that fail are facts for the caller. Throws Failures: `contract` for SQL, schemas, types
 * and broken files (named), `late-data` where a source has no file or is too old (`waits`), `resource` where memory or disk ran out.
 */
export async function computeFeatures(request: FeatureRequest): Promise<FeatureFacts> {
  const steps: StepTime[] = []
  const timed = stopwatch(steps)
  const { root, view, asOf, timezone } = request
  const cut = featureCut(asOf, request.knownAt, timezone)
  const query = await timed('open', () =>
    openNightQuery(request, cut, { only: request.only, sources: request.sources }),
  )
  const files = query.sources.flatMap(({ admitted }) => admitted.files)
  // Reads in parallel with DuckDB. It settles before an error is thrown, and never throws.
  const badPages = findBadPages(files)
  try {
    const output = await timed('describe', () => describeOutput(query, view, viewFiles(root, view)))
    refuse(output.problems)
    await refuseFineEntities(query, view, output.columns)
    const identity = identityOf(query.checked, view, timezone)
    const metadata = { ...request.metadata, view_hash: identity.viewHash }
    const fresh = await timed('freshness', () => checkFreshness(query.engine, view, query, cut))
    if (request.waits === true) refuseLate(fresh)
    const sql = request.shift === true ? shifted(query.sql, output.columns, view.entity) : query.sql
    const rows = await timed('compute', () =>
      writeSorted(query.engine, { ...request, sql, values: query.values, entity: view.entity, metadata }),
    )
    const expected = timed('check', () =>
      checkExpectations(query.engine, {
        view,
        path: request.out,
        columns: output.columns,
        previous: request.previous,
      }),
    )
    const back = timed('read back', () =>
      readBack({
        engine: query.engine,
        path: request.out,
        entity: view.entity,
        columns: output.columns,
        rows,
        metadata,
      }),
    )
    const read = inputsOf(query.sources)
    const inputs = timed('inputs', async () =>
      request.hashed === false
        ? read
        : hashVisible(query.engine, query.tables, cut, read, knownRows(request.known ?? [])),
    )
    await Promise.allSettled([expected, back, inputs])
    await refuseChanged(files)
    // Its memory is the comparison's now.
    query.close()
    const same = request.replaces === undefined ? false : await timed('compare', () => isSame(request))
    const warnings = badPageWarnings(await timed('checksums', () => badPages))
    return {
      file: await back,
      ...identity,
      movedDates: query.sources.some(({ found }) => hasMovedDates(found, cut)),
      sources: sourceTypes(query),
      checks: [...(await expected), ...fresh],
      inputs: await inputs,
      warnings,
      steps,
      same,
    }
  } catch (error) {
    throw await explain(error, query, request, { files, warnings: badPageWarnings(await badPages) })
  } finally {
    query.close()
  }
}

/** What cannot be compared counts as other: what was computed from it is then computed again, which harms nothing. */
export async function isSame({
  replaces,
  out,
  temp,
  threads,
  memoryLimit,
}: Pick<FeatureRequest, 'replaces' | 'out' | 'temp' | 'threads' | 'memoryLimit'>): Promise<boolean> {
  if (replaces === undefined) return false
  return await sameContent(replaces, out, { temp, threads, memoryLimit }).catch(() => false)
}
