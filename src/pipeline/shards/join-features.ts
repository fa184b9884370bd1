import { realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { openEngine } from '../engine/duckdb.ts'
import type { FeatureFacts, InputFile, StepTime } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { parquet } from '../engine/quote.ts'
import { stopwatch } from '../engine/stopwatch.ts'
import { type FeatureRequest, isSame } from '../features/compute-features.ts'
import { checkExpectations } from '../features/expectations.ts'
import { writeSorted } from '../features/write-sorted.ts'
import { readBack } from '../partition/read-back.ts'
import { type FeaturePart, partMetadata } from './compute-shard.ts'
import type { Division } from './divide-features.ts'
import { expectFile } from './expect-parts.ts'
import { expectDisjoint } from './shard-entities.ts'

export interface FeatureJoinRequest
  extends Pick<
    FeatureRequest,
    'view' | 'out' | 'temp' | 'threads' | 'memoryLimit' | 'metadata' | 'previous' | 'replaces' | 'progress'
  > {
  /** In their order. */
  parts: FeaturePart[]
  division: Omit<Division, 'steps' | 'snapshots' | 'entityTypes'>
}

/**
 * Merges the parts of all shards into the one sorted file that computing the night at once would have written, whole, checked and read
 * back, but not published. DuckDB sorts, and spills where memory is short. Checks that fail are facts for the caller. Throws
 * Failures where a part is missing or not what its worker wrote, and a contract Failure where an entity lies in two buckets.
 */
export async function joinFeatures(request: FeatureJoinRequest): Promise<FeatureFacts> {
  const { view, parts, division, out, progress } = request
  const { columns, viewHash } = division
  const steps: StepTime[] = []
  const timed = stopwatch(steps)
  expectGroups(parts, division)
  const files = parts.map(({ file }) => file.path)
  const entities = parts.map((part) => part.entities.path)
  const folders = await Promise.all(
    [out, ...files].map((path) => realpath(dirname(path)).catch(() => undefined)),
  )
  const engine = await openEngine({
    readable: [],
    writable: [...new Set(folders.flatMap((folder) => folder ?? []))],
    temp: request.temp,
    threads: request.threads,
    memoryLimit: request.memoryLimit,
    timezone: 'UTC',
  })
  try {
    const metadata = { ...request.metadata, view_hash: viewHash }
    await timed('verify', async () => {
      for (const [index, part] of parts.entries()) {
        await expectFile(part, { ...metadata, ...partMetadata({ shard: part.shard, shards: parts.length }) })
        await expectFile({ shard: part.shard, file: part.entities }, {})
        progress?.('verifying parts', index + 1, parts.length)
      }
    })
    progress?.('comparing the entities of the shards')
    await timed('entities', () =>
      expectDisjoint(engine, entities, { entity: view.entity, bucketed: division.bucketed }),
    )
    const rows = await timed('join', () =>
      writeSorted(
        engine,
        { out, progress, entity: view.entity, metadata, sql: `SELECT * FROM ${parquet(files)}` },
        'joining parts',
      ),
    )
    const all = parts.reduce((sum, { file }) => sum + file.rows, 0)
    if (rows !== all) throw new Failure('resource', `expected ${all} rows of all shards, got: ${rows}`)
    const expected = await timed('check', () =>
      checkExpectations(engine, { view, path: out, columns, previous: request.previous }),
    )
    const file = await timed('read back', () =>
      readBack({ engine, path: out, entity: view.entity, columns, rows, metadata }),
    )
    engine.close()
    const same = request.replaces === undefined ? false : await timed('compare', () => isSame(request))
    return {
      file,
      viewHash,
      formerHash: division.formerHash,
      movedDates: division.movedDates,
      sources: division.sources,
      checks: [...expected, ...division.fresh],
      inputs: inputsOf(parts, division),
      warnings: [...new Set(parts.flatMap(({ warnings }) => warnings))],
      steps,
      same,
    }
  } finally {
    engine.close()
  }
}

/** Whether parts are all shards, each once, with the buckets and the columns that were decided. Throws a Failure of class `bug`. */
function expectGroups(parts: FeaturePart[], { groups, columns }: FeatureJoinRequest['division']): void {
  const wrong = (message: string) =>
    new Failure('bug', `the shards are not one whole night: ${message}`, {
      evidence: { shards: parts.map(({ shard, buckets }) => ({ shard, buckets })) },
    })
  if (parts.length !== groups.length) throw wrong(`expected ${groups.length} parts, got: ${parts.length}`)
  const text = (all: { name: string; type: string }[]) =>
    all.map(({ name, type }) => `${name} ${type}`).join(', ')
  for (const [index, { shard, buckets, file }] of parts.entries()) {
    if (shard !== index + 1) throw wrong(`expected shard ${index + 1} in its place, got: ${shard}`)
    if (buckets.join('\n') !== groups[index]?.buckets.join('\n'))
      throw wrong(
        `expected buckets ${groups[index]?.buckets.join(', ')} of shard ${shard}, got: ${buckets.join(', ')}`,
      )
    if (text(file.columns) !== text(columns))
      throw wrong(`expected columns ${text(columns)} of shard ${shard}, got: ${text(file.columns)}`)
  }
}

/** Those of all shards in the order of one attempt, each once. */
function inputsOf(parts: FeaturePart[], { pinned, admitted }: FeatureJoinRequest['division']): InputFile[] {
  const place = new Map(pinned.map(({ source, path }, index) => [`${source}\n${path}`, index]))
  const placeOf = ({ source, path }: InputFile) => place.get(`${source}\n${path}`) ?? -1
  const inputs = parts.flatMap((part) => part.inputs).sort((a, b) => placeOf(a) - placeOf(b))
  const once = new Set(inputs.map(placeOf))
  if (inputs.length !== admitted || once.size !== admitted || once.has(-1))
    throw new Failure(
      'bug',
      `expected the shards to have read ${admitted} files, each once, got: ${inputs.length}`,
    )
  return inputs
}
