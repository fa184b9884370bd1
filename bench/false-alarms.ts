/**
 * npm run bench:drift [-- --nights 400]: how often judgeDrift cries wolf on nights without drift, and the smallest shift
 * that it finds. Nights are drawn row by row, counted on a baseline's edges and judged as a night of one model is: ten
 * columns together. Prints tables in Markdown; their figures are in docs/drift.md.
 */
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { judgeDrift } from '../src/pipeline/drift/judge-drift.ts'
import { openRandom } from '../src/pipeline/evaluation/bootstrap.ts'
import { mergeProfiles } from '../src/pipeline/profile/merge.ts'
import type { Profile } from '../src/pipeline/profile/profile.ts'
import { profilePartition } from '../src/pipeline/profile/profile-partition.ts'
import { COLUMNS, drawNight, openWorld, type World } from './world.ts'

const SIZES = [100, 200, 500, 1000, 10_000]

interface Scenario {
  name: string
  world: Parameters<typeof openWorld>[0]
}

const SCENARIOS: Scenario[] = [
  { name: 'independent rows, one reference of 10,000', world: { weekday: 0, customers: null, nights: 1 } },
  { name: 'independent rows, 28 nights as reference', world: { weekday: 0, customers: null, nights: 28 } },
  { name: 'weekends differ by 0.4 sd, 28 nights', world: { weekday: 0.4, customers: null, nights: 28 } },
  { name: 'the same customers each night, 28 nights', world: { weekday: 0, customers: 'same', nights: 28 } },
  { name: 'five rows a customer, 28 nights', world: { weekday: 0, customers: 'several rows', nights: 28 } },
  {
    name: 'the same customers, weekends differ, 28 nights',
    world: { weekday: 0.4, customers: 'same', nights: 28 },
  },
]

const { values } = parseArgs({ options: { nights: { type: 'string', default: '100' } } })
const nights = Number(values.nights)

console.log(`# False alarms: share of columns and nights without drift that are called drifted`)
console.log(`${COLUMNS.length} columns; ${nights} nights for each figure (fewer from 10,000 rows on)\n`)
console.log(`| nights | ${SIZES.map((n) => `n = ${n.toLocaleString('en')}`).join(' | ')} |`)
console.log(`| --- |${SIZES.map(() => ' --- |').join('')}`)
for (const scenario of SCENARIOS) {
  const cells = SIZES.map((rows) => {
    const trials = rows >= 10_000 ? Math.ceil(nights / 10) : nights
    const { alarms, of } = falseAlarms(scenario.world, rows, trials)
    return `${((100 * alarms) / of).toFixed(2)} % (${alarms} of ${of})`
  })
  console.log(`| ${scenario.name} | ${cells.join(' | ')} |`)
}

console.log('\n# The smallest shift found in nine of ten nights, reference of 10,000 rows')
console.log('| n | shift of the mean in sd (normal column) | nulls from 1 % to |')
console.log('| --- | --- | --- |')
for (const rows of SIZES) {
  const trials = rows >= 10_000 ? 40 : 100
  const shift = smallest(0.01, 2, (by) => power(rows, trials, { shift: by, nulls: 0 }, 'normal'))
  const nulls = smallest(0.001, 0.5, (by) => power(rows, trials, { shift: 0, nulls: by }, 'normal'))
  console.log(`| ${rows.toLocaleString('en')} | ${shift.toFixed(2)} | ${(1 + 100 * nulls).toFixed(1)} % |`)
}
await largeNights()

/** Trials come in worlds of 20 nights: each world has a reference of its own, since a reference is luck too. */
function falseAlarms(
  options: Scenario['world'],
  rows: number,
  trials: number,
): { alarms: number; of: number } {
  const WORLD = 20
  let [alarms, of] = [0, 0]
  for (let first = 0; first < trials; first += WORLD) {
    const world = openWorld(options, rows, 1 + first)
    for (let night = 0; night < WORLD; night++) {
      const drift = judge(world, drawNight(world, { night, shift: 0, nulls: 0 }), first + night)
      alarms += drift.filter(({ drifted }) => drifted).length
      of += drift.length
    }
  }
  return { alarms, of }
}

function judge({ reference, parts }: World, tonight: Profile, seed: number, columns?: string[]) {
  return judgeDrift({
    reference,
    parts,
    tonight,
    columns,
    score: columns === undefined,
    minEffect: 0.1,
    seed,
  })
}

function power(
  rows: number,
  trials: number,
  drift: { shift: number; nulls: number },
  column: string,
): number {
  const world = openWorld({ weekday: 0, customers: null, nights: 1 }, rows, 99)
  let found = 0
  for (let night = 0; night < trials; night++) {
    const judged = judge(world, drawNight(world, { night, ...drift }), night, [column])
    if (judged[0]?.drifted) found++
  }
  return found / trials
}

function smallest(from: number, to: number, powerAt: (by: number) => number): number {
  let [low, high] = [from, to]
  for (let step = 0; step < 8; step++) {
    const middle = Math.sqrt(low * high)
    if (powerAt(middle) >= 0.9) high = middle
    else low = middle
  }
  return high
}

/** Real Parquet files of 1,000,000 customers, through DuckDB: seven nights without drift, then ones that shift. */
async function largeNights(): Promise<void> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-drift-')))
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const random = openRandom(5)
  const write = async (name: string, weekend: boolean, shift: number): Promise<string> => {
    const path = join(folder, `${name}.parquet`)
    await connection.run(`SELECT setseed(${random()})`)
    const normal = 'sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())'
    const columns = Array.from(
      { length: 20 },
      (_, at) =>
        `CASE WHEN random() < 0.02 THEN NULL ELSE (${normal} + ${shift + (weekend ? 0.2 : 0)}) * ${at + 1} END::FLOAT AS f${at}`,
    )
    await connection.run(
      `COPY (SELECT i AS id, ${columns.join(', ')} FROM range(1000000) t(i)) TO '${path}' (FORMAT parquet)`,
    )
    return path
  }
  const request = {
    scores: undefined,
    entity: ['id'],
    columns: undefined,
    score: 'p',
    temp: folder,
    threads: 2,
  }
  const profile = (features: string, baseline: Profile | undefined) =>
    profilePartition({ ...request, features, baseline })
  try {
    const first = await profile(await write('n0', false, 0), undefined)
    const parts = [first]
    for (let night = 1; night < 7; night++)
      parts.push(await profile(await write(`n${night}`, night >= 5, 0), first))
    const reference = mergeProfiles(parts)
    const seconds: number[] = []
    const judged = async (name: string, weekend: boolean, shift: number) => {
      const path = await write(name, weekend, shift)
      const begun = performance.now()
      const tonight = await profile(path, first)
      seconds.push((performance.now() - begun) / 1000)
      return judgeDrift({
        reference,
        parts,
        tonight,
        columns: undefined,
        score: false,
        minEffect: 0.1,
        seed: 3,
      })
    }
    let [alarms, of] = [0, 0]
    for (let night = 0; night < 7; night++) {
      const drift = await judged('tonight', night >= 5, 0)
      alarms += drift.filter(({ drifted }) => drifted).length
      of += drift.length
    }
    console.log('\n# 1,000,000 customers, 20 columns, weekends shifted by 0.2 sd, seven nights as reference')
    console.log(`false alarms: ${alarms} of ${of}`)
    for (const shift of [0.2, 0.3, 0.35, 0.4]) {
      const drift = await judged('tonight', false, shift)
      console.log(
        `shift of ${shift} sd: found in ${drift.filter(({ drifted }) => drifted).length} of ${drift.length} columns`,
      )
    }
    seconds.sort((a, b) => a - b)
    console.log(
      `profile of a night: ${seconds[Math.floor(seconds.length / 2)]?.toFixed(2)} s (median of ${seconds.length})`,
    )
  } finally {
    connection.closeSync()
    instance.closeSync()
    await rm(folder, { recursive: true, force: true })
  }
}
