import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { ClientBase } from 'pg'
import { z } from 'zod'
import { transaction } from '../../ledger/connection/database.ts'
import { findRun, type Run } from '../../ledger/nights/run-records.ts'
import { lockSlot } from '../../ledger/nights/slots.ts'
import type { Drift } from '../../pipeline/drift/drift-figures.ts'
import type { MonitorFacts } from '../../pipeline/drift/monitor-partition.ts'
import { partitionPath } from '../../pipeline/partition/partition-files.ts'
import type { Profile } from '../../pipeline/profile/profile.ts'
import type { Model, Project, View } from '../../project/project.ts'
import { findVersion, type Version } from '../../registry/version-records.ts'
import { pinFile } from '../../storage/published-file.ts'
import { notifyChecked, notifyUnchecked } from '../../workers/attempt/report-night.ts'
import type { TaskOptions } from '../../workers/child/children.ts'
import { finalFailure, inOwnFolder, isReported } from '../monitor-job.ts'
import { baselineFor, countedColumns } from './baseline-for.ts'
import { followDrift, type Monitoring } from './follow-drift.ts'
import { recordProfile } from './record.ts'
import { type Reference, referenceOf } from './reference.ts'
import { storeReferenceProfile } from './reference-profiles.ts'
import { type NightSlices, NO_SLICES, slicesOf } from './slices.ts'

/** The payload of a monitor job. */
const MonitorJob = z.object({ run: z.string().min(1) })

/** A fixed seed: a repeated check of a night gives the same result. */
const SEED = 20_261_122

/**
 * The job that follows each night: profiles its features and scores, compares them with the reference, and opens an
 * incident if a shift persists. Nights of backfills are profiled but raise no alert.
 */
export async function monitorNight(
  context: Monitoring,
  data: unknown,
  options: TaskOptions = {},
): Promise<string> {
  const { run: id } = MonitorJob.parse(data)
  const run = await findRun(context.database.pool, id)
  const project = context.project()
  const model = run === undefined ? undefined : project.models[run.name]
  if (run === undefined || model === undefined || run.kind !== 'scores' || run.state !== 'published')
    return 'nothing to profile'
  let begun = performance.now()
  // Measures the work itself, not the wait for worker capacity.
  const onPlace = (waited: number) => {
    begun += waited
  }
  try {
    const measured = await inOwnFolder(context.warehouse, 'monitor', (folder, temp) =>
      measure(context, project, model, run, { folder, temp }, { ...options, onPlace }),
    )
    const seconds = (performance.now() - begun) / 1000
    return await record(context, model, run, measured, seconds)
  } catch (error) {
    const failure = await finalFailure(context.database.pool, 'monitor', run.id, error, options.signal)
    const note = `it could not be profiled: ${failure.message}`
    await record(context, model, run, unmeasured(note), (performance.now() - begun) / 1000)
    if (run.backfill === null && isReported(failure)) {
      await transaction(context.database, async (client) => {
        const slot = await lockSlot(client, run.slot)
        if (slot.published_run === run.id)
          await notifyUnchecked(client, context, { slot, run, checks: [] }, 'drift', failure)
      })
    }
    return note
  }
}

interface Measured extends MonitorFacts {
  reference: Reference | undefined
  /** The reference, if it is not stored yet: the baseline is stored with its version. */
  toStore: Profile | undefined
  note: string | null
  slices: NightSlices
}

async function measure(
  context: Monitoring,
  project: Project,
  model: Model,
  run: Run,
  { folder, temp }: { folder: string; temp: string },
  options: TaskOptions,
): Promise<Measured> {
  const { children, warehouse } = context
  const { pool } = context.database
  const version = run.version === null ? undefined : await findVersion(pool, model.name, run.version)
  const view = version && project.views[version.view]
  if (version === undefined || view === undefined) {
    return unmeasured(
      version === undefined
        ? `version ${run.version} is not registered`
        : `view ${version.view} is no longer in the project`,
    )
  }
  const night = { model, version, view }
  const baseline = await baselineFor(pool, children, project, night, temp, options)
  const { reference, note } =
    baseline === undefined
      ? {
          reference: undefined,
          note: `version ${version.version} has no reference yet: neither a holdout (register --dataset ID) nor a published night`,
        }
      : await referenceOf(pool, project, { model, version, run }, baseline)
  const partition = await pinned(warehouse, night, run, folder)
  const facts = await children.run(
    'monitor',
    {
      partition: {
        ...partition,
        entity: view.entity,
        columns: countedColumns(model, version),
        score: model.score.column,
        baseline: baseline?.profile,
        temp,
        threads: availableParallelism(),
      },
      judge: reference && {
        reference: reference.profile,
        parts: reference.parts,
        columns: model.drift.columns ?? version.inputs,
        score: model.drift.score,
        minEffect: model.drift.min_effect,
        seed: SEED,
      },
    },
    options,
  )
  const slices =
    reference === undefined || run.backfill !== null
      ? NO_SLICES
      : await slicesOf(
          context,
          { ...night, reference, ...facts, features: partition.features, temp },
          options,
        )
  return {
    ...facts,
    reference,
    toStore: reference?.profile === baseline?.profile ? undefined : reference?.profile,
    note: [note, reference?.note].filter((each) => each != null).join('; ') || null,
    slices,
  }
}

/** Hard links keep the night's files readable while another run replaces them. */
async function pinned(
  warehouse: string,
  { model, version }: { model: Model; version: Version; view: View },
  run: Run,
  folder: string,
): Promise<{ features: string; scores: string }> {
  const pin = (published: string, name: string) => pinFile(published, join(folder, name))
  return {
    features: await pin(
      partitionPath(warehouse, 'features', version.view, run.partition).file,
      'features.parquet',
    ),
    scores: await pin(partitionPath(warehouse, 'scores', model.name, run.partition).file, 'scores.parquet'),
  }
}

/** A night that cannot be checked is recorded too, so that it is not retried endlessly. */
function unmeasured(note: string): Measured {
  return {
    profile: { rows: 0, entities: 0, columns: [], left_out: [] },
    drift: [],
    estimate: null,
    reference: undefined,
    toStore: undefined,
    note,
    slices: NO_SLICES,
  }
}

/**
 * Records profile, drift and incident in one transaction, after verifying that this run's scores are still published.
 */
async function record(
  context: Monitoring,
  model: Model,
  run: Run,
  measured: Measured,
  seconds: number,
): Promise<string> {
  const { profile, drift, estimate, reference, toStore, note } = measured
  return await transaction(context.database, async (client) => {
    await lockModel(client, model.name)
    const slot = await lockSlot(client, run.slot)
    if (slot.published_run !== run.id) return 'another run has replaced it'
    await recordProfile(
      client,
      {
        run: run.id,
        model: model.name,
        version: run.version ?? 0,
        as_of: run.as_of,
        partition: run.partition,
        backfilled: run.backfill !== null,
        rows: run.rows ?? profile.rows,
        profile,
        reference: reference?.text ?? null,
        note,
        estimate,
        seconds,
      },
      drift.map((column) => ({ ...column, alerting: false })),
    )
    if (toStore !== undefined) await storeReferenceProfile(client, run.id, toStore)
    // A failed check has no columns.
    if (run.backfill === null && profile.columns.length > 0) await notifyChecked(client, context, slot, run)
    if (run.backfill === null && reference !== undefined) {
      await followDrift(client, context, { model, run, reference, slices: measured.slices })
    }
    return `${profile.rows} rows, ${describeDrift(drift)}${note === null ? '' : ` (${note})`}`
  })
}

/** Nights of a model are recorded one at a time: whether a shift persists depends on the neighbouring nights. */
async function lockModel(client: ClientBase, model: string): Promise<void> {
  await client.query('select pg_advisory_xact_lock(hashtext($1), hashtext($2))', [
    'nightshift.monitor',
    model,
  ])
}

function describeDrift(drift: Drift[]): string {
  const drifted = drift.filter((each) => each.drifted).map(({ column }) => column)
  return drifted.length === 0 ? `${drift.length} columns, none drifted` : `drifted: ${drifted.join(', ')}`
}
