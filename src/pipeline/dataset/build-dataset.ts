import { existsSync } from 'node:fs'
import { mkdir, readdir, realpath, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { version as engineVersion } from '@duckdb/node-api'
import { counted } from '../../format/numbers.ts'
import type { View } from '../../project/project.ts'
import { labelView, labelWindow } from '../../project/time/label-window.ts'
import type { SourceTypes } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { timelessSources } from '../leaks/risks.ts'
import { syncFile, syncFolder } from '../partition/sync.ts'
import { typeOf } from './as-of-literal.ts'
import { openBuilding } from './building.ts'
import { idOf } from './dataset-id.ts'
import type { DatasetRequest } from './dataset-request.ts'
import { readEntities, type WantedRows } from './entity-file.ts'
import { refuseUnknownGroups } from './held-groups.ts'
import { newestOfLabels } from './labels-of.ts'
import { incompleteWarning, MANIFEST, type Manifest } from './manifest.ts'
import { immature } from './maturity.ts'
import { type Builder, openBuilder, type Part } from './part.ts'
import { isGap, isHoldout, type LeftOut, refuseEmpty, refuseNoRows } from './splits.ts'
import { writeSplits } from './write-splits.ts'

export interface DatasetFacts {
  manifest: Manifest
  /** Absolute path of its folder. */
  folder: string
  /** It already existed. */
  /** What was read of each source. */
  sources: SourceTypes
  known: boolean
  warnings: string[]
}

/**
 * Builds a point-in-time training set: for each as-of, the features that serving computes (by the same function),
 * joined by entity with the labels from labels.sql over the sources cut at the as-of plus the horizon. Labels that
 * cannot be known yet, and rows that would let training see into the holdout, are left out and counted. One as-of is
 * in memory at a time. Throws Failures: `contract` for invalid SQL, sources and labels, `late-data` if a split is
 * empty.
 */
export async function buildDataset(request: DatasetRequest): Promise<DatasetFacts> {
  if (request.building !== undefined) return await buildIn(request, request.building)
  const own = await openBuilding(request.folder)
  try {
    return await buildIn(request, own.path)
  } finally {
    await own.remove()
  }
}

async function buildIn(request: DatasetRequest, building: string): Promise<DatasetFacts> {
  const folder = await realpath(request.folder)
  const temp = await realpath(building)
  const { entities, view, timezone } = request
  const wanted =
    entities === undefined ? undefined : await readEntities(entities, { entity: view.entity, timezone, temp })
  const asOfs = wanted?.asOfs ?? request.asOfs
  const newest = await newestOfLabels({ ...request, view: labelView(request.view, request), temp })
  const windows = asOfs.map((asOf) => labelWindow(asOf, request.labels, request.timezone))
  const leftOut = windows.flatMap((window) => {
    const reason = immature(window, request.now, newest)
    return reason === undefined ? [] : [{ window, reason }]
  })
  const mature = windows.filter((window) => !leftOut.some((each) => each.window === window))
  refuseEmpty(request, mature, leftOut)
  const builder = await openBuilder(request, temp, { wanted, asOfType: typeOf(asOfs) })
  const parts: Part[] = []
  for (const [index, window] of mature.entries()) {
    request.progress?.(`as of ${window.asOf.label}`, index, mature.length)
    parts.push(await builder.part(window))
  }
  request.progress?.('writing', mature.length, mature.length)
  return await finish(request, { folder, temp, parts, leftOut, builder, wanted })
}

interface Ending {
  folder: string
  temp: string
  parts: Part[]
  leftOut: LeftOut[]
  builder: Builder
  wanted: WantedRows | undefined
}

async function finish(request: DatasetRequest, ending: Ending): Promise<DatasetFacts> {
  const { folder, temp, parts, leftOut, builder, wanted } = ending
  const { columns, label, viewHash: hash, labelHash, sources, warnings: labelWarnings } = builder.facts()
  const gap = parts.filter(({ window }) => isGap(request, window))
  const kept = parts.filter((part) => !gap.includes(part))
  const groups = request.holdoutGroups
  if (groups !== undefined) refuseUnknownGroups(groups, request.view.entity, columns)
  const train = kept.filter(({ window }) => groups !== undefined || !isHoldout(request, window))
  const holdout = kept.filter(({ window }) => groups !== undefined || isHoldout(request, window))
  const { view, labels } = request
  const id = idOf({
    hash,
    labelHash,
    lag: labels.lag.text,
    train,
    holdout,
    wanted: wanted?.sum,
    groups,
  })
  const made = join(temp, 'made')
  await mkdir(made, { recursive: true })
  const schema = parts[0]
  if (schema === undefined) throw new Failure('bug', 'expected at least one as-of')
  const { repeated, counted, ...splits } = await writeSplits(request, {
    made,
    temp,
    train,
    holdout,
    schema,
    id,
    hash,
    label,
  })
  for (const [name, split] of Object.entries(splits)) refuseNoRows(name, split, groups)
  const warnings = [
    ...repeatedWarnings(wanted, request.entities?.shown),
    ...labelWarnings,
    ...timelessWarnings(labelView(view, request), splits.holdout.rows, repeated),
  ]
  const manifest: Manifest = {
    format: 1,
    id,
    model: request.model,
    view: view.name,
    view_hash: hash,
    features_sql: view.sql,
    label: {
      column: label.name,
      type: label.type,
      hash: labelHash,
      horizon: labels.horizon.text,
      lag: labels.lag.text,
    },
    entity: view.entity,
    features: columns,
    as_of: kept.map(({ window }) => window.asOf.label),
    train: splits.train,
    holdout: splits.holdout,
    left_out: {
      immature: leftOut.map(({ window, reason }) => ({
        as_of: window.asOf.label,
        label_end: window.end.instant,
        reason,
      })),
      gap: gap.map(({ window, rows }) => ({ as_of: window.asOf.label, rows })),
      ...(wanted === undefined
        ? {}
        : { without_features: kept.reduce((sum, { featureless }) => sum + featureless, 0) }),
      without_label: kept.reduce((sum, { unlabelled }) => sum + unlabelled, 0),
    },
    ...(wanted === undefined || request.entities === undefined
      ? {}
      : { entities: { file: request.entities.shown, rows: wanted.rows, sum: wanted.sum } }),
    ...(groups === undefined || counted === undefined ? {} : { holdout_groups: { ...groups, ...counted } }),
    inputs: Object.fromEntries(kept.map(({ window, inputs }) => [window.asOf.label, inputs])),
    engine: { nightshift: request.release, duckdb: engineVersion(), node: process.version },
  }
  const path = join(made, MANIFEST)
  await writeFile(path, `${JSON.stringify(manifest, null, 2)}\n`)
  await syncFile(path)
  await syncFolder(made)
  const target = join(folder, id)
  const missing = await keepMade(made, target)
  await syncFolder(folder)
  return {
    manifest,
    folder: target,
    known: missing.length === 0,
    sources,
    warnings: missing === 'all' ? warnings : [...warnings, ...incompleteWarning(id, missing)],
  }
}

/**
 * Moves what was made to where the set lies. Where there is one already, its files stay and those that are missing are added,
 * the manifest last. Returns their names, `all` where there was none.
 */
async function keepMade(made: string, target: string): Promise<string[] | 'all'> {
  if (!existsSync(target)) {
    const moved = await rename(made, target).then(
      () => true,
      // Another process may have built the same set meanwhile.
      (error: unknown) => {
        if (!existsSync(target)) throw error
        return false
      },
    )
    if (moved) return 'all'
  }
  const names = (await readdir(made)).filter((name) => name !== MANIFEST)
  const missing = [...names, MANIFEST].filter((name) => !existsSync(join(target, name)))
  for (const name of missing) await rename(join(made, name), join(target, name))
  if (missing.length > 0) await syncFolder(target)
  return missing
}

/** A source without time gives every as-of the same rows, so the holdout may repeat rows of train. */
function timelessWarnings(view: View, holdout: number, repeated: number): string[] {
  const names = timelessSources(view)
  if (names.length === 0) return []
  const same = `source ${names.join(', ')} is static: every as-of sees the same rows of it`
  if (repeated === 0) return [same]
  return [
    `${same}. Train and holdout have the same customers with the same features and label in ${repeated} of ${holdout} rows of the holdout: metrics there predict little about a night. Declare when the rows are valid (kind: history or snapshots)`,
  ]
}

/** Rows of the same entity and time are one row of the set. */
function repeatedWarnings(wanted: WantedRows | undefined, shown = ''): string[] {
  if (wanted === undefined || wanted.repeated === 0) return []
  const { repeated } = wanted
  return [
    `${counted(repeated, 'row')} of ${shown} ${repeated === 1 ? 'says' : 'say'} the same entity and time as another one: the set has each once`,
  ]
}
