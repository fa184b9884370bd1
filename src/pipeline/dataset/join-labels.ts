import type { LabelWindow } from '../../project/time/label-window.ts'
import { openEngine } from '../engine/duckdb.ts'
import type { Column } from '../engine/facts.ts'
import { identifier, literal, parquet } from '../engine/quote.ts'
import { asOfLiteral } from './as-of-literal.ts'
import type { DatasetRequest } from './dataset-request.ts'
import type { WantedRows } from './entity-file.ts'
import { refuseDoubles } from './labels-of.ts'

export interface Joining {
  window: LabelWindow
  features: string
  labels: string
  file: string
  columns: Column[]
  label: Column
  spill: string
  temp: string
  /** Type of `as_of`. */
  asOfType: 'DATE' | 'TIMESTAMP'
  /** The rows that are wanted; undefined: all. */
  wanted: WantedRows | undefined
}

/** Features beside labels of one as-of, sorted by entity: the rows, those wanted without features, and those without a label. */
export async function joinLabels(
  request: DatasetRequest,
  joining: Joining,
): Promise<{ rows: number; featureless: number; unlabelled: number }> {
  const { view, threads, memoryLimit } = request
  const { window, temp, spill, columns, label, wanted, asOfType } = joining
  const engine = await openEngine({
    readable: [],
    writable: [temp],
    temp: spill,
    threads,
    memoryLimit,
    timezone: 'UTC',
  })
  try {
    const entity = view.entity.map(identifier)
    const from = parquet(joining.labels)
    await refuseDoubles(engine, from, request, window)
    const list = [
      ...entity.map((name) => `f.${name}`),
      `${asOfLiteral(window.asOf, asOfType)} AS as_of`,
      ...columns.map(({ name }) => `f.${identifier(name)}`),
      `l.${identifier(label.name)}`,
    ]
    const features = parquet(joining.features)
    let seen = `${features} f`
    let asked: number | undefined
    if (wanted !== undefined) {
      const at = `as_of = ${asOfLiteral(window.asOf, 'TIMESTAMP')}`
      const types = await engine.rows(`DESCRIBE SELECT ${entity.join(', ')} FROM ${features}`)
      // The entity may come in another type from a notebook: 1.0 is customer 1.
      const keys = types.map(
        ({ column_type: type }, index) => `f.${entity[index]} = TRY_CAST(w.${entity[index]} AS ${type})`,
      )
      seen = `(SELECT f.* FROM ${features} f SEMI JOIN (FROM ${parquet(wanted.file)} WHERE ${at}) w ON ${keys.join(' AND ')}) f`
      asked = Number((await engine.row(`SELECT count(*) AS n FROM ${parquet(wanted.file)} WHERE ${at}`)).n)
    }
    const { n } = await engine.row(`SELECT count(*) AS n FROM ${seen}`)
    const { Count } = await engine.row(
      `COPY (SELECT ${list.join(', ')} FROM ${seen} JOIN ${from} l USING (${entity.join(', ')})
        WHERE l.${identifier(label.name)} IS NOT NULL ORDER BY ${entity.map((name) => `f.${name}`).join(', ')})
        TO ${literal(joining.file)} (FORMAT parquet, COMPRESSION snappy)`,
    )
    const rows = Number(Count)
    return { rows, featureless: (asked ?? Number(n)) - Number(n), unlabelled: Number(n) - rows }
  } finally {
    engine.close()
  }
}
