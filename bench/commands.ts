import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { openDatabase } from '../src/ledger/connection/database.ts'
import { removeDatabase } from '../src/ledger/server/remove-server.ts'
import { median, wholeNumber } from './figures.ts'
import { writeProject } from './history/files.ts'
import { fillHistory } from './history/fill.ts'
import { thisMachine } from './machine.ts'
import { processorSecondsOfChildren } from './memory.ts'
import { keepResults, printSection } from './results.ts'
import { milliseconds, type Row, within } from './rows.ts'

/** Commands that look, on two years of history of 20 models, each from its start to its end: medians of so many. */
const { values } = parseArgs({
  options: {
    models: { type: 'string', default: '20' },
    nights: { type: 'string', default: '730' },
    rounds: { type: 'string', default: '7' },
    /** Leaves docs/performance.md and results.json as they are. */
    look: { type: 'boolean', default: false },
  },
})
const CLI = resolve(import.meta.dirname, '../dist/cli.js')
const [models, nights] = [wholeNumber('--models', values.models), wholeNumber('--nights', values.nights)]
const rounds = wholeNumber('--rounds', values.rounds)
const COMMAND = `npm run bench:commands${models === 20 && nights === 730 ? '' : ` -- --models ${models} --nights ${nights}`}`

/** What is run, and the milliseconds that it may take (median). Without bounds `status --json` prints every night that there ever was. */
const COMMANDS: [string[], number][] = [
  [['--help'], 150],
  [['status'], 300],
  [['status', 'model05'], 300],
  [['status', '--json', '--days', '14'], 300],
  [['runs'], 300],
  [['runs', '--state', 'failed'], 300],
  [['runs', '--group'], 300],
  [['show', 's05n0010'], 300],
  [['incidents'], 300],
  [['history', 'model05'], 300],
  [['versions', 'model05'], 300],
  [['outcomes', 'model05'], 300],
  [['drift', 'model05', '--as-of', 'latest'], 300],
  [['backfills'], 300],
]

const machine = thisMachine()
const root = mkdtempSync(join(tmpdir(), 'nightshift-history-'))
try {
  writeProject(root, models)
  const database = await openDatabase({ root, role: 'command' })
  try {
    await fillHistory(database, { models, nights })
    const env = { ...process.env, DATABASE_URL: database.url, REDIS_URL: '', SMTP_URL: '' }
    const rows: Row[] = []
    for (const [args, most] of COMMANDS) rows.push(await measured(args, env, most))
    const section = { machine, rows }
    printSection(section)
    if (!values.look) keepResults({ commands: section })
  } finally {
    await database.close()
  }
} finally {
  await removeDatabase(root)
  rmSync(root, { recursive: true, force: true })
}

async function measured(args: string[], env: NodeJS.ProcessEnv, most: number): Promise<Row> {
  const [walls, processors]: [number[], number[]] = [[], []]
  let last = { code: null as number | null, lines: 0 }
  for (let round = 0; round < rounds; round++) {
    const [begun, used] = [performance.now(), processorSecondsOfChildren()]
    last = await run(args, env)
    walls.push(performance.now() - begun)
    processors.push(1000 * (processorSecondsOfChildren() - used))
  }
  if (last.code !== 0 && last.code !== 1)
    throw new Error(`expected nightshift ${args.join(' ')} to end with 0 or 1, got: ${last.code}`)
  const row = { what: `\`nightshift ${args.join(' ')}\``, command: COMMAND }
  const wall = median(walls)
  const more = `processor ${milliseconds(median(processors))}, ${last.lines} lines`
  const measured = `${milliseconds(wall)} (${more})`
  return { ...within(row, wall, { most, show: milliseconds }), measured }
}

async function run(args: string[], env: NodeJS.ProcessEnv): Promise<{ code: number | null; lines: number }> {
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
  return { code, lines: printed.split('\n').length - 1 }
}
