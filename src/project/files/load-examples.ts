import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { View } from '../project.ts'
import { fitsType, typeOfCells } from '../rules/cell-types.ts'
import { type Cell, type ExampleFile, exampleSchema } from '../schema/example-schema.ts'
import { parseAsOf } from '../time/asof.ts'
import { type Entry, type Fault, readEntry } from './entry.ts'
import { didYouMean } from './nearest.ts'
import { ConfigurationError, type Problem } from './problem.ts'
import { leaves, leavingWords } from './project-file.ts'
import { describe, listed } from './value-text.ts'

/** Rows of a view's sources, and the rows that features.sql makes of them. Plain data. */
export interface Example {
  /** Relative to the project's root. */
  file: string
  /** What it shows, in one line. */
  shows: string
  asOf: string
  tables: ExampleTable[]
  rows: Record<string, Cell>[]
}

export interface ExampleTable {
  source: string
  columns: { name: string; type: string }[]
  rows: Record<string, Cell>[]
}

const KIND = { name: 'example', schema: exampleSchema, loose: exampleSchema.partial(), rules: () => [] }

/** The examples of a view in the order of their names; those with an error are only in `problems`. */
export function loadExamples(
  root: string,
  view: View,
  timezone: string,
): { examples: Example[]; problems: Problem[] } {
  const folder = `features/${basename(view.folder)}/examples`
  const path = join(root, folder)
  if (!existsSync(path)) return { examples: [], problems: [] }
  if (!statSync(path).isDirectory()) return refusal(folder, `expected ${folder} to be a folder, got: a file`)
  const outside = leaves(root, path)
  if (outside !== false) return refusal(folder, leavingWords(folder, outside))
  const examples: Example[] = []
  const problems: Problem[] = []
  for (const name of readdirSync(path).sort()) {
    if (name.startsWith('.')) continue
    const file = `${folder}/${name}`
    if (!name.endsWith('.yaml')) {
      problems.push(
        ...refusal(file, 'only files named *.yaml are read as examples; rename or remove it').problems,
      )
      continue
    }
    const entry = readEntry({ root, file, name, example: 'example: What it shows' }, KIND)
    const faults = entry.value === undefined ? [] : faultsOf(entry.value, view, timezone)
    problems.push(...entry.problems, ...faults.map((fault) => placed(entry, fault)))
    if (entry.value !== undefined && faults.length === 0) examples.push(build(file, entry.value, view))
  }
  return { examples, problems }
}

function refusal(file: string, message: string): { examples: Example[]; problems: Problem[] } {
  const at = { line: undefined, column: undefined }
  return { examples: [], problems: [{ severity: 'error', file, ...at, message }] }
}

function placed({ yaml }: Entry<ExampleFile>, { path, key = false, message }: Fault): Problem {
  return { severity: 'error', file: yaml.file, ...yaml.place(path, key ? 'key' : 'value'), message }
}

function build(file: string, example: ExampleFile, view: View): Example {
  return {
    file,
    shows: example.example,
    asOf: example.as_of,
    rows: example.rows,
    tables: Object.entries(example.sources).map(([source, rows]) => ({
      source,
      rows,
      columns: columnsOf(example, source).map((name) => ({
        name,
        type: typeIn(example, view, source, name) ?? 'VARCHAR',
      })),
    })),
  }
}

function faultsOf(example: ExampleFile, view: View, timezone: string): Fault[] {
  return [
    ...asOfFaults(example, timezone),
    ...Object.keys(example.types)
      .filter((source) => example.sources[source] === undefined)
      .map((source) => ({
        path: ['types', source],
        key: true,
        message: `types.${source} belongs to no rows: add sources.${source}, with [] for none, or remove it`,
      })),
    ...Object.keys(example.sources).flatMap((source) => sourceFaults(example, view, source)),
    ...rowFaults(example, view),
  ]
}

function asOfFaults({ as_of }: ExampleFile, timezone: string): Fault[] {
  try {
    parseAsOf(as_of, timezone)
    return []
  } catch (error) {
    if (error instanceof ConfigurationError) return [{ path: ['as_of'], message: error.message }]
    throw error
  }
}

function sourceFaults(example: ExampleFile, view: View, source: string): Fault[] {
  const names = Object.keys(view.sources)
  const path = ['sources', source]
  if (!names.includes(source)) {
    const message = `expected the keys of sources to be sources of view ${view.name} (${listed(names)}), got: ${describe(source)}${didYouMean(source, names)}`
    return [{ path, key: true, message }]
  }
  const columns = columnsOf(example, source)
  if (columns.length === 0) {
    const message = `sources.${source} has no rows: its columns are needed, as in \`types: { ${source}: { id: BIGINT } }\``
    return [{ path, key: true, message }]
  }
  const rows = example.sources[source] ?? []
  return columns.flatMap((name): Fault[] => {
    const type = typeIn(example, view, source, name)
    if (type === undefined) {
      const values = rows.map((row) => row[name] ?? null).filter((value) => value !== null)
      const why = values.length === 0 ? 'is null in every row' : 'has values of several types'
      const message = `${source}.${name} ${why}: say its type, as in \`types: { ${source}: { ${name}: TIMESTAMP } }\``
      return [{ path, key: true, message }]
    }
    return rows.flatMap((row, index) => {
      const cell = row[name] ?? null
      if (fitsType(cell, type)) return []
      const message = `expected ${source}.${name} to be ${article(type)}, got: ${describe(cell)}`
      return [{ path: [...path, index, name], message }]
    })
  })
}

function rowFaults({ rows, sources }: ExampleFile, { entity }: View): Fault[] {
  const faults: Fault[] = []
  const seen = new Set<string>()
  for (const [index, row] of rows.entries()) {
    const missing = entity.filter((name) => (row[name] ?? null) === null)
    if (missing.length > 0) {
      faults.push({
        path: ['rows', index],
        message: `expected each row to name its entity, but it has no ${missing.join(', ')}`,
      })
      continue
    }
    const key = JSON.stringify(entity.map((name) => String(row[name])))
    if (seen.has(key)) {
      const message = `${entity.map((name) => `${name} ${row[name]}`).join(', ')} is listed twice: features have one row for each entity`
      faults.push({ path: ['rows', index], message })
    }
    seen.add(key)
  }
  const compares = rows.some((row) => Object.keys(row).some((name) => !entity.includes(name)))
  if (rows.length > 0 && !compares)
    faults.push({
      path: ['rows'],
      key: true,
      message: `the rows compare no feature: give at least one of them a column beside ${entity.join(', ')}`,
    })
  if (rows.length === 0 && Object.values(sources).every((given) => given.length === 0))
    faults.push({
      path: ['rows'],
      key: true,
      message: 'no rows in and no rows out show nothing: give the sources rows',
    })
  return faults
}

function columnsOf({ types, sources }: ExampleFile, source: string): string[] {
  const rows = sources[source] ?? []
  return [...new Set([...Object.keys(types[source] ?? {}), ...rows.flatMap((row) => Object.keys(row))])]
}

/** As `types` says, else as view.yaml says of the folders' keys, else as the values look. */
function typeIn(example: ExampleFile, view: View, source: string, name: string): string | undefined {
  const rows = example.sources[source] ?? []
  return (
    example.types[source]?.[name] ??
    view.sources[source]?.hive?.[name] ??
    typeOfCells(rows.map((row) => row[name] ?? null))
  )
}

function article(type: string): string {
  return `${/^[AEIOU]/.test(type) && !type.startsWith('U') ? 'an' : 'a'} ${type}`
}
