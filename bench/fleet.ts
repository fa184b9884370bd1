import { parseArgs } from 'node:util'
import { SHARD_LOST_MS, SHARD_TRIES } from '../src/ledger/shards/claim-shard.ts'
import { planRanges } from '../src/pipeline/shards/row-ranges.ts'

/**
 * Simulates the scheduling of one night on many machines: features by one worker, or in shards by bucket; scores in shards as the
 * product divides them; each join by one worker. The constants are processor seconds of `npm run bench`, `npm run bench:shards` and `npm run bench:parts`, of one core; a machine
 * has `cores` of them. Nothing runs: it says what the parts come to, and which of them is the longest. Disks and networks are left out.
 */
const MEASURED = {
  /** A row of features over 30 events each. */
  featureRow: 9.6e-6,
  /** So much longer do features take that do not fit into memory: 10,000,000 rows with 5 GB against none. */
  spilled: 2.8,
  /** A row of 19 columns through 100 trees of depth 6, from Parquet into Parquet. */
  scoreRow: 5.0e-6,
  /** What one thread of a shard does with each row: it streams and packs for the sessions of all cores. */
  packRow: 0.3e-6,
  /** A shard beside its rows: claim, open, read back, record. */
  shard: 0.2,
  /** A row of the join: its hash, its copy, the reading back; one thread does most of it. */
  joinRow: 0.27e-6,
  /** So much longer does a shard take for a row of features: it groups its entities and computes a sample again. */
  shared: 1.2,
  /** A row of the join of features, over all cores: sorting the parts, grouping the entities. It spills as features do. */
  mergeRow: 0.6e-6,
  /** A row of that join in one thread: its hash, its checks, the reading back. */
  checkRow: 0.3e-6,
  /** A join beside its rows and parts. */
  join: 0.25,
  /** A part of the join: footer, both ends. */
  joinPart: 0.013,
  /** From the end of one job to the next one's beginning, in seconds. */
  pickUp: 0.05,
}

interface Fleet {
  rows: number
  machines: number
  cores: number
  shards: number
  /** Features are divided, too. */
  divided: boolean
  /** Processor seconds of the model for a row. */
  scoreRow: number
  /** How far the speeds of machines are apart: the standard deviation of their logarithm. */
  spread: number
  /** The share of shards whose worker is lost in the middle. */
  lost: number
  seed: number
}

interface Night {
  features: number
  merge: number
  scores: number
  join: number
  shards: number
  lost: number
  /** Share of the machines' time while shards are scored that is spent on them. */
  busy: number
}

/** A night, in seconds of each of its parts. */
function simulate({ rows, machines, cores, shards, divided, scoreRow, spread, lost, seed }: Fleet): Night {
  const random = generator(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const speeds = Array.from({ length: machines }, () => Math.exp(spread * normal()))
  const ranges = planRanges(rows, shards, 250_000) ?? [{ first: 0, rows }]
  // DuckDB and the sessions of ONNX Runtime use all cores; what a shard costs beside its rows uses one.
  const scored = divide(
    ranges.map((range) => MEASURED.shard + range.rows * Math.max(MEASURED.packRow, scoreRow / cores)),
  )
  // A shard of a billion rows has 16,000,000, which spill as all do.
  const perRow = (MEASURED.featureRow * MEASURED.spilled * MEASURED.shared) / cores
  const computed = divided
    ? divide(Array.from({ length: shards }, () => MEASURED.shard + (rows / shards) * perRow))
    : { end: (rows * MEASURED.featureRow * MEASURED.spilled) / cores, losses: 0, busy: 0 }

  /** Gives tasks of so many seconds to the machines, one after the other. */
  function divide(tasks: number[]): { end: number; losses: number; busy: number } {
    const free = speeds.map((speed) => ({ at: 0, speed, worked: 0 }))
    const waiting = tasks.map((seconds) => ({ seconds, from: 0, tries: 0 }))
    let end = 0
    let losses = 0
    while (waiting.length > 0) {
      waiting.sort((a, b) => a.from - b.from)
      const [next] = waiting.splice(0, 1)
      if (next === undefined) break
      const machine = free.reduce((best, each) => (each.at < best.at ? each : best))
      const begin = Math.max(machine.at, next.from) + MEASURED.pickUp
      const seconds = next.seconds / machine.speed
      const isLost = random() < lost && next.tries + 1 < SHARD_TRIES
      const until = begin + (isLost ? seconds * random() : seconds)
      machine.worked += until - begin
      machine.at = until
      if (isLost) {
        losses++
        // Its place is taken by another worker; the queue gives the shard out again when its lock has ended.
        const from = until + SHARD_LOST_MS / 1000 + 2.5
        waiting.push({ seconds: next.seconds, from, tries: next.tries + 1 })
      } else end = Math.max(end, until)
    }
    const worked = free.reduce((sum, each) => sum + each.worked, 0)
    return { end, losses, busy: worked / (machines * end) }
  }

  return {
    features: computed.end,
    merge: divided
      ? MEASURED.join + rows * ((MEASURED.mergeRow * MEASURED.spilled) / cores + MEASURED.checkRow)
      : 0,
    scores: scored.end,
    join:
      ranges.length === 1 ? 0 : MEASURED.join + rows * MEASURED.joinRow + ranges.length * MEASURED.joinPart,
    shards: ranges.length,
    lost: computed.losses + scored.losses,
    busy: scored.busy,
  }
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000000' },
    machines: { type: 'string', default: '50' },
    cores: { type: 'string', default: '16' },
  },
})
const [rows, machines, cores] = [Number(values.rows), Number(values.machines), Number(values.cores)]
const minutes = (seconds: number) => `${(seconds / 60).toFixed(1)} min`
console.log('| model, a row | machines | features | lost | computed | merged | scored | joined | all |')
console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |')
for (const scoreRow of [MEASURED.scoreRow, 10 * MEASURED.scoreRow])
  for (const [count, shards, divided, lost] of [
    [1, 1, false, 0],
    [machines, 64, false, 0],
    [Math.max(2, Math.round(machines / 4)), 64, true, 0],
    [machines, 64, true, 0],
    [machines, 64, true, 0.05],
  ] as const) {
    const night = simulate({
      rows,
      machines: count,
      cores,
      shards,
      divided,
      scoreRow,
      spread: 0.15,
      lost,
      seed: 7,
    })
    const { features, merge, scores, join } = night
    const cells = [features, merge, scores, join, features + merge + scores + join].map(minutes)
    console.log(
      `| ${Math.round(scoreRow * 1e6)} µs | ${count} | ${divided ? '64 shards' : 'at once'} | ${night.lost} | ${cells.join(' | ')} |`,
    )
  }
