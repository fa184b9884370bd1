import type { DuckDBConnection } from '@duckdb/node-api'
import type { MappingPlan } from '../onnx/mapping.ts'
import type { Reasons } from '../reasons/reason-plan.ts'
import type { Scorers } from './scorers.ts'
import { allocate, type Batch, pack, selectList } from './tensors.ts'

export interface InferenceRequest {
  connection: DuckDBConnection
  /** What stands after FROM: rows in the order in which their scores are wanted. */
  from: string
  mapping: MappingPlan
  scorers: Scorers
  /** Rows of a batch. 8,192 to 262,144 are equally fast (within 3 %); fewer take less memory. */
  batch?: number
  /** Called with the scores of the next rows, in the order of the rows; with reasons if the scorers give them. */
  onScores(scores: Float64Array, reasons: Reasons | undefined): void
}

const ROWS = 16_384
/** Of one batch, of which up to two a scorer and one more are held: thousands of columns come in fewer rows. */
const BATCH_BYTES = 16e6

/**
 * Streams rows through the scorers: DuckDB reads, this thread packs, the scorers' threads score. At most two batches
 * a scorer are under way, whatever the size of the file. Returns the number of rows.
 */
export async function infer({
  connection,
  from,
  mapping,
  scorers,
  batch,
  onScores,
}: InferenceRequest): Promise<number> {
  const capacity = roundUp(batch ?? rowsOfBatch(mapping), mapping.batch ?? 1)
  const spare: Batch[] = []
  const underway: ReturnType<Scorers['score']>[] = []
  let rows = 0
  let open = allocate(mapping, capacity)

  const receive = async () => {
    const scored = await underway.shift()
    if (scored === undefined) return
    spare.push({ rows: 0, capacity, tensors: scored.tensors })
    onScores(scored.scores, scored.reasons)
  }
  const send = () => {
    const scored = scorers.score(open)
    // It is awaited in its turn; until then a failure must not end the process.
    scored.catch(() => {})
    underway.push(scored)
  }

  const result = await connection.stream(`SELECT\n  ${selectList(mapping)}\nFROM ${from}`)
  for (
    let chunk = await result.fetchChunk();
    chunk && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    const size = chunk.rowCount
    for (let start = 0; start < size; ) {
      const count = Math.min(capacity - open.rows, size - start)
      pack(chunk, mapping, open, start, count)
      start += count
      if (open.rows < capacity) continue
      send()
      if (underway.length >= scorers.count * 2) await receive()
      open = spare.pop() ?? allocate(mapping, capacity)
    }
    rows += size
  }
  if (open.rows > 0) send()
  while (underway.length > 0) await receive()
  return rows
}

function rowsOfBatch({ inputs }: MappingPlan): number {
  const width = inputs.reduce((sum, { columns }) => sum + columns.length, 0)
  return Math.max(256, Math.min(ROWS, Math.floor(BATCH_BYTES / (8 * Math.max(1, width)))))
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step
}
