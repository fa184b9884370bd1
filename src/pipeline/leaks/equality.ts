import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { View } from '../../project/project.ts'
import { traitsOf } from '../../project/source-kinds.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { featureCut } from '../cut/cut.ts'
import { openEngine } from '../engine/duckdb.ts'
import type { Column } from '../engine/facts.ts'
import { parquet } from '../engine/quote.ts'
import { computeFeatures } from '../features/compute-features.ts'
import { type Comparison, compare } from '../parity/compare.ts'
import type { Leak } from './leak.ts'
import type { Survey } from './survey.ts'
import { type Edit, truncate } from './truncate.ts'

export interface EqualityRequest {
  root: string
  view: View
  timezone: string
  /** ISO 8601: when the sources are read. */
  now: string
  temp: string
  threads: number
  /** Of each engine, as DuckDB writes it. */
  memoryLimit: string | undefined
  survey: Survey
  edits: Edit[]
}

export interface Equality {
  asOf: AsOf
  /** The file of features that serving computes, to be used on. */
  file: string
  rows: number
  columns: Column[]
  values: number
  differing: number
  leaks: Leak[]
}

/** A part of what was hidden, as it is named. */
interface Part {
  only: string[]
  edits: Edit[]
}

/**
 * Computes the features of an as-of twice, by the one function: over the sources as they are, and over copies that
 * end at the as-of. Every value has to be the same. Where some are not, the copies are made again with one part
 * hidden at a time, so that the part is named that makes the difference.
 */
export async function checkEquality(request: EqualityRequest, asOf: AsOf): Promise<Equality> {
  const { view, survey, edits, temp } = request
  const folder = join(temp, asOf.label)
  await mkdir(folder, { recursive: true })
  const file = join(folder, 'served.parquet')
  const served = await features(request, view, asOf, file)
  const all = survey.sources.map(({ found }) => found.name)
  const compareWithout = (part: Part) => withoutPart(request, asOf, folder, file, served.columns, part)
  const whole = await compareWithout({ only: all, edits })
  const differing = count(whole)
  const leaks: Leak[] = []
  if (differing > 0) {
    const parts: Part[] = [
      ...edits.map((edit) => ({ only: [edit.source], edits: [edit] })),
      ...all.map((name) => ({ only: [name], edits: [] })),
    ]
    for (const part of parts) {
      const comparison = await compareWithout(part)
      if (count(comparison) > 0) leaks.push(leakOf(view, asOf, part, comparison))
    }
    if (leaks.length === 0) leaks.push(leakOf(view, asOf, { only: [], edits: [] }, whole))
  }
  return {
    asOf,
    file,
    rows: served.rows,
    columns: served.columns,
    values: served.rows * served.columns.length,
    differing,
    leaks: withoutEchoes(leaks),
  }
}

/**
 * Truncating a source is part of each of its edits. If truncation alone makes a difference, only that is reported.
 */
function withoutEchoes(leaks: Leak[]): Leak[] {
  const plain = new Set(leaks.filter(({ column }) => column === null).map(({ source }) => source))
  return leaks.filter(({ source, column }) => column === null || !plain.has(source))
}

async function features(
  { root, timezone, now, threads, memoryLimit, temp }: EqualityRequest,
  view: View,
  asOf: AsOf,
  out: string,
): Promise<{ rows: number; columns: Column[] }> {
  const { file } = await computeFeatures({
    root,
    view,
    asOf,
    knownAt: now,
    timezone,
    out,
    temp,
    threads,
    memoryLimit,
    metadata: { view: view.name, as_of: asOf.label },
    hashed: false,
  })
  return { rows: file.rows, columns: file.columns.filter(({ name }) => !view.entity.includes(name)) }
}

async function withoutPart(
  request: EqualityRequest,
  asOf: AsOf,
  folder: string,
  file: string,
  columns: Column[],
  { only, edits }: Part,
): Promise<Comparison> {
  const { view, survey, threads, memoryLimit, timezone, now, temp } = request
  const sources = join(folder, 'sources')
  const out = join(folder, 'truncated.parquet')
  await mkdir(sources, { recursive: true })
  try {
    const cut = featureCut(asOf, now, timezone)
    const truncated = await truncate({
      engine: survey.engine,
      view,
      sources: survey.sources,
      asOf,
      cut,
      folder: sources,
      only,
      edits,
    })
    await features(request, truncated, asOf, out)
    const engine = await openEngine({
      readable: [],
      writable: [folder],
      temp,
      threads,
      memoryLimit,
      timezone: 'UTC',
    })
    try {
      return await compare({ engine, left: parquet(file), right: parquet(out), entity: view.entity, columns })
    } finally {
      engine.close()
    }
  } finally {
    await rm(sources, { recursive: true, force: true })
    await rm(out, { force: true })
  }
}

function count({ by_column, only_published, only_other }: Comparison): number {
  return (
    by_column.reduce((sum, { differing }) => sum + differing, 0) +
    (only_published + only_other) * Math.max(1, by_column.length)
  )
}

function leakOf(view: View, asOf: AsOf, { only, edits }: Part, comparison: Comparison): Leak {
  const [edit] = edits
  const touched = comparison.by_column
    .filter(({ differing }) => differing > 0)
    .sort((a, b) => b.differing - a.differing)
  const lost = comparison.only_published + comparison.only_other
  const rows = Math.max(lost, ...touched.map(({ differing }) => differing), 0)
  const names = touched.map(({ column, differing }) => `${column} in ${differing} rows`)
  if (lost > 0) names.push(`${lost} ${view.entity.join('/')} that exist on one side only`)
  const what =
    names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ')
  const source = only[0] ?? null
  const examples = touched
    .slice(0, 2)
    .flatMap(({ column, examples: own }) =>
      own
        .slice(0, 2)
        .map(
          ({ entity, published, other }) =>
            `${column} of ${entity}: ${published ?? 'null'} with what came after, ${other ?? 'null'} without`,
        ),
    )
  const gone = [...comparison.examples_only.published, ...comparison.examples_only.other]
  return {
    ...wording(view, asOf, source, edit, what),
    severity: 'error',
    view: view.name,
    source,
    column: edit?.column ?? null,
    features: touched.map(({ column }) => column),
    as_of: asOf.label,
    rows,
    examples: examples.length > 0 ? examples : gone.slice(0, 5),
  }
}

function wording(
  view: View,
  { label }: AsOf,
  source: string | null,
  edit: Edit | undefined,
  what: string,
): Pick<Leak, 'kind' | 'message' | 'fix'> {
  const yaml = `features/${view.name}/view.yaml`
  const declared = source === null ? undefined : view.sources[source]
  const traits = declared === undefined ? undefined : traitsOf(declared)
  if (edit?.kind === 'value') {
    const end =
      traits?.rows === 'latest-of-key'
        ? `declare valid_to: ${edit.column} for ${source} in ${yaml}: it then reads null until it has happened`
        : undefined
    return {
      kind: 'future-value',
      message: `${edit.column} of source ${source} is known in the file before it happened: as of ${label} it changes ${what}`,
      fix:
        end ??
        `use ${edit.column} only where it lies before $as_of (CASE WHEN ${edit.column} < $as_of THEN ... END), or read it from a source of events`,
    }
  }
  if (edit !== undefined && traits !== undefined && traits.time === undefined) {
    return {
      kind: 'future-rows',
      message: `rows of source ${source} with ${edit.column} after the as-of are seen: as of ${label} they change ${what}`,
      fix: `declare ${source} as kind: events with event_time: ${edit.column} in ${yaml}`,
    }
  }
  if (edit !== undefined) {
    return {
      kind: 'load-date',
      message: `event_time of source ${source} is ${edit.column} rounded down, so rows are seen before they happened: as of ${label} they change ${what}`,
      fix: `declare event_time: ${edit.column} for ${source} in ${yaml}`,
    }
  }
  return {
    kind: 'future-rows',
    message: `features change when rows after the as-of are added${source === null ? '' : ` to source ${source}`}: as of ${label} ${what}`,
    fix: `check the declaration of ${source ?? 'the sources'} in ${yaml} (time, timezone, valid_to); if it is correct, report a bug`,
  }
}
