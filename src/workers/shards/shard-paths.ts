import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { attemptId } from '../../ledger/nights/run-records.ts'
import type { Shard, Split, SplitRequest } from '../../ledger/shards/split-records.ts'
import { attemptFolder } from '../../pipeline/partition/partition-files.ts'
import type { ScoreRequest } from '../../pipeline/scoring/score-partition.ts'
import type { Part } from '../../pipeline/shards/score-shard.ts'

/** Machines may find the warehouse at different paths, so the ledger has paths relative to it. */

export function storedRequest(warehouse: string, request: Omit<ScoreRequest, 'progress'>): SplitRequest {
  const { out, temp, threads, model, features, ...rest } = request
  return { ...rest, model: relative(warehouse, model), features: relative(warehouse, features) }
}

/** The request on this machine. Each try of a shard, and the join, has files and a temporary folder of its own. */
export function requestHere(
  warehouse: string,
  { run, attempt, request }: Split,
  { out, temp }: { out: string; temp: string },
): Omit<ScoreRequest, 'progress'> {
  const folder = attemptFolder(warehouse, attemptId(run, attempt))
  return {
    ...request,
    model: join(warehouse, request.model),
    features: join(warehouse, request.features),
    out: join(folder, out),
    temp: join(folder, temp),
    threads: availableParallelism(),
  }
}

/** Names of the files of one try. Within the attempt's folder, which is removed with it. */
export function tryPaths({ shard, tries }: Pick<Shard, 'shard' | 'tries'>): { out: string; temp: string } {
  const name = `${String(shard).padStart(2, '0')}-t${tries}`
  return { out: join('parts', `${name}.parquet`), temp: join('tmp', name) }
}

export function storedPart(warehouse: string, part: Part): Part {
  return { ...part, file: { ...part.file, path: relative(warehouse, part.file.path) } }
}

export function partHere(warehouse: string, part: Part): Part {
  return { ...part, file: { ...part.file, path: join(warehouse, part.file.path) } }
}
