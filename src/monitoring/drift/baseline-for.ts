import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connection } from '../../ledger/nights/slots.ts'
import type { Dataset } from '../../pipeline/dataset/read-dataset.ts'
import { partitionPath } from '../../pipeline/partition/partition-files.ts'
import type { Baseline } from '../../pipeline/profile/profile.ts'
import type { Model, Project, View } from '../../project/project.ts'
import type { Version } from '../../registry/version-records.ts'
import type { Children, TaskOptions } from '../../workers/child/children.ts'
import { baselineOf, storeBaseline } from './stored-baselines.ts'

/** The columns to profile: monitored columns, the version's inputs, and the segment columns. */
export function countedColumns(model: Model, version: Version): string[] {
  return [...new Set([...(model.drift.columns ?? []), ...version.inputs, ...model.evaluation.segments])]
}

/** Stores the holdout of a training set as the baseline of a version that has none yet. Throws as the task does. */
export async function storeHoldout(
  connection: Connection,
  children: Children,
  { warehouse }: Project,
  { model, version, dataset }: { model: Model; version: Version; dataset: Dataset },
): Promise<void> {
  const { manifest, holdout } = dataset
  if (manifest.holdout.rows === 0) return
  if ((await baselineOf(connection, model.name, version.version)) !== undefined) return
  const known = new Set(manifest.features.map(({ name }) => name))
  const temp = await mkdtemp(join(tmpdir(), 'nightshift-baseline-'))
  try {
    const baseline = await children.run('baseline', {
      holdout,
      dataset: manifest.id,
      entity: manifest.entity,
      columns: countedColumns(model, version).filter((column) => known.has(column)),
      version: {
        version: version.version,
        file: join(warehouse, version.file),
        sha256: version.sha256,
        mapping: version.mapping,
      },
      score: model.score.column,
      temp,
      threads: availableParallelism(),
    })
    await storeBaseline(connection, model.name, version.version, baseline)
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}

/**
 * The baseline of a version. If it has none, the profile of the first night it published is stored and used. The
 * ledger determines which night is first, not the order in which nights are checked. Undefined if there is no such
 * night (yet); nights of backfills do not count.
 */
export async function baselineFor(
  connection: Connection,
  children: Children,
  { warehouse }: Project,
  { model, version, view }: { model: Model; version: Version; view: View },
  temp: string,
  options: TaskOptions,
): Promise<Baseline | undefined> {
  const stored = await baselineOf(connection, model.name, version.version)
  if (stored !== undefined) return stored
  const { rows } = await connection.query<{ partition: string }>(
    `select s.partition from nightshift.slots s join nightshift.runs r on r.id = s.published_run
      where s.kind = 'scores' and s.name = $1 and r.version = $2 and r.backfill is null
      order by s.as_of limit 1`,
    [model.name, version.version],
  )
  const [first] = rows
  if (first === undefined) return undefined
  const { partition } = first
  const baseline = await children.run(
    'first-night',
    {
      features: partitionPath(warehouse, 'features', view.name, partition).file,
      scores: partitionPath(warehouse, 'scores', model.name, partition).file,
      partition,
      entity: view.entity,
      columns: countedColumns(model, version),
      score: model.score.column,
      temp,
      threads: availableParallelism(),
    },
    options,
  )
  await storeBaseline(connection, model.name, version.version, { ...baseline, night: partition })
  return await baselineOf(connection, model.name, version.version)
}
