import type { Check, Column, InputFile, SourceTypes } from '../engine/facts.ts'

/** Names and types of the columns that a definition of a view has had since it was first published. */
export interface Promised {
  columns: Column[]
  /** What its sources were then, undefined where the build of that time did not record it. */
  sources: SourceTypes | undefined
  /** What it was first published as. */
  partition: string
  /** What that partition was computed from. */
  inputs: InputFile[]
}

/**
 * A check that fails where a partition's columns are others than promised, and says which file is at fault where that
 * can be known; undefined where they are the same, in whatever order. What fails it can never be released.
 */
export function checkPromise(
  promised: Promised,
  now: { columns: Column[]; sources: SourceTypes; inputs: InputFile[] },
): Check | undefined {
  const changes = [
    ...promised.columns.flatMap(({ name, type }) => {
      const column = now.columns.find((each) => each.name === name)
      if (column?.type === type) return []
      const words = column === undefined ? 'no longer exists' : `is ${column.type}`
      return [
        { name, was: type, is: column?.type ?? null, words: `column ${name} ${words}, and was ${type}` },
      ]
    }),
    ...now.columns
      .filter(({ name }) => !promised.columns.some((column) => column.name === name))
      .map(({ name, type }) => ({ name, was: null, is: type, words: `column ${name} (${type}) is new` })),
  ]
  const [first] = changes
  if (first === undefined) return undefined
  const shown = changes.slice(0, 5).map(({ words }) => words)
  const more = changes.length > shown.length ? `, and ${changes.length - shown.length} more` : ''
  return {
    id: 'types',
    kind: 'types',
    column: first.name,
    passed: false,
    observed: first.is,
    bound: first.was,
    message: `${shown.join('; ')}${more}: readers rely on the columns that this definition has had since ${promised.partition}. ${cause(promised, now)}. Rewrite the file as before, or cast in features.sql, which creates a new definition`,
    samples: [],
  }
}

/** What is otherwise than it was: a column of a source, or at least files that were not there then. */
function cause(
  promised: Pick<Promised, 'sources' | 'inputs'>,
  now: { sources: SourceTypes; inputs: InputFile[] },
): string {
  const changed = Object.entries(now.sources).flatMap(([source, columns]) =>
    columns.flatMap(({ name, type, from }) => {
      const before = promised.sources?.[source]?.find((column) => column.name === name)
      if (before === undefined || before.type === type) return []
      return [`${source}.${name} is ${type} in ${from}, and was ${before.type} in ${before.from}`]
    }),
  )
  if (changed.length > 0) return `Of its sources ${changed.slice(0, 5).join('; ')}`
  if (promised.sources !== undefined) return 'No source column that it reads has changed its type since then'
  const known = new Set(
    promised.inputs.map(({ source, path, modified }) => `${source}\n${path}\n${modified}`),
  )
  const fresh = now.inputs.filter(
    ({ source, path, modified }) => !known.has(`${source}\n${path}\n${modified}`),
  )
  const names = fresh.slice(-3).map(({ path }) => path)
  if (names.length === 0) return 'It reads the same files as before'
  const more = fresh.length > names.length ? ` and ${fresh.length - names.length} more` : ''
  return `Of the files that it reads, ${names.join(', ')}${more} ${fresh.length === 1 ? 'is' : 'are'} new since then`
}
