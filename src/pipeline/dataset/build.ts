import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AsOf } from '../../project/asof.ts'
import { grainOf } from '../../project/asof.ts'
import { type LabelWindow, labelWindow } from '../../project/label-window.ts'
import type { Duration, View } from '../../project/project.ts'
import { openEngine } from '../duckdb.ts'
import type { Column, InputFile } from '../facts.ts'
import { Failure } from '../failure.ts'
import { computeFeatures } from '../features.ts'
import { identifier, literal } from '../quote.ts'
import { readBack } from '../readback.ts'
import { showPath } from '../sources.ts'
import { makeFolder, syncFile, syncFolder } from '../sync.ts'
import { contentOf } from './content.ts'
import { labelsOf, newestOfLabels, refuseDoubles } from './labels-of.ts'
import type { Manifest, Split } from './manifest.ts'
import { immature } from './maturity.ts'

export interface DatasetRequest {
  /** Absolute path of the project. */
  root: string
  model: string
  view: View
  labels: { sql: string; sqlFile: string; horizon: Duration; lag: Duration }
  /** Oldest first. */
  asOfs: AsOf[]
  /** As-ofs from here on are the holdout; undefined: there is none. */
  holdoutFrom: AsOf | undefined
  timezone: string
  /** ISO 8601: the clock, and when the sources are read. */
  now: string
  /** Folder of the model's training sets, made where it is missing. */
  folder: string
  threads: number
  memoryLimit?: string | undefined
  /** Of Nightshift, for the manifest. */
  release: string
  progress?: (text: string, done?: number, total?: number) => void
}

export interface DatasetFacts {
  manifest: Manifest
  /** Absolute path of its folder. */
  folder: string
  /** It was there already. */
  known: boolean
  warnings: string[]
}

interface Part {
  window: LabelWindow
  file: string
  rows: number
  /** Rows of the view that have no label. */
  unlabelled: number
  inputs: InputFile[]
  labelInputs: InputFile[]
}

/**
 * Builds a training set, point in time: of each as-of the features that serving computes there (the same function),
 * joined by entity with what labels.sql gives over the sources cut at the as-of plus the horizon. What cannot be known
 * yet, and what would let training see into the holdout, is left out and counted. One as-of is in memory at a time.
 * Throws Failures: `contract` for SQL, sources and labels that are wrong, `late-data` where a split ends up empty.
 */
export async function buildDataset(request: DatasetRequest): Promise<DatasetFacts> {
  await makeFolder(request.folder)
  const folder = await realpath(request.folder)
  const temp = await realpath(await mkdtemp(join(folder, '.building-')))
  try {
    await sweep(folder, temp)
    const newest = await newestOfLabels({ ...request, temp })
    const windows = request.asOfs.map((asOf) => labelWindow(asOf, request.labels, request.timezone))
    const leftOut = windows.flatMap((window) => {
      const reason = immature(window, request.now, newest)
      return reason === undefined ? [] : [{ window, reason }]
    })
    const mature = windows.filter((window) => !leftOut.some((each) => each.window === window))
    refuseEmpty(request, mature, leftOut)
    const builder = await openBuilder(request, temp)
    const parts: Part[] = []
    for (const [index, window] of mature.entries()) {
      request.progress?.(`as of ${window.asOf.label}`, index, mature.length)
      parts.push(await builder.part(window))
    }
    request.progress?.('writing', mature.length, mature.length)
    return await finish(request, { folder, temp, parts, leftOut, builder })
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}

const DAY_MS = 86_400_000

/** What builds have left behind that were killed: a folder that was not touched in the day before ours is not at work. */
async function sweep(folder: string, own: string): Promise<void> {
  const { mtimeMs: now } = await stat(own)
  for (const name of await readdir(folder)) {
    if (!name.startsWith('.building-')) continue
    const left = join(folder, name)
    const found = await stat(left).catch(() => undefined)
    if (found === undefined || now - found.mtimeMs < DAY_MS) continue
    await rm(left, { recursive: true, force: true })
  }
}

type LeftOut = { window: LabelWindow; reason: string }

function isHoldout({ holdoutFrom }: DatasetRequest, { asOf }: LabelWindow): boolean {
  return holdoutFrom !== undefined && Date.parse(asOf.instant) >= Date.parse(holdoutFrom.instant)
}

/** Its label looks at days that the holdout's features look at too. */
function isGap(request: DatasetRequest, window: LabelWindow): boolean {
  const { holdoutFrom } = request
  return (
    holdoutFrom !== undefined &&
    !isHoldout(request, window) &&
    Date.parse(window.end.instant) > Date.parse(holdoutFrom.instant)
  )
}

/** A split that somebody asked for and that nothing is left of. */
function refuseEmpty(request: DatasetRequest, mature: LabelWindow[], leftOut: LeftOut[]): void {
  const all = [...mature, ...leftOut.map(({ window }) => window)]
  for (const [name, wanted] of [
    ['train', (window: LabelWindow) => !isHoldout(request, window)],
    ['holdout', (window: LabelWindow) => isHoldout(request, window)],
  ] as const) {
    const asked = all.filter(wanted)
    if (asked.length === 0 || mature.some((window) => wanted(window) && !isGap(request, window))) continue
    const reasons = [
      ...leftOut
        .filter(({ window }) => wanted(window))
        .map(({ window, reason }) => `${window.asOf.label}: ${reason}`),
      ...mature
        .filter((window) => wanted(window) && isGap(request, window))
        .map(({ asOf, end }) => `${asOf.label}: its label window ends at ${end.local}, within the holdout`),
    ]
    throw new Failure(
      'late-data',
      `the ${name} split is empty: of ${asked.map(({ asOf }) => asOf.label).join(', ')} none can be used. ${reasons.slice(0, 3).join('; ')}${reasons.length > 3 ? `; and ${reasons.length - 3} more` : ''}`,
      { evidence: { split: name, reasons } },
    )
  }
}

interface Builder {
  part(window: LabelWindow): Promise<Part>
  /** Known once a part is made. */
  facts(): { columns: Column[]; label: Column; viewHash: string; labelHash: string; warnings: string[] }
}

async function openBuilder(request: DatasetRequest, temp: string): Promise<Builder> {
  const { root, view, timezone, now, threads, memoryLimit } = request
  const spill = join(temp, 'spill')
  await mkdir(spill)
  let known: InputFile[] = []
  let described: { columns: Column[]; label: Column; viewHash: string; labelHash: string } | undefined
  const warnings: string[] = []

  return {
    async part(window) {
      const { asOf } = window
      const out = join(temp, 'features.parquet')
      const features = await computeFeatures({
        root,
        view,
        asOf,
        knownAt: now,
        timezone,
        out,
        temp: spill,
        threads,
        memoryLimit,
        metadata: { view: view.name, as_of: asOf.label },
        known,
      })
      known = features.inputs
      refuseBadEntities(view, asOf, features.checks)
      for (const { message } of features.checks.filter(({ passed }) => !passed))
        warnings.push(`${asOf.label}: ${message}`)
      const labels = join(temp, 'labels.parquet')
      const { label, inputs, hash } = await labelsOf({ ...request, temp }, window, labels)
      const columns = features.file.columns.filter(({ name }) => !view.entity.includes(name))
      refuseClash(request, columns, label)
      described = { columns, label, viewHash: features.viewHash, labelHash: hash }
      const file = join(temp, `part-${asOf.label}.parquet`)
      const rows = await joinLabels(request, {
        window,
        features: out,
        labels,
        file,
        columns,
        label,
        spill,
        temp,
      })
      return {
        window,
        file,
        rows,
        unlabelled: features.file.rows - rows,
        inputs: features.inputs,
        labelInputs: inputs,
      }
    },
    facts() {
      if (described === undefined) throw new Failure('bug', 'expected at least one as-of')
      return { ...described, warnings }
    },
  }
}

function refuseClash({ root, labels, view }: DatasetRequest, columns: Column[], label: Column): void {
  if (columns.some(({ name }) => name.toLowerCase() === 'as_of')) {
    throw new Failure(
      'contract',
      `view ${view.name} has a column as_of, which every training set has of its own: rename it`,
    )
  }
  const taken = [...columns.map(({ name }) => name), ...view.entity, 'as_of'].map((name) =>
    name.toLowerCase(),
  )
  if (!taken.includes(label.name.toLowerCase())) return
  throw new Failure(
    'contract',
    `${showPath(root, labels.sqlFile)}: expected the label to have a name of its own, got: ${label.name}, which the view has too; rename it`,
  )
}

function refuseBadEntities(
  { entity }: View,
  { label }: AsOf,
  checks: { kind: string; passed: boolean; message: string }[],
): void {
  const bad = checks.find(({ kind, passed }) => !passed && kind.startsWith('entity.'))
  if (bad === undefined) return
  throw new Failure(
    'contract',
    `as of ${label} the features have no row of their own for each ${entity.join(', ')}: ${bad.message}`,
  )
}

interface Joining {
  window: LabelWindow
  features: string
  labels: string
  file: string
  columns: Column[]
  label: Column
  spill: string
  temp: string
}

/** Features beside labels of one as-of, sorted by entity. Returns the rows. */
async function joinLabels(request: DatasetRequest, joining: Joining): Promise<number> {
  const { view, threads, memoryLimit } = request
  const { window, temp, spill, columns, label } = joining
  const engine = await openEngine({
    readable: [],
    writable: [temp],
    temp: spill,
    threads,
    memoryLimit,
    timezone: 'UTC',
  })
  try {
    const entity = view.entity.map(identifier)
    const from = `read_parquet(${literal(joining.labels)})`
    await refuseDoubles(engine, from, request, window)
    const asOf =
      grainOf(window.asOf) === 'day'
        ? `DATE ${literal(window.asOf.label)}`
        : `TIMESTAMP ${literal(window.asOf.instant.slice(0, 19).replace('T', ' '))}`
    const list = [
      ...entity.map((name) => `f.${name}`),
      `${asOf} AS as_of`,
      ...columns.map(({ name }) => `f.${identifier(name)}`),
      `l.${identifier(label.name)}`,
    ]
    const { Count } = await engine.row(
      `COPY (SELECT ${list.join(', ')} FROM read_parquet(${literal(joining.features)}) f JOIN ${from} l USING (${entity.join(', ')})
        WHERE l.${identifier(label.name)} IS NOT NULL ORDER BY ${entity.map((name) => `f.${name}`).join(', ')})
        TO ${literal(joining.file)} (FORMAT parquet, COMPRESSION snappy)`,
    )
    return Number(Count)
  } finally {
    engine.close()
  }
}

interface Ending {
  folder: string
  temp: string
  parts: Part[]
  leftOut: LeftOut[]
  builder: Builder
}

async function finish(request: DatasetRequest, ending: Ending): Promise<DatasetFacts> {
  const { folder, temp, parts, leftOut, builder } = ending
  const { columns, label, viewHash: hash, labelHash, warnings } = builder.facts()
  const gap = parts.filter(({ window }) => isGap(request, window))
  const kept = parts.filter((part) => !gap.includes(part))
  const train = kept.filter(({ window }) => !isHoldout(request, window))
  const holdout = kept.filter(({ window }) => isHoldout(request, window))
  const { view, labels } = request
  const id = idOf({ hash, labelHash, lag: labels.lag.text, train, holdout })
  const made = join(temp, 'made')
  await mkdir(made)
  const schema = parts[0]
  if (schema === undefined) throw new Failure('bug', 'expected at least one as-of')
  const splits = await writeSplits(request, { made, temp, train, holdout, schema, id, hash, label })
  for (const [name, split] of Object.entries(splits)) refuseNoRows(name, split)
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
      without_label: kept.reduce((sum, { unlabelled }) => sum + unlabelled, 0),
    },
    inputs: Object.fromEntries(kept.map(({ window, inputs }) => [window.asOf.label, inputs])),
    engine: { nightshift: request.release, duckdb: await engineVersion(), node: process.version },
  }
  const target = join(folder, id)
  if (existsSync(join(target, 'manifest.json'))) return { manifest, folder: target, known: true, warnings }
  const path = join(made, 'manifest.json')
  await writeFile(path, `${JSON.stringify(manifest, null, 2)}\n`)
  await syncFile(path)
  await syncFolder(made)
  await rename(made, target).catch(async (error: unknown) => {
    // Somebody else has made the same set meanwhile.
    if (!(await stat(join(target, 'manifest.json')).catch(() => undefined))) throw error
  })
  await syncFolder(folder)
  return { manifest, folder: target, known: false, warnings }
}

function refuseNoRows(name: string, split: Split): void {
  if (split.as_of.length === 0 || split.rows > 0) return
  throw new Failure(
    'late-data',
    `the ${name} split is empty: as of ${split.as_of.join(', ')} no entity of the view has a label`,
  )
}

/** The same rows behind the same definitions have the same id, however they are spread over files. */
function idOf(of: { hash: string; labelHash: string; lag: string; train: Part[]; holdout: Part[] }): string {
  const contents = (parts: Part[]) =>
    parts.map(({ window, rows, inputs, labelInputs }) => [
      window.asOf.label,
      rows,
      contentOf(inputs),
      contentOf(labelInputs),
    ])
  return createHash('sha256')
    .update(JSON.stringify([1, of.hash, of.labelHash, of.lag, contents(of.train), contents(of.holdout)]))
    .digest('hex')
    .slice(0, 12)
}

async function writeSplits(
  request: DatasetRequest,
  {
    made,
    temp,
    train,
    holdout,
    schema,
    id,
    hash,
    label,
  }: {
    made: string
    temp: string
    train: Part[]
    holdout: Part[]
    /** Any part: a split without as-ofs has its columns. */
    schema: Part
    id: string
    hash: string
    label: Column
  },
): Promise<{ train: Split; holdout: Split }> {
  const engine = await openEngine({
    readable: [],
    writable: [temp],
    temp: join(temp, 'spill'),
    threads: request.threads,
    memoryLimit: request.memoryLimit,
    timezone: 'UTC',
    // The parts are sorted, and are read in their order.
    ordered: true,
  })
  const write = async (name: 'train' | 'holdout', parts: Part[]): Promise<Split> => {
    const files = (parts.length > 0 ? parts : [schema]).map(({ file }) => literal(file)).join(', ')
    const path = join(made, `${name}.parquet`)
    const metadata = {
      project: request.root.split('/').at(-1) ?? '',
      model: request.model,
      dataset: id,
      split: name,
      view_hash: hash,
    }
    const pairs = Object.entries(metadata).map(([key, value]) => `${identifier(key)}: ${literal(value)}`)
    const { Count } = await engine.row(
      `COPY (SELECT * FROM read_parquet([${files}])${parts.length > 0 ? '' : ' LIMIT 0'}) TO ${literal(path)} (FORMAT parquet, COMPRESSION snappy, KV_METADATA {${pairs.join(', ')}})`,
    )
    const rows = Number(Count)
    await readBack({ engine, path, entity: ['as_of', ...request.view.entity], rows, metadata })
    return {
      rows,
      as_of: parts.map(({ window }) => window.asOf.label),
      balance: await balanceOf(engine, path, label.name),
    }
  }
  try {
    return { train: await write('train', train), holdout: await write('holdout', holdout) }
  } finally {
    engine.close()
  }
}

async function balanceOf(
  engine: Awaited<ReturnType<typeof openEngine>>,
  path: string,
  label: string,
): Promise<Record<string, number> | null> {
  const rows = await engine.rows(
    `SELECT ${identifier(label)}::VARCHAR AS value, count(*)::INTEGER AS rows FROM read_parquet(${literal(path)}) GROUP BY ALL ORDER BY ALL LIMIT 3`,
  )
  if (rows.length === 0 || rows.length > 2) return null
  return Object.fromEntries(rows.map((row) => [String(row.value), Number(row.rows)]))
}

async function engineVersion(): Promise<string> {
  const { version } = await import('@duckdb/node-api')
  return version()
}
