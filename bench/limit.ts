/**
 * The bare engine: the same features and scores without a queue, a ledger, checks, syncs or reading back, as fast as
 * the two libraries allow here. DuckDB writes the features, streams them back as typed arrays, two threads with an
 * ONNX session each score them, DuckDB writes the scores. A program of its own: `node limit.js '<LimitTask as JSON>'`
 * prints a LimitResult.
 */
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { DOUBLE, type DuckDBConnection, DuckDBDataChunk, DuckDBInstance } from '@duckdb/node-api'
import type { Answer, Task } from './limit-scorer.ts'

export interface LimitTask {
  /** Glob of the events, and the path of the SQL over them. */
  events: string
  features_sql: string
  /** The as-of as local time and as UTC, and the one change of clocks before it, in UTC. */
  local: string
  utc: string
  change: string
  model: string
  columns: string[]
  /** Paths to write. */
  features: string
  scores: string
}

export interface LimitResult {
  seconds: number
  /** User and system, of all threads. */
  processor_seconds: number
  rows: number
  steps: { features: number; score: number; write: number }
}

const THREADS = 2
const BATCH = 32_768
const CHUNK = 2048

interface Batch {
  rows: number
  data: Float32Array
}

async function main(task: LimitTask): Promise<LimitResult> {
  const threads = Array.from(
    { length: THREADS },
    () => new Worker(new URL('./limit-scorer.js', import.meta.url)),
  )
  await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('message', resolve))))

  const begun = performance.now()
  const used = process.cpuUsage()
  const opening = threads.map((thread) => ask(thread, { kind: 'open', model: task.model }))
  const instance = await DuckDBInstance.create(':memory:', { threads: String(THREADS) })
  const [reading, writing] = [await instance.connect(), await instance.connect()]
  // The features come with an ORDER BY: what order the events have does not matter, which saves DuckDB work.
  await reading.run('SET preserve_insertion_order = false')
  await reading.run(featuresCopy(task))
  await Promise.all(opening)
  const computed = performance.now()

  await reading.run('SET preserve_insertion_order = true')
  await writing.run('CREATE TABLE scores (score DOUBLE)')
  const rows = await score(task, reading, writing, threads)
  const scored = performance.now()

  await reading.run(`COPY (
    SELECT customer_id, score, score >= 0.5 AS decision, 1::INTEGER AS version
    FROM read_parquet('${task.features}') POSITIONAL JOIN scores
  ) TO '${task.scores}' (FORMAT parquet)`)
  const written = performance.now()
  const { user, system } = process.cpuUsage(used)
  await Promise.all(threads.map((thread) => thread.terminate()))
  return {
    seconds: (written - begun) / 1000,
    processor_seconds: (user + system) / 1e6,
    rows,
    steps: {
      features: (computed - begun) / 1000,
      score: (scored - computed) / 1000,
      write: (written - scored) / 1000,
    },
  }
}

/** Local time as a CASE of constant offsets, the cut on the raw column: what a careful person would write by hand. */
function featuresCopy(task: LimitTask): string {
  const sql = readFileSync(task.features_sql, 'utf8').replaceAll('$as_of', `TIMESTAMP '${task.local}'`)
  return `COPY (
    WITH events AS (
      SELECT * REPLACE (make_timestamp(epoch_us(happened_at)
        + CASE WHEN happened_at < TIMESTAMP '${task.change}' THEN 7200000000 ELSE 3600000000 END) AS happened_at)
      FROM read_parquet('${task.events}')
      WHERE happened_at < TIMESTAMP '${task.utc}'
    )
    SELECT * FROM (${sql}) ORDER BY customer_id
  ) TO '${task.features}' (FORMAT parquet)`
}

/** Streams, packs and scores the features; two batches a thread are under way, so that neither waits. */
async function score(
  task: LimitTask,
  reading: DuckDBConnection,
  writing: DuckDBConnection,
  threads: Worker[],
): Promise<number> {
  const width = task.columns.length
  const appender = await writing.createAppender('scores')
  const spare: Float32Array[] = []
  const underWay: Promise<Answer>[] = []
  let rows = 0
  let sent = 0
  const send = ({ rows: count, data }: Batch) => {
    const thread = threads[sent++ % threads.length]
    if (thread === undefined) throw new Error('no thread')
    rows += count
    underWay.push(ask(thread, { kind: 'score', rows: count, width, data }))
  }
  const take = async () => {
    const answer = await underWay.shift()
    if (answer?.kind !== 'scores') throw new Error('a thread gave no scores')
    spare.push(answer.data)
    append(appender, answer.scores)
  }

  let batch: Batch = { rows: 0, data: new Float32Array(BATCH * width) }
  const result = await reading.stream(
    `SELECT ${task.columns.join(', ')} FROM read_parquet('${task.features}')`,
  )
  for (
    let chunk = await result.fetchChunk();
    chunk !== null && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    pack(chunk, width, batch)
    if (batch.rows + CHUNK <= BATCH) continue
    send(batch)
    if (underWay.length >= 2 * threads.length) await take()
    batch = { rows: 0, data: spare.pop() ?? new Float32Array(BATCH * width) }
  }
  if (batch.rows > 0) send(batch)
  while (underWay.length > 0) await take()
  appender.closeSync()
  return rows
}

/** Columns side by side into rows one after the other, behind the batch's rows. */
function pack(chunk: DuckDBDataChunk, width: number, batch: Batch): void {
  for (let column = 0; column < width; column++) {
    const items: unknown = Reflect.get(chunk.getColumnVector(column), 'items')
    if (!(items instanceof Float32Array)) throw new Error(`column ${column} is no FLOAT`)
    interleave(items, batch.data, batch.rows * width + column, width, chunk.rowCount)
  }
  batch.rows += chunk.rowCount
}

function interleave(
  from: Float32Array,
  to: Float32Array,
  start: number,
  stride: number,
  count: number,
): void {
  for (let row = 0, place = start; row < count; row++, place += stride) to[place] = from[row] ?? 0
}

function append(
  appender: Awaited<ReturnType<DuckDBConnection['createAppender']>>,
  scores: Float64Array,
): void {
  for (let start = 0; start < scores.length; start += CHUNK) {
    const part = scores.subarray(start, start + CHUNK)
    const chunk = DuckDBDataChunk.create([DOUBLE], part.length)
    const vector = chunk.getColumnVector(0)
    const items: unknown = Reflect.get(vector, 'items')
    if (!(items instanceof Float64Array)) throw new Error('a DOUBLE vector has no array of doubles')
    items.set(part)
    vector.flush()
    appender.appendDataChunk(chunk)
  }
}

/** A thread answers tasks one after the other, in their order. */
function ask(thread: Worker, task: Task): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const waiting = queues.get(thread) ?? []
    if (!queues.has(thread)) {
      queues.set(thread, waiting)
      thread.on('message', (answer: Answer) => waiting.shift()?.(answer))
      thread.on('error', reject)
    }
    waiting.push(resolve)
    thread.postMessage(
      task,
      task.kind === 'score' && task.data.buffer instanceof ArrayBuffer ? [task.data.buffer] : [],
    )
  })
}

const queues = new Map<Worker, ((answer: Answer) => void)[]>()

const task: LimitTask = JSON.parse(process.argv[2] ?? '')
console.log(JSON.stringify(await main(task)))
