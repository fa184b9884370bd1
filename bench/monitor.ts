/**
 * `npm run bench:monitor`: what the look at a night (its profile, and the comparison with the reference) costs beside
 * the night itself, both in one `nightshift up`. Rounds of both alternate, with nothing else at work.
 */

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openDatabase } from '../src/ledger/connection/database.ts'
import { AS_OF, benchProject } from './data.ts'
import { cli, field, openUp, stop } from './nightshift.ts'

const FOLDER = fileURLToPath(new URL('../.nightshift/bench', import.meta.url))
const FIRST_NIGHT = '2026-11-21'
const { values } = parseArgs({
  options: {
    customers: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
  },
})

const project = await benchProject(join(FOLDER, 'monitor'), Number(values.customers))
const run = (...args: string[]) => cli(project, process.env, ...args, '--json')
const version = String(field(await run('register', 'scored', project.model), 'version'))
await run('promote', 'scored', '--version', version, '--override', 'benchmark', '--by', 'bench')

const up = await openUp(project)
const database = await openDatabase({ root: project.root, role: 'command' })
try {
  // The first night becomes what the next ones are compared with.
  await look(await run('run', 'scored', '--as-of', FIRST_NIGHT, '--force'))
  const shares: number[] = []
  for (let round = 1; round <= Number(values.rounds); round++) {
    const { night, monitor, rows, columns } = await look(
      await run('run', 'scored', '--as-of', AS_OF, '--force'),
    )
    shares.push(monitor / night)
    console.log(
      `${rows} rows, round ${round}: night ${night.toFixed(2)} s, profile and comparison of ${columns} columns ` +
        `${monitor.toFixed(2)} s (${((100 * monitor) / night).toFixed(1)} %)`,
    )
  }
  const median = shares.sort((a, b) => a - b)[Math.floor(shares.length / 2)] ?? 0
  console.log(`median: ${(100 * median).toFixed(1)} % on top of a night`)
} finally {
  await database.close()
  await stop(up)
}

interface Look {
  /** Seconds from the enqueueing of the features to the publication, and of the monitor job. */
  night: number
  monitor: number
  rows: number
  /** Compared with the reference. */
  columns: number
}

/** What the ledger says once the process that is up has looked at a run. */
async function look(scores: unknown): Promise<Look> {
  for (let tries = 0; tries < 600; tries++) {
    const { rows } = await database.pool.query<Look>(
      `select extract(epoch from s.ended_at - f.created_at)::float8 as night, p.seconds as monitor, p.rows::int as rows,
              (select count(*)::int from nightshift.drift d where d.run = p.run) as columns
         from nightshift.profiles p join nightshift.runs s on s.id = p.run
         join nightshift.runs f on f.id = s.metadata ->> 'features_run' where p.run = $1`,
      [field(scores, 'run')],
    )
    const [found] = rows
    if (found !== undefined) return found
    await sleep(100)
  }
  throw new Error(`expected the night to be looked at: ${JSON.stringify(scores)}`)
}
