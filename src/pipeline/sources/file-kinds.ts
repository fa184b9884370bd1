import type { Column } from '../engine/facts.ts'
import type { SourceFile } from './sources.ts'

export interface SourceColumn extends Column {
  /** Taken from the path. */
  isKey: boolean
  /** The first file by name with which the column has this type, as people are shown it. */
  from: string
}

/** A file's columns by their names in lower case. One without a value (`isVoid`) fits any type. */
export type Layout = ReadonlyMap<string, { type: string; isVoid: boolean }>

/** Files with the same columns, of the same types, with the same columns void. */
export interface FileKind {
  /** In the order of their names. */
  files: SourceFile[]
  columns: (Column & { isVoid: boolean })[]
  layout: Layout
}
