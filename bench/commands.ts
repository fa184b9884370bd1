import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { openDatabase } from '../src/ledger/connection/database.ts'
import { removeDatabase } from '../src/ledger/server/remove-server.ts'
import { writeProject } from './history/files.ts'
import { fillHistory } from './history/fill.ts'

/** Commands that look, on two years of history of 20 models, each from its start to its end: median and slowest of so many. */
const { values } = parseArgs({
  options: {
    models: { type: 'string', default: '20' },
    nights: { type: 'string', default: '730' },
    rounds: { type: 'string', default: '7' },
  },
})
const CLI = resolve(import.meta.dirname, '../dist/cli.js')

/** What is run, and the milliseconds that it may take (median). */
const COMMANDS: [string[], number][] = [
  [['--help'], 150],
  [['status'], 300],
  [['status', 'model05'], 300],
  [['status', '--json'], 300],
  [['runs'], 300],
  [['runs', '--state', 'failed'], 300],
  [['runs', '--group'], 300],
  [['show', 's05n0010'], 300],
  [['incidents'], 300],
  [['history', 'model05'], 300],
  [['versions', 'model05'], 300],
  [['trust', 'model05'], 300],
  [['drift', 'model05'], 300],
  [['backfills'], 300],
]

const root = mkdtempSync(join(tmpdir(), 'nightshift-history-'))
try {
  writeProject(root, Number(values.models))
  const database = await openDatabase({ root, role: 'command' })
  try {
    await fillHistory(database, { models: Number(values.models), nights: Number(values.nights) })
    const env = { ...process.env, DATABASE_URL: database.url, REDIS_URL: '', SMTP_URL: '' }
    for (const [args, limit] of COMMANDS) {
      const times: number[] = []
      let code: number | null = null
      let lines = 0
      for (let round = 0; round < Number(values.rounds); round++) {
        const run = await timed(args, env)
        code = run.code
        lines = run.lines
        times.push(run.ms)
      }
      times.sort((a, b) => a - b)
      const median = times[Math.floor(times.length / 2)] ?? 0
      console.log(
        `${`nightshift ${args.join(' ')}`.padEnd(40)} ${median.toFixed(0).padStart(6)} ms, slowest ${times.at(-1)?.toFixed(0).padStart(6)} ms; at most ${limit} ms; exit ${code}, ${lines} lines${median > limit ? '  MISSED' : ''}`,
      )
    }
  } finally {
    await database.close()
  }
} finally {
  await removeDatabase(root)
  rmSync(root, { recursive: true, force: true })
}

async function timed(
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<{ ms: number; code: number | null; lines: number }> {
  const begun = performance.now()
  const child = spawn(process.execPath, [CLI, ...args, '--project', root], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  const code = await new Promise<number | null>((done) => child.once('close', done))
  return { ms: performance.now() - begun, code, lines: printed.split('\n').length - 1 }
}
