import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBValue } from '@duckdb/node-api'
import { describeModel } from '../../src/pipeline/onnx/inspect.ts'
import { type MappingPlan, planMapping } from '../../src/pipeline/onnx/mapping.ts'
import { encodeModel, type ModelProto } from '../../src/pipeline/onnx/proto.ts'
import type { ScoreRequest } from '../../src/pipeline/scoring/score-partition.ts'
import type { ScoreColumn } from '../../src/project/project.ts'
import { connectDuckdb } from '../duckdb.ts'

/** A folder with a model and a night's features, and the request to score them. `remove()` it when done. */
export interface Case {
  folder: string
  request: ScoreRequest
  mapping: MappingPlan
  /** Writes other features under the same name. */
  rewrite(sql: string): Promise<void>
  /** Rows of a Parquet file by SQL that calls it `$file`. */
  query(sql: string, file?: string): Promise<DuckDBValue[][]>
  remove(): void
}

interface Parts {
  model: ModelProto | Uint8Array
  /** SELECT that gives the features. */
  sql: string
  entity?: string[]
  /** Default: every column but the entity. */
  inputs?: string[]
  fill?: Record<string, string | number | boolean>
  score?: Partial<ScoreColumn>
  onnx?: { output?: string; class?: number; inputs?: Record<string, string> }
  /** Folder within the case's own, such as `as_of=2026-11-22`. */
  within?: string
}

export async function openCase(parts: Parts): Promise<Case> {
  const { model, sql, entity = ['id'], fill = {}, onnx = {}, within = '.' } = parts
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-scoring-'))
  const connection = await connectDuckdb()
  const remove = () => {
    connection.closeSync()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    for (const each of ['out', 'tmp', within]) mkdirSync(join(folder, each), { recursive: true })
    const features = join(folder, within, 'features.parquet')
    const bytes = model instanceof Uint8Array ? model : encodeModel(model)
    writeFileSync(join(folder, 'model.onnx'), bytes)
    const rewrite = async (select: string) => {
      await connection.run(`COPY (${select}) TO '${features}' (FORMAT parquet)`)
    }
    await rewrite(sql)
    const described = await connection.runAndReadAll(
      `DESCRIBE SELECT * FROM read_parquet('${features}', hive_partitioning = false)`,
    )
    const columns = described.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }))
    const names = parts.inputs ?? columns.map(({ name }) => name).filter((name) => !entity.includes(name))
    const score = { column: 'p', min: undefined, max: undefined, threshold: undefined, ...parts.score }
    const mapping = planMapping(describeModel(bytes), {
      inputs: names.flatMap((name) => columns.filter((column) => column.name === name)),
      onnx: { output: onnx.output, class: onnx.class, unknown: [], inputs: onnx.inputs ?? {} },
      score,
      fill,
    })
    const request: ScoreRequest = {
      model: join(folder, 'model.onnx'),
      mapping,
      features,
      entity,
      score,
      version: 3,
      out: join(folder, 'out', 'scores.parquet'),
      temp: join(folder, 'tmp'),
      threads: 1,
      metadata: { model: 'churn', run: "it's 7" },
    }
    return {
      folder,
      request,
      mapping,
      rewrite,
      remove,
      async query(select, file = request.out) {
        const source = `read_parquet('${file}', hive_partitioning = false)`
        return (await connection.runAndReadAll(select.replaceAll('$file', source))).getRows()
      },
    }
  } catch (error) {
    remove()
    throw error
  }
}
