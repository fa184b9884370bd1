import type { LabelWindow } from '../../project/time/label-window.ts'
import { openEngine } from '../engine/duckdb.ts'
import type { Column } from '../engine/facts.ts'
import { identifier, literal, parquet } from '../engine/quote.ts'
import { asOfLiteral } from './as-of-literal.ts'
import type { DatasetRequest } from './dataset-request.ts'
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
}

/** Features beside labels of one as-of, sorted by entity. Returns the rows. */
export async function joinLabels(request: DatasetRequest, joining: Joining): Promise<number> {
  const { view, threads, memoryLimit } = request
  const { window, temp, spill, columns, label } = joining
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
      `${asOfLiteral(window.asOf)} AS as_of`,
      ...columns.map(({ name }) => `f.${identifier(name)}`),
      `l.${identifier(label.name)}`,
    ]
    const { Count } = await engine.row(
      `COPY (SELECT ${list.join(', ')} FROM ${parquet(joining.features)} f JOIN ${from} l USING (${entity.join(', ')})
        WHERE l.${identifier(label.name)} IS NOT NULL ORDER BY ${entity.map((name) => `f.${name}`).join(', ')})
        TO ${literal(joining.file)} (FORMAT parquet, COMPRESSION snappy)`,
    )
    return Number(Count)
  } finally {
    engine.close()
  }
}
