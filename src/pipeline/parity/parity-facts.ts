import type { View } from '../../project/project.ts'
import type { AsOf } from '../../project/time/asof.ts'
import type { Column, InputFile } from '../engine/facts.ts'
import { timelessSources } from '../leaks/risks.ts'
import type { Comparison } from './compare.ts'

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
 * file        rows computed outside Nightshift; with `allowMissing` some entities may be missing
 */
export type Against =
  | { kind: 'recomputed' }
  | { kind: 'dataset'; id: string; viewHash: string; files: string[] }
  | { kind: 'file'; path: string; allowMissing?: boolean }

/**
 * The result of a comparison. `values` = rows x columns; the partition is at parity if no difference is unexplained.
 */
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
  /** Why they differ; null where they do not, `file` if the other side is an external file. */
  cause: 'logic' | 'type' | 'late' | 'values' | 'file' | null
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

/** What one way of comparing has found. */
export interface Found {
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
  /** The other side is of another program: neither definition nor files of ours say why it differs. */
  foreign?: boolean
}

/** Sums a comparison up. */
export function factsOf(request: ParityRequest, found: Found): ParityFacts {
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
    cause:
      differing === 0
        ? null
        : found.foreign === true
          ? 'file'
          : changedTypes.size > 0 || gone > 0
            ? 'type'
            : logic
              ? 'logic'
              : 'values',
    types,
    missing_columns: missing,
    more_columns: more,
    only_published: comparison.only_published,
    only_other: comparison.only_other,
    examples_only: comparison.examples_only,
    changed_files: found.changed,
    by_column,
    // Both sides read the same rows of such a source, whatever they contained on the night.
    notes: timelessSources(request.view).map(
      (name) => `source ${name} is static: that its rows are those of the night can never be proven`,
    ),
  }
}
