import { join } from 'node:path'
import { labelView } from '../../project/time/label-window.ts'
import { type Engine, openEngine } from '../engine/duckdb.ts'
import type { Column } from '../engine/facts.ts'
import { identifier, literal, parquet } from '../engine/quote.ts'
import { timelessSources } from '../leaks/risks.ts'
import { readBack } from '../partition/read-back.ts'
import type { DatasetRequest } from './dataset-request.ts'
import { countGroups, type HeldGroups, isHeld } from './held-groups.ts'
import type { Split } from './manifest.ts'
import type { Part } from './part.ts'

/**
 * Writes `train.parquet` and `holdout.parquet` from the parts of each, and reads them back. `repeated` are the rows of the
 * holdout that train has too, but for their as-of; looked for where a source is static.
 */
export async function writeSplits(
  request: DatasetRequest,
  {
    made,
    temp,
    train,
    holdout,
    schema,
    id,
    hash,
    label,
  }: {
    made: string
    temp: string
    train: Part[]
    holdout: Part[]
    /** Any part: a split without as-ofs has its columns. */
    schema: Part
    id: string
    hash: string
    label: Column
  },
): Promise<{
  train: Split
  holdout: Split
  repeated: number
  counted: { train: number; holdout: number } | undefined
}> {
  const engine = await openEngine({
    readable: [],
    writable: [temp],
    temp: join(temp, 'spill'),
    threads: request.threads,
    memoryLimit: request.memoryLimit,
    timezone: 'UTC',
    // The parts are sorted, and are read in their order.
    ordered: true,
  })
  const groups = request.holdoutGroups
  const write = async (name: 'train' | 'holdout', parts: Part[]): Promise<Split> => {
    const from = parquet((parts.length > 0 ? parts : [schema]).map(({ file }) => file))
    const path = join(made, `${name}.parquet`)
    const metadata = {
      project: request.root.split('/').at(-1) ?? '',
      model: request.model,
      dataset: id,
      split: name,
      view_hash: hash,
    }
    const pairs = Object.entries(metadata).map(([key, value]) => `${identifier(key)}: ${literal(value)}`)
    const { Count } = await engine.row(
      `COPY (SELECT * FROM ${from}${parts.length > 0 ? whereOf(name, groups) : ' LIMIT 0'}) TO ${literal(path)} (FORMAT parquet, COMPRESSION snappy, KV_METADATA {${pairs.join(', ')}})`,
    )
    const rows = Number(Count)
    await readBack({ engine, path, entity: ['as_of', ...request.view.entity], rows, metadata })
    return {
      rows,
      as_of: parts.map(({ window }) => window.asOf.label),
      balance: await balanceOf(engine, path, label.name),
    }
  }
  try {
    const splits = { train: await write('train', train), holdout: await write('holdout', holdout) }
    const repeated =
      timelessSources(labelView(request.view, request)).length === 0 ? 0 : await repeatedRows(engine, made)
    const all = parquet([...new Set([...train, ...holdout])].map(({ file }) => file))
    const counted = groups === undefined ? undefined : await countGroups(engine, all, groups)
    return { ...splits, repeated, counted }
  } finally {
    engine.close()
  }
}

/** Rows of a split where groups decide. */
function whereOf(name: 'train' | 'holdout', groups: HeldGroups | undefined): string {
  if (groups === undefined) return ''
  return ` WHERE ${name === 'holdout' ? '' : 'NOT '}${isHeld(groups)}`
}

async function repeatedRows(engine: Engine, folder: string): Promise<number> {
  const rows = (name: string) => `SELECT * EXCLUDE (as_of) FROM ${parquet(join(folder, `${name}.parquet`))}`
  const { n } = await engine.row(`SELECT count(*) AS n FROM (${rows('holdout')} INTERSECT ${rows('train')})`)
  return Number(n)
}

async function balanceOf(
  engine: Engine,
  path: string,
  label: string,
): Promise<Record<string, number> | null> {
  const rows = await engine.rows(
    `SELECT ${identifier(label)}::VARCHAR AS value, count(*)::INTEGER AS rows FROM ${parquet(path)} GROUP BY ALL ORDER BY ALL LIMIT 3`,
  )
  if (rows.length === 0 || rows.length > 2) return null
  return Object.fromEntries(rows.map((row) => [String(row.value), Number(row.rows)]))
}
