import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Example } from '../../project/files/load-examples.ts'
import type { Source, View } from '../../project/project.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import { openEngine } from '../engine/duckdb.ts'
import { Failure } from '../engine/failure.ts'
import { computeFeatures } from '../features/compute-features.ts'
import { asParquet } from '../sources/converted-files.ts'
import { compareRows, type Difference } from './compare-rows.ts'
import { writeTable } from './write-table.ts'

export interface ExampleRequest {
  /** Absolute path of the project. */
  root: string
  view: View
  /** The project's zone. */
  timezone: string
  example: Example
}

export interface ExampleFacts {
  rows: number
  /** Features compared, without the entity. */
  values: number
  /** The names of the features that at least one row compares. */
  compared: string[]
  /** All features of the view, without the entity. */
  features: string[]
  differences: Difference[]
  view_hash: string
}

/** Rows of an example arrived long ago: `cutoff` alone decides which of them count. */
const KNOWN_AT = '2999-01-01T00:00:00Z'

/**
 * Writes an example's rows as Parquet to a folder of its own, computes the view from them by the function that
 * serves, and compares. Expectations of view.yaml are about whole nights and are not asked. Throws Failures, as
 * computeFeatures does.
 */
export async function runExample(request: ExampleRequest): Promise<ExampleFacts> {
  const { root, view, timezone, example } = request
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-example-')))
  const [data, work] = [join(folder, 'data'), join(folder, 'work')]
  try {
    await mkdir(data)
    await mkdir(work)
    const engine = await openEngine({
      readable: [],
      writable: [folder],
      temp: work,
      threads: 1,
      timezone: 'UTC',
    })
    try {
      for (const table of example.tables) await writeTable(engine, table, fileOf(data, view, table.source))
      const out = join(work, 'features.parquet')
      const facts = await computeFeatures({
        root,
        view: onExample(view, example, data),
        asOf: parseAsOf(example.asOf, timezone),
        knownAt: KNOWN_AT,
        timezone,
        out,
        temp: work,
        threads: 1,
        metadata: {},
        hashed: false,
      })
      return { ...(await compareRows(engine, out, view.entity, example.rows)), view_hash: facts.viewHash }
    } finally {
      engine.close()
    }
  } catch (error) {
    throw withoutRows(error, example)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The number, not the name: names that differ in their case alone are one on some disks. */
function fileOf(data: string, view: View, source: string): string {
  return join(data, `${Object.keys(view.sources).indexOf(source)}.parquet`)
}

function onExample(view: View, { tables }: Example, data: string): View {
  const sources = Object.entries(view.sources).map(([name, source]): [string, Source] => {
    const columns = tables.find((table) => table.source === name)?.columns.map((column) => column.name) ?? []
    // A key of the folders is a column of the file here, and a zone of a column that the example leaves out says nothing.
    const { hive: _, timezones = {}, ...rest } = asParquet(source, fileOf(data, view, name))
    const zones = Object.fromEntries(Object.entries(timezones).filter(([column]) => columns.includes(column)))
    return [name, { ...rest, timezones: zones }]
  })
  const { decided: _, ...rest } = view
  return {
    ...rest,
    sources: Object.fromEntries(sources),
    columns: {},
    expect: { rows: undefined, fresh: {} },
  }
}

/** A source that the example forgets is no late data. */
function withoutRows(error: unknown, { tables }: Example): unknown {
  if (!(error instanceof Failure) || error.failureClass !== 'late-data') return error
  const given = tables.map(({ source }) => source).join(', ') || 'none'
  return new Failure(
    'contract',
    `features.sql reads a source of which the example has no rows: add it to sources, with [] and its types for none (it has: ${given})`,
    { cause: error },
  )
}
