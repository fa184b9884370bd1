import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Database, openDatabase } from '../src/database/database.ts'
import { removeDatabase } from '../src/database/remove.ts'
import { writeProject } from './history/files.ts'
import { fillHistory } from './history/fill.ts'

/** Every page of the real server on two years of history of 20 models: p50, p95 and the slowest of so many loads. */
const { values } = parseArgs({
  options: {
    models: { type: 'string', default: '20' },
    nights: { type: 'string', default: '730' },
    loads: { type: 'string', default: '60' },
    /** Serves the history until it is interrupted, instead of measuring. */
    serve: { type: 'boolean', default: false },
    port: { type: 'string', default: '8099' },
  },
})
const TARGET_MS = 100
const night = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)

const PAGES: [string, string][] = [
  ['overview', '/'],
  ['model', '/models/model05'],
  ['model, as CSV', '/models/model05.csv'],
  ['night', '/runs/s05n0010'],
  ['night, held', '/runs/s03n0000'],
  ['incidents', '/incidents'],
  ['runs', '/runs'],
  ['runs, text', '/runs?text=out+of+memory'],
  ['runs, text that is nowhere', '/runs?text=no+such+words'],
  ['runs, state and dates', `/runs?state=failed&from=${night(90)}&to=${night(1)}`],
  ['registry', '/registry'],
  ['mails', '/mails'],
  ['runbook', '/models/model05/runbook'],
  ['readiness', '/readyz'],
  ['metrics', '/metrics'],
]

const root = mkdtempSync(join(tmpdir(), 'nightshift-history-'))
try {
  writeProject(root, Number(values.models))
  const database = await openDatabase({ root, role: 'command' })
  try {
    await fill(database)
    await withServer(async () => {
      if (!values.serve) process.exitCode = await measure()
      else {
        console.log(`http://127.0.0.1:${values.port} until Ctrl-C`)
        await new Promise((done) => process.once('SIGINT', done))
      }
    })
  } finally {
    await database.close()
  }
} finally {
  await removeDatabase(root)
  rmSync(root, { recursive: true, force: true })
}

async function fill(database: Database): Promise<void> {
  const began = performance.now()
  await fillHistory(database, { models: Number(values.models), nights: Number(values.nights) })
  const { rows } = await database.pool.query<{ slots: string; drift: string; size: string }>(
    `select (select count(*) from nightshift.slots) as slots, (select count(*) from nightshift.drift) as drift,
            pg_size_pretty(pg_database_size(current_database())) as size`,
  )
  const took = ((performance.now() - began) / 1000).toFixed(1)
  console.log(
    `${rows[0]?.slots} slots, ${rows[0]?.drift} rows of drift, ${rows[0]?.size}: filled in ${took} s`,
  )
}

async function withServer(work: () => Promise<void>): Promise<void> {
  const cleared = { DATABASE_URL: '', REDIS_URL: '', NIGHTSHIFT_USERS: '', NIGHTSHIFT_METRICS_TOKEN: '' }
  const server = spawn(
    process.execPath,
    [resolve('dist/cli.js'), 'web', '--project', root, '--port', values.port],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...cleared, NIGHTSHIFT_LOG: 'error' } },
  )
  const ended = new Promise((done) => server.once('exit', done))
  try {
    await untilUp()
    await work()
  } finally {
    server.kill('SIGTERM')
    await ended
  }
}

async function untilUp(): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (
      await fetch(`http://127.0.0.1:${values.port}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Error('the web process did not start')
}

/** Loads each page in turn, one at a time, so that none measures the one before it. */
async function measure(): Promise<number> {
  const times = new Map<string, { status: number; bytes: number; ms: number[] }>()
  for (let load = -3; load < Number(values.loads); load++) {
    for (const [name, path] of PAGES) {
      const start = performance.now()
      const answer = await fetch(`http://127.0.0.1:${values.port}${path}`)
      const body = await answer.text()
      const ms = performance.now() - start
      const page = times.get(name) ?? { status: answer.status, bytes: body.length, ms: [] }
      // The first three warm up, as the first visitor of a day does.
      if (load >= 0) page.ms.push(ms)
      times.set(name, page)
    }
  }
  let slow = 0
  console.log(`${'page'.padEnd(28)}status      kB   p50 ms   p95 ms   max ms`)
  for (const [name, { status, bytes, ms }] of times) {
    ms.sort((a, b) => a - b)
    const at = (share: number) => ms[Math.min(ms.length - 1, Math.floor(share * ms.length))] ?? 0
    const [p50, p95, max] = [at(0.5), at(0.95), at(1)]
    if (p95 >= TARGET_MS) slow++
    const cells = [(bytes / 1000).toFixed(0), p50.toFixed(1), p95.toFixed(1), max.toFixed(1)]
    console.log(name.padEnd(28) + String(status).padEnd(6) + cells.map((cell) => cell.padStart(9)).join(''))
  }
  console.log(`${slow} of ${times.size} pages at or over ${TARGET_MS} ms at the 95th percentile`)
  return slow === 0 ? 0 : 1
}
