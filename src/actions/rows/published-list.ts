import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publishedBefore, publishedRun } from '../../ledger/nights/published.ts'
import type { Run } from '../../ledger/nights/run-records.ts'
import type { ListFacts } from '../../pipeline/list/read-list.ts'
import { partitionPath } from '../../pipeline/partition/partition-files.ts'
import { viewNamed } from '../../project/named.ts'
import type { Model } from '../../project/project.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { findVersion } from '../../registry/version-records.ts'
import { withChild } from '../../workers/child/with-child.ts'
import type { ProjectLedger } from '../project-ledger.ts'

/** A published list: its top, and how it differs from the night that was published before it. */
export interface PublishedList {
  run: Run
  entity: string[]
  /** The night that it is compared with, and the version that scored it. */
  before: { partition: string; version: number | null } | null
  facts: ListFacts
}

/** Undefined where nothing is published for the night. Throws Failures where the file cannot be read. */
export async function publishedList(
  { project, database }: ProjectLedger,
  model: Model,
  asOf: AsOf,
  top: number,
): Promise<PublishedList | undefined> {
  const run = await publishedRun(database.pool, 'scores', model.name, asOf.label)
  if (run === undefined) return undefined
  const entity = await entityOf({ project, database }, model, run)
  const before = await publishedBefore(database.pool, run)
  const path = (label: string) => partitionPath(project.warehouse, 'scores', model.name, label).file
  const facts = await inFolder((temp) =>
    withChild(project, (children) =>
      children.run('list', {
        scores: path(asOf.label),
        before: before === undefined ? undefined : path(before.partition),
        entity,
        score: model.score.column,
        top,
        temp,
      }),
    ),
  )
  return { run, entity, before: before ?? null, facts }
}

async function entityOf({ project, database }: ProjectLedger, model: Model, run: Run): Promise<string[]> {
  const version = run.version === null ? undefined : await findVersion(database.pool, model.name, run.version)
  return viewNamed(project, version?.view ?? model.view).entity
}

/** Writes a published list as CSV and hands its path to `use`, after which the file is removed. Undefined where nothing is published. */
export async function withListFile<T>(
  { project, database }: ProjectLedger,
  model: Model,
  asOf: AsOf,
  decided: boolean,
  use: (path: string) => Promise<T>,
): Promise<T | undefined> {
  const run = await publishedRun(database.pool, 'scores', model.name, asOf.label)
  if (run === undefined) return undefined
  const entity = await entityOf({ project, database }, model, run)
  return inFolder(async (temp) => {
    const out = join(temp, 'list.csv')
    await withChild(project, (children) =>
      children.run('list-file', {
        scores: partitionPath(project.warehouse, 'scores', model.name, asOf.label).file,
        entity,
        score: model.score.column,
        decided,
        out,
        temp,
      }),
    )
    return use(out)
  })
}

async function inFolder<T>(use: (temp: string) => Promise<T>): Promise<T> {
  const temp = await mkdtemp(join(tmpdir(), 'nightshift-list-'))
  return use(temp).finally(() => rm(temp, { recursive: true, force: true }))
}
