import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { attemptId } from '../../ledger/nights/run-records.ts'
import type {
  FeatureSplit,
  FeatureSplitRequest,
  ScoreSplit,
  ScoreSplitRequest,
  Shard,
} from '../../ledger/shards/split-records.ts'
import type { FeatureRequest } from '../../pipeline/features/compute-features.ts'
import { attemptFolder } from '../../pipeline/partition/partition-files.ts'
import type { ScoreRequest } from '../../pipeline/scoring/score-partition.ts'
import type { FeaturePart } from '../../pipeline/shards/compute-shard.ts'
import type { Division } from '../../pipeline/shards/divide-features.ts'
import type { Part } from '../../pipeline/shards/score-shard.ts'
import type { View } from '../../project/project.ts'
import type { Plan } from '../attempt/resolve.ts'

/** Machines may find the project and the warehouse at different paths, so the ledger has paths relative to them. */

export function storedRequest(warehouse: string, request: Omit<ScoreRequest, 'progress'>): ScoreSplitRequest {
  const { out, temp, threads, model, features, ...rest } = request
  return { ...rest, model: relative(warehouse, model), features: relative(warehouse, features) }
}

export function storedFeatures(
  project: string,
  { plan, division }: { plan: Extract<Plan, { kind: 'features' }>; division: Division },
): FeatureSplitRequest {
  const { root, out, temp, threads, memoryLimit, known, replaces, waits, view, ...rest } = plan.request
  const { steps, ...decided } = division
  const own = moved(view, (path) => relative(project, path))
  return { features: { ...rest, view: own }, division: decided }
}

function moved(view: View, move: (path: string) => string): View {
  return { ...view, folder: move(view.folder), sqlFile: move(view.sqlFile) }
}

interface Files {
  out: string
  temp: string
}

/** The request on this machine. Each try of a shard, and the join, has files and a temporary folder of its own. */
export function requestHere(
  warehouse: string,
  { run, attempt, request }: ScoreSplit,
  files: Files,
): Omit<ScoreRequest, 'progress'> {
  return {
    ...request,
    model: join(warehouse, request.model),
    features: join(warehouse, request.features),
    ...filesHere(warehouse, { run, attempt }, files),
  }
}

export function featuresHere(
  { root, warehouse }: { root: string; warehouse: string },
  { run, attempt, request: { features } }: FeatureSplit,
  files: Files,
): Omit<FeatureRequest, 'progress'> {
  return {
    ...features,
    root,
    view: moved(features.view, (path) => join(root, path)),
    ...filesHere(warehouse, { run, attempt }, files),
  }
}

function filesHere(warehouse: string, { run, attempt }: { run: string; attempt: number }, files: Files) {
  const folder = attemptFolder(warehouse, attemptId(run, attempt))
  return {
    out: join(folder, files.out),
    temp: join(folder, files.temp),
    threads: availableParallelism(),
  }
}

/** Names of the files of one try. Within the attempt's folder, which is removed with it. */
export function tryPaths({ shard, tries }: Pick<Shard, 'shard' | 'tries'>): Files {
  const name = `${String(shard).padStart(2, '0')}-t${tries}`
  return { out: join('parts', `${name}.parquet`), temp: join('tmp', name) }
}

/** The file of a shard's entities lies beside that of its features. */
export function entitiesOf(out: string): string {
  return out.replace(/\.parquet$/, '-entities.parquet')
}

export function storedPart(warehouse: string, part: Part | FeaturePart): Part | FeaturePart {
  return withPaths(part, (path) => relative(warehouse, path))
}

export function partHere<P extends Part | FeaturePart>(warehouse: string, part: P): P {
  return withPaths(part, (path) => join(warehouse, path))
}

function withPaths<P extends Part | FeaturePart>(part: P, move: (path: string) => string): P {
  const file = { ...part.file, path: move(part.file.path) }
  return isOfFeatures(part)
    ? { ...part, file, entities: { ...part.entities, path: move(part.entities.path) } }
    : { ...part, file }
}

export function isOfFeatures(part: Part | FeaturePart): part is FeaturePart {
  return 'entities' in part
}
