import { link, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AsOf } from '../../project/asof.ts'
import type { View } from '../../project/project.ts'
import { featureCut } from '../cut.ts'
import { type Engine, openEngine } from '../duckdb.ts'
import type { Column, InputFile } from '../facts.ts'
import { Failure } from '../failure.ts'
import { computeFeatures } from '../features.ts'
import { inputsOf } from '../inputs.ts'
import { staticSources } from '../leaks/risks.ts'
import { identifier, literal } from '../quote.ts'
import { cutSources } from '../tables.ts'
import { type ComparedColumn, type Comparison, compare } from './compare.ts'

/** A published partition of features, and how its run read its sources. */
export interface Published {
  /** Absolute path. */
  file: string
  run: string
  viewHash: string
  /** ISO 8601. */
  knownAt: string
  inputs: InputFile[]
}

export interface ParityRequest {
  /** Absolute path of the project. */
  root: string
  view: View
  asOf: AsOf
  timezone: string
  published: Published
  against: Against
  threads: number
}

/**
 * recomputed  the training path, over the sources as they are now, at the run's own moment of reading
 * dataset     the stored rows of a training set
 * file        rows that somebody computed elsewhere
 */
export type Against =
  | { kind: 'recomputed' }
  | { kind: 'dataset'; id: string; viewHash: string; files: string[] }
  | { kind: 'file'; path: string }

/** What a comparison found. `values` = rows x columns; the partition is at parity where nothing is left to explain. */
export interface ParityFacts {
  as_of: string
  run: string
  against: string
  rows: number
  columns: number
  values: number
  /** Values that differ, rows that one side lacks included, and those of columns whose type is another. */
  differing: number
  rounding: number
  /** Values that differ because rows arrived or changed after the run had read. */
  late: number
  largest_difference: number | null
  view_hash: { published: string; now: string }
  /** Why they differ; null where they do not. */
  cause: 'logic' | 'type' | 'late' | 'values' | null
  types: { column: string; published: string; other: string }[]
  missing_columns: string[]
  more_columns: string[]
  only_published: number
  only_other: number
  examples_only: Comparison['examples_only']
  /** Files that are new, changed or gone since the run. */
  changed_files: string[]
  by_column: Comparison['by_column']
  notes: string[]
}

/**
 * Compares a published partition of features value by value with what the training path gives. Throws Failures:
 * `contract` where the other side cannot be read, and as `computeFeatures` does.
 */
export async function checkParity(request: ParityRequest): Promise<ParityFacts> {
  const temp = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-parity-')))
  try {
    const pinned = join(temp, 'published.parquet')
    // A refresh may replace the partition meanwhile; where links fail (another disk) its path has to do.
    const published = await link(request.published.file, pinned).then(
      () => pinned,
      () => request.published.file,
    )
    switch (request.against.kind) {
      case 'recomputed':
        return await againstRecomputed(request, published, temp)
      case 'dataset':
        return await againstDataset(request, request.against, published, temp)
      case 'file':
        return await againstFile(request, request.against.path, published, temp)
    }
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}

async function againstRecomputed(
  request: ParityRequest,
  published: string,
  temp: string,
): Promise<ParityFacts> {
  const now = await recompute(request, temp, 'now', undefined)
  const facts = await compareFiles(request, published, now, temp)
  if (facts.differing === 0 || now.viewHash !== request.published.viewHash) return facts
  if (facts.changed_files.length === 0 || facts.types.length > 0) return facts
  // The definition is the same, and files have changed. Where what was read is still there, it alone decides.
  const { before, intact } = lookAtInputs(request)
  if (!intact) {
    const notes = [
      ...facts.notes,
      'what the run read is not there any more, so that late rows cannot be told from others',
    ]
    return { ...facts, differing: 0, late: facts.differing, cause: 'late', notes }
  }
  const then = await recompute(request, temp, 'then', before)
  const logic = await compareFiles(request, published, then, temp)
  const late = Math.max(0, facts.differing - logic.differing)
  return { ...facts, differing: logic.differing, late, cause: logic.differing > 0 ? logic.cause : 'late' }
}

interface Recomputed {
  file: string
  viewHash: string
  inputs: InputFile[]
}

async function recompute(
  { root, view, asOf, timezone, published, threads }: ParityRequest,
  temp: string,
  name: string,
  only: InputFile[] | undefined,
): Promise<Recomputed> {
  const out = join(temp, `${name}.parquet`)
  const facts = await computeFeatures({
    root,
    view,
    asOf,
    knownAt: published.knownAt,
    timezone,
    out,
    temp,
    threads,
    metadata: { view: view.name, as_of: asOf.label },
    only,
  })
  return { file: facts.file.path, viewHash: facts.viewHash, inputs: facts.inputs }
}

/** The run's own inputs, and whether each of them is there as it was. */
function lookAtInputs({ root, view, asOf, timezone, published }: ParityRequest): {
  before: InputFile[]
  intact: boolean
} {
  const now = inputsOf(cutSources(root, view, featureCut(asOf, published.knownAt, timezone)))
  const same = new Set(now.map(fileText))
  return { before: published.inputs, intact: published.inputs.every((input) => same.has(fileText(input))) }
}

function fileText({ source, path, size, modified }: InputFile): string {
  return [source, path, size, modified].join('\n')
}

function changedFiles(before: InputFile[], now: InputFile[]): string[] {
  const [old, current] = [new Set(before.map(fileText)), new Set(now.map(fileText))]
  const paths = (inputs: InputFile[]) => new Set(inputs.map(({ path }) => path))
  const [oldPaths, currentPaths] = [paths(before), paths(now)]
  return [
    ...now
      .filter((input) => !old.has(fileText(input)))
      .map(({ path }) => `${path} ${oldPaths.has(path) ? 'has changed' : 'is new'}`),
    ...before
      .filter((input) => !current.has(fileText(input)) && !currentPaths.has(input.path))
      .map(({ path }) => `${path} is gone`),
  ]
}

async function withEngine<T>(
  readable: string[],
  temp: string,
  threads: number,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await openEngine({
    readable: await Promise.all(readable.map((path) => realpath(path))),
    writable: [temp],
    temp,
    threads,
    timezone: 'UTC',
  })
  try {
    return await work(engine)
  } finally {
    engine.close()
  }
}

async function columnsOf(engine: Engine, from: string): Promise<Column[]> {
  const rows = await engine.rows(`DESCRIBE SELECT * FROM ${from}`)
  return rows.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }))
}

const parquet = (path: string) => `read_parquet(${literal(path)}, hive_partitioning = false)`

async function compareFiles(
  request: ParityRequest,
  published: string,
  other: Recomputed,
  temp: string,
): Promise<ParityFacts> {
  return withEngine([published, other.file], temp, request.threads, async (engine) => {
    const { entity } = request.view
    const [left, right] = [parquet(await realpath(published)), parquet(await realpath(other.file))]
    const [columns, others] = [await columnsOf(engine, left), await columnsOf(engine, right)]
    const own = columns.filter(({ name }) => !entity.includes(name))
    const pairs = own.map((column) => ({ column, other: others.find(({ name }) => name === column.name) }))
    const types = pairs.flatMap(({ column, other: found }) =>
      found === undefined || found.type === column.type
        ? []
        : [{ column: column.name, published: column.type, other: found.type }],
    )
    const compared = pairs.flatMap(({ column, other: found }): ComparedColumn[] =>
      found === undefined ? [] : [castTo(column, found)],
    )
    const comparison = await compare({ engine, left, right, entity, columns: compared })
    return facts(request, {
      against: 'recomputed',
      own,
      comparison,
      types,
      missing: pairs.filter((pair) => pair.other === undefined).map(({ column }) => column.name),
      more: others.map(({ name }) => name).filter((name) => !columns.some((column) => column.name === name)),
      hash: other.viewHash,
      changed: changedFiles(request.published.inputs, other.inputs),
      strictTypes: true,
    })
  })
}

/** The other side's value in the published type; a value that does not fit there differs. */
function castTo(column: Column, other: Column): ComparedColumn {
  if (other.type === column.type) return { ...column, right: `r.${identifier(other.name)}` }
  const raw = `r.${identifier(other.name)}`
  const cast = `TRY_CAST(${raw} AS ${column.type})`
  return { ...column, right: cast, unreadable: `(${raw} IS NOT NULL AND ${cast} IS NULL)` }
}

async function againstDataset(
  request: ParityRequest,
  against: Extract<Against, { kind: 'dataset' }>,
  published: string,
  temp: string,
): Promise<ParityFacts> {
  return withEngine([published, ...against.files], temp, request.threads, async (engine) => {
    const { entity } = request.view
    const left = parquet(await realpath(published))
    const paths = await Promise.all(against.files.map(async (path) => literal(await realpath(path))))
    const right = `(SELECT * FROM read_parquet([${paths.join(', ')}], hive_partitioning = false) WHERE as_of = ${asOfLiteral(request.asOf)})`
    const [columns, others] = [await columnsOf(engine, left), await columnsOf(engine, right)]
    const own = columns.filter(({ name }) => !entity.includes(name))
    const pairs = own.map((column) => ({ column, other: others.find(({ name }) => name === column.name) }))
    const comparison = await compare({
      engine,
      left,
      right,
      entity,
      columns: pairs.flatMap(({ column, other }) => (other === undefined ? [] : [castTo(column, other)])),
    })
    const result = facts(request, {
      against: `dataset ${against.id}`,
      own,
      comparison,
      types: pairs.flatMap(({ column, other }) =>
        other === undefined || other.type === column.type
          ? []
          : [{ column: column.name, published: column.type, other: other.type }],
      ),
      missing: pairs.filter((pair) => pair.other === undefined).map(({ column }) => column.name),
      more: [],
      hash: against.viewHash,
      changed: [],
      strictTypes: true,
      // Entities without a label are in no training set.
      ignoreOnlyPublished: true,
    })
    if (comparison.rows === 0 && comparison.only_other === 0) {
      throw new Failure(
        'contract',
        `training set ${against.id} has no rows as of ${request.asOf.label}: parity --dataset compares a night that is one of its as-ofs`,
      )
    }
    if (comparison.only_published > 0) {
      result.notes.push(
        `${comparison.only_published} published entities have no label, and are in no training set`,
      )
    }
    return result
  })
}

function asOfLiteral({ label, instant }: AsOf): string {
  return label.includes('T')
    ? `TIMESTAMP ${literal(instant.slice(0, 19).replace('T', ' '))}`
    : `DATE ${literal(label)}`
}

async function againstFile(
  request: ParityRequest,
  path: string,
  published: string,
  temp: string,
): Promise<ParityFacts> {
  return withEngine([published, path], temp, request.threads, async (engine) => {
    const { entity } = request.view
    const left = parquet(await realpath(published))
    const file = literal(await realpath(path))
    const read = /\.(csv|tsv|txt)(\.gz)?$/i.test(path)
      ? `read_csv(${file}, all_varchar = true, header = true)`
      : parquet(await realpath(path))
    const others = await columnsOf(engine, read).catch((cause: unknown) => {
      throw new Failure(
        'contract',
        `${path}: expected a CSV or Parquet file, got: ${cause instanceof Error ? firstLine(cause.message) : String(cause)}`,
        { cause },
      )
    })
    const columns = await columnsOf(engine, left)
    const find = (name: string) => others.find((other) => other.name.toLowerCase() === name.toLowerCase())
    const own = columns.filter(({ name }) => !entity.includes(name))
    const missingKeys = entity.filter((name) => find(name) === undefined)
    const known = own.filter(({ name }) => find(name) !== undefined)
    if (missingKeys.length > 0 || known.length === 0) {
      throw new Failure(
        'contract',
        `${path}: expected the entity (${entity.join(', ')}) and columns of view ${request.view.name} (${own.map(({ name }) => name).join(', ')}), got: ${others.map(({ name }) => name).join(', ')}`,
      )
    }
    const keys = entity.map((name) => {
      const type = columns.find((column) => column.name === name)?.type ?? 'VARCHAR'
      return `${textCast(identifier(find(name)?.name ?? name), type)} AS ${identifier(name)}`
    })
    const rest = known.map(({ name }) => `${identifier(find(name)?.name ?? name)} AS ${identifier(name)}`)
    const asOf = find('as_of')
    const where =
      asOf === undefined || entity.includes(asOf.name) || known.some(({ name }) => name === asOf.name)
        ? ''
        : ` WHERE TRY_CAST(${identifier(asOf.name)} AS ${request.asOf.label.includes('T') ? 'TIMESTAMP' : 'DATE'}) = ${asOfLiteral(request.asOf)}`
    const right = `(SELECT ${[...keys, ...rest].join(', ')} FROM ${read}${where})`
    await refuseDoubles(engine, path, right, entity)
    const comparison = await compare({
      engine,
      left,
      right,
      entity,
      columns: known.map((column) => {
        const type = find(column.name)?.type ?? 'VARCHAR'
        if (type === column.type) return column
        const raw = `r.${identifier(column.name)}`
        const cast = textCast(raw, column.type)
        const empty = type === 'VARCHAR' && column.type !== 'VARCHAR' ? ` AND ${raw} <> ''` : ''
        return { ...column, right: cast, unreadable: `(${raw} IS NOT NULL${empty} AND ${cast} IS NULL)` }
      }),
    })
    if (comparison.rows === 0) {
      throw new Failure(
        'contract',
        `${path}: expected entities of the night (${entity.join(', ')} such as ${comparison.examples_only.published.join(', ')}), got: ${comparison.examples_only.other.join(', ') || 'no rows'}${where === '' ? '' : ` with as_of ${request.asOf.label}`}`,
      )
    }
    const result = facts(request, {
      against: path,
      own: known,
      comparison,
      types: [],
      missing: own.filter(({ name }) => find(name) === undefined).map(({ name }) => name),
      more: [],
      hash: request.published.viewHash,
      changed: [],
      strictTypes: false,
      ignoreOnlyPublished: true,
    })
    if (comparison.only_published > 0)
      result.notes.push(`${comparison.only_published} published entities are not in the file`)
    if (result.missing_columns.length > 0)
      result.notes.push(`not in the file, and not compared: ${result.missing_columns.join(', ')}`)
    return result
  })
}

/** pandas writes integers beside nulls as 12.0, and booleans as True. */
function textCast(raw: string, type: string): string {
  return /INT/.test(type)
    ? `coalesce(TRY_CAST(${raw} AS ${type}), CASE WHEN TRY_CAST(${raw} AS DOUBLE) = floor(TRY_CAST(${raw} AS DOUBLE)) THEN TRY_CAST(TRY_CAST(${raw} AS DOUBLE) AS ${type}) END)`
    : `TRY_CAST(${raw} AS ${type})`
}

async function refuseDoubles(engine: Engine, path: string, from: string, entity: string[]): Promise<void> {
  const key = entity.map((name) => `coalesce(${identifier(name)}::VARCHAR, 'null')`).join(` || '/' || `)
  const rows = await engine.rows(
    `SELECT ${key} AS entity, count(*)::INTEGER AS n FROM ${from} GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 5`,
  )
  if (rows.length === 0) return
  throw new Failure(
    'contract',
    `${path}: expected one row for each ${entity.join(', ')} of the night, got several: ${rows.map((row) => `${row.entity} (${row.n} times)`).join(', ')}. A column as_of tells nights apart`,
  )
}

interface Found {
  against: string
  /** The published columns that are compared. */
  own: Column[]
  comparison: Comparison
  types: ParityFacts['types']
  missing: string[]
  more: string[]
  hash: string
  changed: string[]
  /** A column of another type differs in all of its values. */
  strictTypes: boolean
  ignoreOnlyPublished?: boolean
}

function facts(request: ParityRequest, found: Found): ParityFacts {
  const { comparison, own, types, missing, more } = found
  const rows = comparison.rows + (found.ignoreOnlyPublished === true ? 0 : comparison.only_published)
  const changedTypes = new Set(found.strictTypes ? types.map(({ column }) => column) : [])
  const by_column = comparison.by_column.map((column) =>
    changedTypes.has(column.column) ? { ...column, differing: column.values, rounding: 0 } : column,
  )
  const lost = (found.ignoreOnlyPublished === true ? 0 : comparison.only_published) + comparison.only_other
  const gone = found.strictTypes ? missing.length + more.length : 0
  const differing =
    by_column.reduce((sum, column) => sum + column.differing, 0) +
    lost * own.length +
    gone * Math.max(rows, 1)
  const { viewHash } = request.published
  const largest = by_column.flatMap(({ largest_difference }) => largest_difference ?? [])
  const logic = found.hash !== viewHash
  return {
    as_of: request.asOf.label,
    run: request.published.run,
    against: found.against,
    rows,
    columns: own.length,
    values: rows * own.length,
    differing,
    rounding: by_column.reduce((sum, column) => sum + column.rounding, 0),
    late: 0,
    largest_difference: largest.length === 0 ? null : Math.max(...largest),
    view_hash: { published: viewHash, now: found.hash },
    cause: differing === 0 ? null : changedTypes.size > 0 || gone > 0 ? 'type' : logic ? 'logic' : 'values',
    types,
    missing_columns: missing,
    more_columns: more,
    only_published: comparison.only_published,
    only_other: comparison.only_other,
    examples_only: comparison.examples_only,
    changed_files: found.changed,
    by_column,
    // Both sides read the same rows of such a source, whatever they said on the night.
    notes: staticSources(request.view).map(
      (name) => `source ${name} is static: that its rows are those of the night can never be proven`,
    ),
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text
}
