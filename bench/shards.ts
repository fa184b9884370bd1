import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { openDatabase, transaction } from '../src/ledger/connection/database.ts'
import { ensureSlot } from '../src/ledger/nights/ensure-slot.ts'
import { attemptsOf, findRun } from '../src/ledger/nights/run-records.ts'
import { createRun } from '../src/ledger/nights/run-transitions.ts'
import { shardsOf } from '../src/ledger/shards/split-records.ts'
import { livingWorkers } from '../src/ledger/workers/living-workers.ts'
import { parseAsOf } from '../src/project/time/asof.ts'
import { AS_OF } from './data.ts'
import { MARK, processorSeconds } from './memory.ts'
import { benchModel, COLUMN_NAMES } from './model.ts'
import { cli, stop } from './nightshift.ts'

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url))

/**
 * One night at once, and in shards by 1, 2 and 4 workers of this machine: whether the content is the same, and what it costs. Scores
 * are of a model of 100 trees on 19 columns; features (`--features`) of ten events for each row, in 64 buckets of it.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: '2000000' },
      shards: { type: 'string', default: '4' },
      features: { type: 'boolean', default: false },
    },
  })
  const kind = values.features ? 'features' : 'scores'
  const rows = Number(values.rows)
  const root = fileURLToPath(new URL(`../.nightshift/bench/shards-${rows}`, import.meta.url))
  await makeProject(root, rows)
  if (kind === 'features') await writeBuckets(root, rows)
  const mark = `shards-${process.pid}`
  const env = { ...process.env, [MARK]: mark }
  const project = { customers: rows, root, model: join(root, 'scored.onnx') }
  const workers: ReturnType<typeof spawn>[] = []
  const database = await openDatabase({ root, url: undefined, role: 'command' })
  const hire = async (count: number) => {
    while (workers.length < count)
      workers.push(
        spawn(process.execPath, [CLI, 'worker', '--places', '1', '--project', root], {
          env,
          stdio: 'ignore',
        }),
      )
    while ((await livingWorkers(database.pool)).filter(({ role }) => role === 'worker').length < count)
      await sleep(200)
    // Their first processes load the engines.
    await sleep(5_000)
  }
  try {
    await cli(project, env, 'register', 'scored', project.model, '--json')
    await cli(project, env, 'promote', 'scored', '--version', '1', '--override', 'b', '--by', 'b', '--json')
    if (kind === 'scores') await cli(project, env, 'refresh', 'wide', '--as-of', AS_OF, '--json')
    const compute = async () => {
      const used = processorSeconds(mark)
      const id = await transaction(database, async (client) => {
        const name = kind === 'scores' ? 'scored' : 'usage'
        const slot = await ensureSlot(client, kind, name, parseAsOf(AS_OF, 'UTC'), { anew: true })
        const settings = { attempts: 1, backoff_ms: 0, timeout_ms: 3_600_000, wait_until: null }
        return createRun(client, slot, { trigger: 'manual', forced: true, settings })
      })
      for (;;) {
        const run = await findRun(database.pool, id)
        if (run?.state === 'failed' || run?.state === 'held') throw new Error(JSON.stringify(run.failure))
        if (run?.state === 'published' && run.started_at !== null && run.ended_at !== null) {
          const [attempt] = await attemptsOf(database.pool, id)
          const steps = (attempt?.steps ?? []).map(({ step, ms }) => `${step} ${(ms / 1000).toFixed(2)}`)
          const seconds = (Date.parse(run.ended_at) - Date.parse(run.started_at)) / 1000
          const processor = processorSeconds(mark) - used
          const shards = await shardsOf(database.pool, id)
          const parts = shards.slice(0, 1).flatMap(({ part }) => part?.steps ?? [])
          steps.push(...parts.map(({ step, ms }) => `of shard 1: ${step} ${(ms / 1000).toFixed(2)}`))
          const content = await contentOf(join(root, 'warehouse', run.path ?? ''))
          return { seconds, processor, steps, shards: shards.length, content }
        }
        await sleep(100)
      }
    }
    await hire(1)
    await compute()
    const show = (
      name: string,
      { seconds, processor, steps, content }: Awaited<ReturnType<typeof compute>>,
    ) =>
      console.log(
        `${name}: wall ${seconds.toFixed(1)} s, processor ${processor.toFixed(1)} s, content ${content}\n  ${steps.join(', ')}`,
      )
    show('at once, 1 worker', await compute())
    writeModel(root, Number(values.shards))
    if (kind === 'features') writeUsage(root, Number(values.shards))
    await sleep(2_000)
    for (const count of [1, 2, 4]) {
      await hire(count)
      const found = await compute()
      show(`${found.shards} shards, ${count} workers`, found)
    }
  } finally {
    await Promise.all(workers.map(stop))
    await database.close()
  }
}

async function makeProject(root: string, rows: number): Promise<void> {
  rmSync(root, { recursive: true, force: true })
  for (const folder of ['data', 'features/wide', 'models/scored'])
    mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(
    join(root, 'nightshift.yaml'),
    'project: shards\ntimezone: UTC\nwarehouse: warehouse\nalerts: { from: bench@example.com, base_url: "http://localhost:8080" }\n',
  )
  writeFileSync(
    join(root, 'features/wide/view.yaml'),
    'view: wide\nentity: id\nowner: bench@example.com\nsources:\n  rows: { path: data/*.parquet, kind: static }\n',
  )
  writeFileSync(join(root, 'features/wide/features.sql'), `SELECT id, ${COLUMN_NAMES.join(', ')} FROM rows\n`)
  writeFileSync(join(root, 'models/scored/RUNBOOK.md'), '# Scored\n')
  writeModel(root, 1)
  writeFileSync(join(root, 'scored.onnx'), benchModel())
  const columns = COLUMN_NAMES.map((name, index) => `(hash(i * 19 + ${index}) % 1000 / 10)::FLOAT AS ${name}`)
  const instance = await DuckDBInstance.create(':memory:')
  const db = await instance.connect()
  await db.run(
    `COPY (SELECT i AS id, ${columns.join(', ')} FROM range(${rows}) t(i)) TO '${join(root, 'data/rows.parquet')}' (FORMAT parquet)`,
  )
  instance.closeSync()
}

/** Ten events a customer, in 64 buckets, and a customer's row in as many. */
async function writeBuckets(root: string, rows: number): Promise<void> {
  mkdirSync(join(root, 'features/usage'), { recursive: true })
  writeUsage(root, 1)
  writeFileSync(
    join(root, 'features/usage/features.sql'),
    `SELECT c.id, c.plan, coalesce(u.n, 0) AS n, u.seconds, u.longest, u.days
FROM customers c LEFT JOIN (
  SELECT id, count(*) AS n, sum(seconds)::FLOAT AS seconds, max(seconds) AS longest, count(DISTINCT date_trunc('day', started_at)) AS days
  FROM calls WHERE started_at >= $as_of - INTERVAL 90 DAY GROUP BY id) u USING (id)
`,
  )
  const instance = await DuckDBInstance.create(':memory:')
  const db = await instance.connect()
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    for (const name of ['calls', 'customers'])
      mkdirSync(join(root, `lake/${name}/bucket=${bucket}`), { recursive: true })
    const own = `range(${Math.ceil(rows / BUCKETS)}) t(k) WHERE k * ${BUCKETS} + ${bucket} < ${rows}`
    const id = `k * ${BUCKETS} + ${bucket}`
    await db.run(
      `COPY (SELECT ${id} AS id, 'p' || (k % 7) AS plan, TIMESTAMP '2020-01-01' AS since FROM ${own}) TO '${join(root, `lake/customers/bucket=${bucket}/customers.parquet`)}' (FORMAT parquet)`,
    )
    await db.run(
      `COPY (SELECT ${id} AS id, TIMESTAMP '${AS_OF}' - INTERVAL (hash(k, n, ${bucket}) % 8000000) SECOND AS started_at, (hash(n, k) % 3600)::FLOAT AS seconds FROM (FROM ${own}), range(10) e(n)) TO '${join(root, `lake/calls/bucket=${bucket}/calls.parquet`)}' (FORMAT parquet)`,
    )
  }
  instance.closeSync()
}

const BUCKETS = 64

function writeUsage(root: string, shards: number): void {
  writeFileSync(
    join(root, 'features/usage/view.yaml'),
    `view: usage
entity: id
owner: bench@example.com
per_entity: true
shards: ${shards}
min_shard: 1KB
sources:
  calls: { path: lake/calls/bucket=*/*.parquet, kind: events, event_time: started_at, buckets: bucket }
  customers: { path: lake/customers/bucket=*/*.parquet, kind: history, valid_from: since, buckets: bucket }
`,
  )
}

function writeModel(root: string, shards: number): void {
  writeFileSync(
    join(root, 'models/scored/model.yaml'),
    `model: scored\nowner: bench@example.com\non_call: [bench@example.com]\nview: wide\nscore: { column: score, min: 0, max: 1 }\nscoring: { shards: ${shards}, min_rows: 1 }\n`,
  )
}

async function contentOf(file: string): Promise<string> {
  const instance = await DuckDBInstance.create(':memory:')
  try {
    const db = await instance.connect()
    const found = await db.runAndReadAll(
      `SELECT md5(string_agg(part, '' ORDER BY g)) FROM (
         SELECT n // 100000 AS g, md5(string_agg(s::VARCHAR, '|' ORDER BY n)) AS part
           FROM (SELECT s, file_row_number AS n FROM read_parquet('${file}', hive_partitioning = false, file_row_number = true) s) GROUP BY 1)`,
    )
    return String(found.getRows()[0]?.[0])
  } finally {
    instance.closeSync()
  }
}

await main()
