import { NIGHT_TABLES, type NightTable } from '../../project/schema/metric.ts'
import type { Engine } from '../engine/duckdb.ts'
import type { Column } from '../engine/facts.ts'
import { identifier, parquet } from '../engine/quote.ts'

/** Parquet files behind the tables of a night; undefined: there is none, the table is empty or missing. */
export interface NightFiles {
  scores: string
  labels: string
  treated: string | undefined
  control: string | undefined
  /** Undefined where the features that were scored do not stand any more: the table is not there. */
  features: string | undefined
}

/** Makes the night's files readable under their names. An undeclared group is empty. */
export async function createNight(engine: Engine, files: NightFiles, entity: string[]): Promise<void> {
  const noEntities = `SELECT ${entity.map(identifier).join(', ')} FROM scores WHERE false`
  const all = (path: string) => `SELECT * FROM ${parquet(path)}`
  const selects: [NightTable, string | undefined][] = [
    ['scores', all(files.scores)],
    ['labels', all(files.labels)],
    ['treated', files.treated === undefined ? noEntities : all(files.treated)],
    ['control', files.control === undefined ? noEntities : all(files.control)],
    ['features', files.features === undefined ? undefined : all(files.features)],
  ]
  for (const [name, select] of selects) {
    if (select !== undefined) await engine.run(`CREATE TEMP VIEW ${name} AS ${select}`)
  }
}

/** The same without rows, to bind SQL to. */
export async function createEmptyNight(engine: Engine, tables: Record<NightTable, Column[]>): Promise<void> {
  for (const name of NIGHT_TABLES) {
    const columns = tables[name].map((column) => `${identifier(column.name)} ${column.type}`)
    await engine.run(`CREATE TEMP TABLE ${name} (${columns.join(', ')})`)
  }
}
