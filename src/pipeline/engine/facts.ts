/** What the pipeline returns: plain data, small enough for IPC and for a jsonb column. */

import type { Vocabulary } from '../onnx/vocabulary.ts'

/** What a definition is known by. Empty and null where its SQL could not be parsed. */
export interface Identity {
  viewHash: string
  /**
   * What builds before 2026-11-28 called the same definition; null where it says what they could not. Ledgers and
   * training sets of those builds name it (src/registry/view-identity.ts).
   */
  formerHash: string | null
}

export interface Column {
  name: string
  /** DuckDB's name of the type, such as `FLOAT`. */
  type: string
}

/** One expectation and how it went. `observed` and `bound` are what a person compares. */
export interface Check {
  id: string
  /** `column.max`, `column.min`, `column.values`, `column.max_null_rate`, `column.unknown`, `rows.min`, `rows.max`, `rows.max_change`, `fresh`, `entity.unique`, `entity.null`, `score.finite`, `score.range`, `score.rows`, `types` */
  kind: string
  column: string | undefined
  passed: boolean
  observed: string | number | null
  bound: string | number | null
  /** Says what was expected and what was found. */
  message: string
  /** Up to five offending rows, as column to text. */
  samples: Record<string, string>[]
}

/** One file that a partition was computed from. */
export interface InputFile {
  source: string
  /** Relative to the project's root where it lies within, else absolute. */
  path: string
  size: number
  /** ISO 8601. */
  modified: string
  rows: number
  /** Newest value of the source's time column by the footer's statistics, ISO 8601, null where it says none. */
  newest: string | null
  /** Undefined where only the file itself was looked at. */
  visible?: VisibleRows
}

/** The rows of a file that are seen at a cut: what their content comes to, whatever their order. */
export interface VisibleRows {
  rows: number
  /** Sum of the rows' 64-bit hashes, as text. */
  sum: string
  /** What was hashed: sums of another kind do not compare. */
  of: string
  /** The whole file lies before the cut. */
  whole: boolean
}

/** By source the columns that a run has read, and its keys, each with a file that has its type. */
export type SourceTypes = Record<string, (Column & { isKey: boolean; from: string })[]>

export interface StepTime {
  step: string
  /** Milliseconds. */
  ms: number
}

/** What a task used of its machine, in bytes. */
export interface Usage {
  /** Peak of its process's own memory, without programs that it shares with others. */
  memory: number
  /** Its share of `memory` in nightshift.yaml; null where it had none. */
  limit: number | null
  /** The most temporary files at once; null where its process was ended from outside, and could not say. */
  spilled: number | null
}

/** A file that was written, synced, hashed and read back, and is not published yet. */
export interface WrittenFile {
  path: string
  rows: number
  bytes: number
  sha256: string
  columns: Column[]
  metadata: Record<string, string>
}

export interface FeatureFacts extends Identity {
  file: WrittenFile
  /** Builds before 2026-11-28 have cut these sources elsewhere (`hasMovedDates`). */
  movedDates: boolean
  /** What was read of each source. */
  sources: SourceTypes
  checks: Check[]
  inputs: InputFile[]
  warnings: string[]
  steps: StepTime[]
  /** The content is that of the file which this one replaces. */
  same: boolean
}

export interface ScoreFacts {
  file: WrittenFile
  checks: Check[]
  /** Of the columns whose values the model tells apart by name. */
  unknown: UnknownValues[]
  warnings: string[]
  steps: StepTime[]
  /** Of the finite scores (undefined where there are none), and the rows at or over the threshold. */
  summary: {
    mean: number | undefined
    min: number | undefined
    max: number | undefined
    positive: number | undefined
  }
}

/** Values of one column that the model does not know. Plain data, kept with the run. */
export interface UnknownValues {
  column: string
  rows: number
  unknown: number
  /** The commonest unknown values, as text. */
  examples: { value: string; rows: number }[]
  /** The first of the values that the model knows, and how many it knows. */
  known: (string | number)[]
  knows: number
  kind: Vocabulary['kind']
  /** The model fails on an unknown value. */
  refuses: boolean
}
