import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { encodeModel, TENSOR } from '../../src/pipeline/onnx/proto.ts'
import { runDuckdb } from '../duckdb.ts'
import { type TemporaryProject, temporaryProject } from './cdnow.ts'

/** Writes a Parquet file from a SELECT. */
export async function writeParquet(path: string, select: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  await runDuckdb(`COPY (${select}) TO '${path}' (FORMAT parquet)`)
}

/** A model whose score is 1 / (1 + exp(-(x - y))) of two columns, after `work` multiplications of a wide matrix. */
export function smallModel({
  work = 0,
  width = 1024,
  linear = false,
  reversed = false,
}: {
  work?: number
  width?: number
  /** The score is x - y itself. */
  linear?: boolean
  /** Of y - x. */
  reversed?: boolean
} = {}): Uint8Array {
  const float = (name: string, dims: number[], values: Float32Array) => ({
    name,
    dims,
    data_type: TENSOR.float32,
    raw_data: new Uint8Array(values.buffer),
  })
  const node = (op_type: string, input: string[], output: string[]) => ({
    op_type,
    input,
    output,
    name: output[0] ?? '',
  })
  const value = (name: string, columns: number) => ({
    name,
    type: {
      tensor_type: {
        elem_type: TENSOR.float32,
        shape: { dim: [{ dim_param: 'n' }, { dim_value: columns }] },
      },
    },
  })
  const heavy = Array.from({ length: work }, (_, index) =>
    node('MatMul', [index === 0 ? 'wide' : `heavy${index - 1}`, 'square'], [`heavy${index}`]),
  )
  const identity = new Float32Array(width * width)
  for (let i = 0; i < width; i++) identity[i * width + i] = 1
  const spread = new Float32Array(2 * width)
  spread[0] = reversed ? -1 : 1
  spread[width] = reversed ? 1 : -1
  const first = new Float32Array(width)
  first[0] = 1
  return encodeModel({
    ir_version: 8,
    opset_import: [{ domain: '', version: 17 }],
    graph: {
      name: 'small',
      input: [value('x', 2)],
      output: [value('score', 1)],
      initializer: [
        float('spread', [2, width], spread),
        ...(work > 0 ? [float('square', [width, width], identity)] : []),
        float('first', [width, 1], first),
      ],
      node: [
        node('MatMul', ['x', 'spread'], ['wide']),
        ...heavy,
        node('MatMul', [work > 0 ? `heavy${work - 1}` : 'wide', 'first'], [linear ? 'score' : 'logit']),
        ...(linear ? [] : [node('Sigmoid', ['logit'], ['score'])]),
      ],
    },
  })
}

/** The model of generated projects as it is declared, with what is added to it. */
export const valueModel = (more = ''): string => `model: value
description: Whether a customer is worth a call
owner: crm@example.com
on_call: [oncall@example.com]
view: activity
score: { column: score, min: 0, max: 1 }
${more}`

export interface GeneratedOptions {
  customers?: number
  timezone?: string
  sql?: string
  view?: string
  schedule?: string
}

/** A project of one view over generated events and one model; `model.onnx` lies beside it. */
export async function generatedProject(
  { customers = 100, timezone = 'UTC', sql = SQL, view = '', schedule }: GeneratedOptions = {},
  model: Uint8Array = smallModel(),
): Promise<TemporaryProject> {
  const project = await temporaryProject({
    'nightshift.yaml': `project: generated\ntimezone: ${timezone}\nwarehouse: warehouse\nalerts: { from: nightshift@example.com, base_url: "http://localhost:8080" }\n`,
    'features/activity/view.yaml': `view: activity
entity: customer_id
owner: data@example.com
sources:
  events: { path: data/events/**/*.parquet, kind: events, event_time: happened_at }
${view}`,
    'features/activity/features.sql': sql,
    'models/value/model.yaml': valueModel(),
    'models/value/RUNBOOK.md': '# Value\n',
    ...(schedule === undefined ? {} : { 'schedules/nightly.yaml': schedule }),
  })
  await writeDay(project.root, '2026-03-01', customers)
  writeFileSync(join(project.root, 'model.onnx'), model)
  return project
}

export const SQL = `SELECT customer_id, sum(amount)::FLOAT AS spend, count(*)::FLOAT AS orders
FROM events GROUP BY customer_id
`

/** One event a customer, at noon UTC of a day. */
export function writeDay(root: string, date: string, customers = 100): Promise<void> {
  return writeParquet(
    join(root, `data/events/date=${date}/events.parquet`),
    `SELECT i AS customer_id, TIMESTAMP '${date} 12:00:00' AS happened_at, (i % 7)::DOUBLE AS amount FROM range(${customers}) t(i)`,
  )
}
