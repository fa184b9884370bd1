import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Database, openDatabase } from '../src/ledger/connection/database.ts'
import { readPostmaster } from '../src/ledger/server/postmaster.ts'
import { removeDatabase } from '../src/ledger/server/remove-server.ts'
import { chooseLocation } from '../src/ledger/server/server-place.ts'
import { writeProject } from './history/files.ts'
import { fillHistory } from './history/fill.ts'
import { thisMachine } from './machine.ts'
import { keepResults, printSection } from './results.ts'
import { milliseconds, type Row } from './rows.ts'

/** Every page of the real server on two years of history of 20 models: p50, p95 and the slowest of so many loads. */
const { values } = parseArgs({
  options: {
    models: { type: 'string', default: '20' },
    nights: { type: 'string', default: '730' },
    loads: { type: 'string', default: '60' },
    /** Serves the history until it is interrupted, instead of measuring. */
    serve: { type: 'boolean', default: false },
    port: { type: 'string', default: '8099' },
    /** Leaves docs/performance.md and results.json as they are. */
    look: { type: 'boolean', default: false },
  },
})
const TARGET_MS = 100
/** The size whose table is in docs/performance.md; others are only printed. */
const isUsual = values.models === '20' && values.nights === '730'
const COMMAND = `npm run bench:web${isUsual ? '' : ` -- --models ${values.models} --nights ${values.nights}`}`
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
  ['runs, failures by kind', '/runs?group=1'],
  ['incident', '/incidents/5'],
  ['registry', '/registry'],
  ['registry of a model', '/registry/model05'],
  ['mails', '/mails'],
  ['mail', '/mails/5'],
  ['runbook', '/models/model05/runbook'],
  ['readiness', '/readyz'],
  ['metrics', '/metrics'],
]

const machine = thisMachine()
const root = mkdtempSync(join(tmpdir(), 'nightshift-history-'))
try {
  writeProject(root, Number(values.models))
  const database = await openDatabase({ root, role: 'command' })
  try {
    await fill(database)
    await withServer(async (pid) => {
      if (!values.serve) {
        const section = { machine, rows: await measure(pid) }
        printSection(section)
        if (isUsual && !values.look) keepResults({ pages: section })
        if (section.rows.some(({ met }) => met === false)) process.exitCode = 1
      } else {
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

async function withServer(work: (pid: number) => Promise<void>): Promise<void> {
  const cleared = { DATABASE_URL: '', REDIS_URL: '', NIGHTSHIFT_USERS: '', NIGHTSHIFT_METRICS_TOKEN: '' }
  const server = spawn(
    process.execPath,
    [resolve('dist/cli.js'), 'web', '--project', root, '--port', values.port],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...cleared, NIGHTSHIFT_LOG: 'error' } },
  )
  const ended = new Promise((done) => server.once('exit', done))
  try {
    await untilUp()
    await work(server.pid ?? 0)
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

/**
 * Milliseconds of processor time of the web process and each process of its database. On a machine that others use as well
 * the clock says more about them than about us.
 */
function processorTimes(pid: number): Map<string, number> {
  const of = (each: string) => {
    try {
      const stat = readFileSync(`/proc/${each}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return { parent: fields[1], ms: 10 * (Number(fields[11]) + Number(fields[12])) }
    } catch {
      return { parent: undefined, ms: 0 }
    }
  }
  const postmaster = readPostmaster(chooseLocation(root).data)
  const server = postmaster.state === 'running' ? String(postmaster.pid) : undefined
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const ours = processes.filter((each) => each === String(pid) || of(each).parent === server)
  return new Map(ours.map((each) => [each, of(each).ms]))
}

/** Loads each page in turn, one at a time, so that none measures the one before it. */
async function measure(pid: number): Promise<Row[]> {
  const loads = Number(values.loads)
  const rows: Row[] = []
  for (const [name, path] of PAGES) {
    const times: number[] = []
    let [status, bytes, before] = [0, 0, new Map<string, number>()]
    for (let load = -3; load < loads; load++) {
      // The first three warm up, as the first visitor of a day does.
      if (load === 0) before = processorTimes(pid)
      const start = performance.now()
      const answer = await fetch(`http://127.0.0.1:${values.port}${path}`)
      const body = await answer.text()
      if (load >= 0) times.push(performance.now() - start)
      status = answer.status
      bytes = body.length
    }
    // One that ended meanwhile takes its share along; those that serve pages stay.
    const used = [...processorTimes(pid)].map(([each, ms]) => ms - (before.get(each) ?? ms))
    const cpu = used.reduce((sum, ms) => sum + ms, 0) / loads
    times.sort((a, b) => a - b)
    const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0
    // No worker and no scheduler runs here, so nothing is ready.
    const expected = path === '/readyz' ? 503 : 200
    if (status !== expected)
      throw new Error(`expected ${path} to be answered with ${expected}, got: ${status}`)
    rows.push({
      what: `${name}: \`${path.replace(/\d{4}-\d\d-\d\d/g, 'DATE')}\``,
      measured: `${milliseconds(at(0.95))} at the 95th percentile (median ${milliseconds(at(0.5))}, processor ${milliseconds(cpu)}, ${(bytes / 1000).toFixed(0)} kB)`,
      target: `under ${milliseconds(TARGET_MS)}`,
      met: at(0.95) < TARGET_MS,
      command: COMMAND,
    })
  }
  return rows
}
