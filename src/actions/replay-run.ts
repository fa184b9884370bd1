import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { publishedRun, scoredContent } from '../ledger/nights/published.ts'
import { contentOf, type Run } from '../ledger/nights/run-records.ts'
import { compareParity } from '../monitoring/parity/job.ts'
import { describeParity } from '../monitoring/parity/parity-words.ts'
import { Failure } from '../pipeline/engine/failure.ts'
import type { Comparison } from '../pipeline/parity/compare.ts'
import { partitionPath, supersededPath } from '../pipeline/partition/partition-files.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import { modelNamed, viewNamed } from '../project/named.ts'
import { findVersion } from '../registry/version-records.ts'
import { missingFile } from '../storage/missing-file.ts'
import { isThere } from '../storage/warehouse-files.ts'
import { withChild } from '../workers/child/with-child.ts'
import type { ProjectLedger } from './project-ledger.ts'

export interface Replayed {
  run: string
  kind: string
  name: string
  as_of: string
  same: boolean
  rows: number
  values: number
  differing: number
  rounding: number
  only_published: number
  only_other: number
  by_column: Comparison['by_column']
  summary: string
  notes: string[]
}

/** Re-runs a published run without publishing, and compares the result with the published output. */
export async function replayRun(ledger: ProjectLedger, run: Run): Promise<Replayed> {
  if (run.state !== 'published') {
    throw new ConfigurationError(
      `replay: expected a run that was published, got: ${run.id}, which is ${run.state}`,
    )
  }
  return run.kind === 'features' ? replayFeatures(ledger, run) : replayScores(ledger, run)
}

async function replayFeatures({ project, database }: ProjectLedger, run: Run): Promise<Replayed> {
  const view = viewNamed(project, run.name)
  const latest = await publishedRun(database.pool, 'features', run.name, run.partition)
  if (latest?.id !== run.id) {
    throw new ConfigurationError(
      `replay: the features of run ${run.id} no longer exist, run ${latest?.id} has replaced them: replay that one`,
    )
  }
  return withChild(project, async (children) => {
    const facts = await compareParity(children, project, view, run, { kind: 'recomputed' })
    const { rows, values, differing, rounding, late, only_published, only_other, by_column } = facts
    return {
      ...titled(run),
      same: differing + late === 0,
      rows,
      values,
      differing: differing + late,
      rounding,
      only_published,
      only_other,
      by_column,
      summary: describeParity(facts),
      notes: [...facts.notes, ...facts.changed_files],
    }
  })
}

async function replayScores({ project, database }: ProjectLedger, run: Run): Promise<Replayed> {
  const model = modelNamed(project, run.name)
  const version = run.version === null ? undefined : await findVersion(database.pool, model.name, run.version)
  if (version === undefined) throw new ConfigurationError(`replay: run ${run.id} names no version`)
  const latest = await publishedRun(database.pool, 'scores', model.name, run.partition)
  const own =
    latest?.id === run.id
      ? partitionPath(project.warehouse, 'scores', model.name, run.partition).file
      : supersededPath(project.warehouse, model.name, run.partition, run.id)
  if (!(await isThere(own))) {
    throw new ConfigurationError(
      `replay: the scores of run ${run.id} no longer exist: ${missingFile(project.warehouse, own)}`,
    )
  }
  const features = await publishedRun(database.pool, 'features', version.view, run.partition)
  if (features === undefined) {
    throw new ConfigurationError(
      `replay: view ${version.view} has no published features as of ${run.partition}`,
    )
  }
  if (features.view_hash !== version.view_hash) {
    throw new Failure(
      'contract',
      `replay: run ${run.id} scored features of view ${version.view} as ${version.view_hash.slice(0, 12)}, run ${features.id} has replaced them since, as ${features.view_hash?.slice(0, 12)}: the features it read no longer exist`,
    )
  }
  return withChild(project, async (children) => {
    const found = await children.run('replay', {
      published: own,
      scoring: {
        model: join(project.warehouse, version.file),
        sha256: version.sha256,
        mapping: version.mapping,
        features: partitionPath(project.warehouse, 'features', version.view, run.partition).file,
        entity: viewNamed(project, version.view).entity,
        score: model.score,
        version: version.version,
        threads: availableParallelism(),
      },
    })
    const rows = found.rows + found.only_published
    const lost = (found.only_published + found.only_other) * found.by_column.length
    const differing = found.by_column.reduce((sum, column) => sum + column.differing, lost)
    const rounding = found.by_column.reduce((sum, column) => sum + column.rounding, 0)
    const values = rows * found.by_column.length
    return {
      ...titled(run),
      same: differing === 0,
      rows,
      values,
      differing,
      rounding,
      only_published: found.only_published,
      only_other: found.only_other,
      by_column: found.by_column,
      summary: `${values} values, ${differing} differing${rounding > 0 ? `, ${rounding} by rounding alone` : ''}`,
      notes:
        (await scoredContent(database.pool, run)) === contentOf(features)
          ? []
          : [
              `the features were published again since, by run ${features.id}: the published scores were computed from other features`,
            ],
    }
  })
}

function titled(run: Run) {
  return { run: run.id, kind: run.kind, name: run.name, as_of: run.partition }
}
