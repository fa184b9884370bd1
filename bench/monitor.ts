/**
 * `npm run bench:monitor`: what the look at a night (its profile, and the comparison with the reference) costs beside
 * the night itself. Rounds of both alternate, with nothing else at work.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openDatabase } from '../src/database/database.ts'
import { AS_OF, benchProject } from './data.ts'
import { cli, field } from './nightshift.ts'

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
// The first night becomes what the next ones are compared with.
await run('run', 'scored', '--as-of', FIRST_NIGHT)
await run('drift', 'scored', '--as-of', FIRST_NIGHT)

const database = await openDatabase({ root: project.root, role: 'command' })
try {
  const shares: number[] = []
  for (let round = 1; round <= Number(values.rounds); round++) {
    const scores = await run('run', 'scored', '--as-of', AS_OF, '--force')
    const drift = await run('drift', 'scored', '--as-of', AS_OF)
    const { rows } = await database.pool.query<{
      night: number
      monitor: number
      rows: number
      columns: number
    }>(
      `select extract(epoch from s.ended_at - f.created_at)::float8 as night, p.seconds as monitor, p.rows::int as rows,
              jsonb_array_length(p.profile -> 'columns') as columns
         from nightshift.profiles p join nightshift.runs s on s.id = p.run
         join nightshift.runs f on f.id = s.metadata ->> 'features_run' where p.run = $1`,
      [field(scores, 'run')],
    )
    const [found] = rows
    if (found === undefined || !Array.isArray(drift)) throw new Error('expected the night to be compared')
    shares.push(found.monitor / found.night)
    console.log(
      `${found.rows} rows, ${found.columns} columns, round ${round}: night ${found.night.toFixed(2)} s, ` +
        `profile and comparison of ${drift.length} columns ${found.monitor.toFixed(2)} s (${((100 * found.monitor) / found.night).toFixed(1)} %)`,
    )
  }
  const median = shares.sort((a, b) => a - b)[Math.floor(shares.length / 2)] ?? 0
  console.log(`median: ${(100 * median).toFixed(1)} % on top of a night`)
} finally {
  await database.close()
}
