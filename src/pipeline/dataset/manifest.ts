import type { Column, InputFile } from '../engine/facts.ts'

/** Written after the other files of a training set: who finds it finds them. */
export const MANIFEST = 'manifest.json'

/** One of a training set's two files. */
export interface Split {
  rows: number
  /** The partitions in it, oldest first. */
  as_of: string[]
  /** Rows by value of a label that has two values, such as `{ "0": 812, "1": 188 }`; null for others. */
  balance: Record<string, number> | null
}

/**
 * What a training set is: `manifest.json` beside `train.parquet` and `holdout.parquet`.
 *
 * Both files have the entity's columns, `as_of` (DATE; of hourly sets TIMESTAMP, the instant in UTC), the view's other
 * columns in the SQL's order and the label under its own name; rows are sorted by as-of and entity.
 */
export interface Manifest {
  format: 1
  /** From content: the same call over the same rows gives the same id. */
  id: string
  model: string
  view: string
  view_hash: string
  /** features.sql as it was; absent in sets that are older. */
  features_sql?: string
  label: { column: string; type: string; hash: string; horizon: string; lag: string }
  entity: string[]
  /** The view's columns without the entity. */
  features: Column[]
  as_of: string[]
  train: Split
  holdout: Split
  left_out: {
    /** As-ofs whose label window is not over. */
    immature: { as_of: string; label_end: string; reason: string }[]
    /** As-ofs before the holdout whose label window reaches into it. */
    gap: { as_of: string; rows: number }[]
    /** Rows of --entities, of whose entity the view has none at that time; absent without such a file. */
    without_features?: number
    /** Entities of the view without a label, over all as-ofs. */
    without_label: number
  }
  /** The file of entities and times that it was asked for; absent: every entity at each as-of. */
  entities?: { file: string; rows: number; sum: string }
  /** Groups that form the holdout at all as-ofs; absent: the last as-ofs do. */
  holdout_groups?: { share: number; by: string[]; train: number; holdout: number }
  /** Of every as-of. */
  inputs: Record<string, InputFile[]>
  engine: { nightshift: string; duckdb: string; node: string }
}

/** Of a training set that somebody has removed files of. */
export function incompleteWarning(id: string, missing: string[]): string[] {
  if (missing.length === 0) return []
  return [`training set ${id} was incomplete: ${missing.join(', ')} was missing and has been written again`]
}
