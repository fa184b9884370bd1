import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NIGHT_TABLES } from '../../project/schema/metric.ts'
import type { LabelWindow } from '../../project/time/label-window.ts'
import { LAST, labelCut } from '../cut/cut.ts'
import { openLabelQuery, type WindowPlace } from '../dataset/label-query.ts'
import { classify } from '../engine/classify.ts'
import { openEngine } from '../engine/duckdb.ts'
import type { Column, InputFile } from '../engine/facts.ts'
import { identifier, literal } from '../engine/quote.ts'
import { inputsOf } from '../sources/input-files.ts'
import { hashVisible } from '../sources/visible.ts'
import { checkFeatureSql } from '../sql/check-sql.ts'

/** Which of the sources the figures read, by their SQL alone. */
export async function sourcesOfFigures(metrics: { sql: string }[], names: string[]): Promise<string[]> {
  if (metrics.length === 0 || names.length === 0) return []
  const temp = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-figures-')))
  const engine = await openEngine({ readable: [], writable: [], temp, threads: 1, timezone: 'UTC' })
  try {
    const read = new Set<string>()
    for (const { sql } of metrics) {
      const declaredSources = [...NIGHT_TABLES, ...names]
      const { tables } = await checkFeatureSql(engine, sql, { file: '', declaredSources })
      for (const table of tables) read.add(table)
    }
    return names.filter((name) => read.has(name))
  } finally {
    engine.close()
    await rm(temp, { recursive: true, force: true })
  }
}

/** What a source looks like to SQL over a label's window. Throws as `openQuery` does. */
export async function describeSource(place: WindowPlace, name: string, file: string): Promise<Column[]> {
  const query = await openLabelQuery(place, whole(name, file), {
    end: LAST,
    complete: LAST.instant,
    asOf: undefined,
  })
  try {
    const columns = await query.engine.rows(`DESCRIBE ${query.sql}`, query.values)
    return columns.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }))
  } finally {
    query.close()
  }
}

/** Sources as files of their own, cut at the end of the window. `missing`: why one is not there, which costs the others nothing. */
export interface WindowSources {
  files: Map<string, string>
  inputs: InputFile[]
  missing: Map<string, string>
}

export async function writeSources(
  place: WindowPlace,
  names: string[],
  window: LabelWindow,
  { folder, file }: { folder: string; file: string },
): Promise<WindowSources> {
  const written: WindowSources = { files: new Map(), inputs: [], missing: new Map() }
  for (const name of names) {
    const out = join(folder, `source-${name}.parquet`)
    try {
      written.inputs.push(...(await writeSource(place, name, window, { out, file })))
      written.files.set(name, out)
    } catch (error) {
      const failure = classify(error)
      if (failure.failureClass !== 'contract' && failure.failureClass !== 'late-data') throw error
      written.missing.set(name, failure.message)
    }
  }
  return written
}

async function writeSource(
  place: WindowPlace,
  name: string,
  window: LabelWindow,
  { out, file }: { out: string; file: string },
): Promise<InputFile[]> {
  const query = await openLabelQuery(place, whole(name, file), window)
  try {
    await query.engine.run(`COPY (${query.sql}) TO ${literal(out)} (FORMAT parquet)`, query.values)
    const cut = labelCut(window, place.now, place.timezone)
    return await hashVisible(query.engine, query.tables, cut, inputsOf(query.sources))
  } finally {
    query.close()
  }
}

function whole(name: string, sqlFile: string): { sql: string; sqlFile: string } {
  return { sql: `SELECT * FROM ${identifier(name)}`, sqlFile }
}
