import { execFile, execFileSync } from 'node:child_process'
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { AS_OF, type BenchProject, benchProject } from './data.ts'
import type { LimitResult, LimitTask } from './limit.ts'
import { MARK, watchMemory } from './memory.ts'
import { COLUMN_NAMES } from './model.ts'
import { type NightshiftResult, openNightshift } from './nightshift.ts'
import { expectSameScores } from './same.ts'

/** What `results.json` holds for each size: medians of the rounds, and peaks of one more round each. */
export interface Result {
  limit_seconds: number
  nightshift_seconds: number
  ratio_to_limit: number
  /** Of the processor seconds, which a busy machine or disk distorts less. Read this one first. */
  processor_ratio_to_limit: number
  limit_peak_mb: number | undefined
  nightshift_peak_mb: number | undefined
  /** User and system: what a busy machine distorts less. */
  limit_processor_seconds: number
  nightshift_processor_seconds: number
  /** Of the whole command, its start included. */
  command_seconds: number
  limit_rounds: number[]
  nightshift_rounds: number[]
  limit_steps: Record<string, number>
  nightshift_steps: Record<string, number>
}

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, '.nightshift/bench')

async function measure(project: BenchProject, rounds: number): Promise<Result> {
  const mark = `${project.customers}-${process.pid}`
  const limit = limitOf(project)
  const night = await openNightshift(project, mark)
  const limits: LimitResult[] = []
  const nights: NightshiftResult[] = []
  try {
    await runLimit(limit, mark)
    for (let round = 1; round <= rounds; round++) {
      // Who begins finds another machine than who follows: they take turns.
      const sides = [
        async () => limits.push(await runLimit(limit, mark)),
        async () => nights.push(await night.run()),
      ]
      for (const side of round % 2 === 1 ? sides : sides.toReversed()) {
        await warm(project)
        await side()
      }
      const [bare, whole] = [limits.at(-1), nights.at(-1)]
      if (bare === undefined || whole === undefined) throw new Error('a round has two sides')
      say(
        `${project.customers} customers, round ${round}: limit ${show(bare.seconds)} (processor ${show(bare.processor_seconds)}), ` +
          `nightshift ${show(whole.seconds)} (processor ${show(whole.processor_seconds)})`,
      )
    }
    const last = nights.at(-1)
    if (last !== undefined) await expectSameScores(limit.scores, last.scores)
    const nightPeak = await peakOf(mark, () => night.run())
    await night.close()
    const limitPeak = await peakOf(`${mark}-limit`, () => runLimit(limit, `${mark}-limit`))
    return summary(limits, nights, limitPeak, nightPeak)
  } finally {
    await night.close()
  }
}

function summary(
  limits: LimitResult[],
  nights: NightshiftResult[],
  limitPeak: number | undefined,
  nightPeak: number | undefined,
): Result {
  const limit_seconds = median(limits.map(({ seconds }) => seconds))
  const nightshift_seconds = median(nights.map(({ seconds }) => seconds))
  const limit_processor_seconds = median(limits.map((each) => each.processor_seconds))
  const nightshift_processor_seconds = median(nights.map((each) => each.processor_seconds))
  return {
    limit_seconds: round(limit_seconds),
    nightshift_seconds: round(nightshift_seconds),
    ratio_to_limit: round(nightshift_seconds / limit_seconds),
    processor_ratio_to_limit: round(nightshift_processor_seconds / limit_processor_seconds),
    limit_peak_mb: limitPeak === undefined ? undefined : Math.round(limitPeak),
    nightshift_peak_mb: nightPeak === undefined ? undefined : Math.round(nightPeak),
    limit_processor_seconds: round(limit_processor_seconds),
    nightshift_processor_seconds: round(nightshift_processor_seconds),
    command_seconds: round(median(nights.map((night) => night.command_seconds))),
    limit_rounds: limits.map(({ seconds }) => round(seconds)),
    nightshift_rounds: nights.map(({ seconds }) => round(seconds)),
    limit_steps: medians(limits.map(({ steps }) => ({ ...steps }))),
    nightshift_steps: medians(nights.map(({ steps }) => steps)),
  }
}

function limitOf({ root, model }: BenchProject): LimitTask {
  mkdirSync(join(root, 'limit'), { recursive: true })
  return {
    events: join(root, 'data/*.parquet'),
    features_sql: join(root, 'features/activity/features.sql'),
    local: `${AS_OF} 00:00:00`,
    utc: '2026-11-21 23:00:00',
    change: '2026-10-25 01:00:00',
    model,
    columns: COLUMN_NAMES,
    features: join(root, 'limit/features.parquet'),
    scores: join(root, 'limit/scores.parquet'),
  }
}

/** Reads the input once, so that no side waits for the disk in place of the other. */
async function warm({ root }: BenchProject): Promise<void> {
  const folder = join(root, 'data')
  for (const name of readdirSync(folder)) for await (const _ of createReadStream(join(folder, name)));
}

async function runLimit(task: LimitTask, mark: string): Promise<LimitResult> {
  // Nightshift writes new files. One that is written over is flushed to the disk before it can be closed (ext4).
  for (const path of [task.features, task.scores]) rmSync(path, { force: true })
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(folder, 'program/limit.js'), JSON.stringify(task)],
    { env: { ...process.env, [MARK]: mark } },
  )
  return JSON.parse(stdout)
}

async function peakOf(mark: string, work: () => Promise<unknown>): Promise<number | undefined> {
  const stop = watchMemory(mark)
  try {
    await work()
  } catch (error) {
    await stop()
    throw error
  }
  return stop()
}

function medians(all: Record<string, number>[]): Record<string, number> {
  const names = [...new Set(all.flatMap((each) => Object.keys(each)))]
  return Object.fromEntries(names.map((name) => [name, round(median(all.map((each) => each[name] ?? 0)))]))
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}

function show(seconds: number): string {
  return `${seconds.toFixed(2)} s`
}

function say(text: string): void {
  console.error(text)
}

function printTable(results: Record<string, Result>): void {
  const lines = Object.entries(results).map(([customers, each]) => [
    customers,
    show(each.limit_seconds),
    show(each.nightshift_seconds),
    each.ratio_to_limit.toFixed(2),
    each.processor_ratio_to_limit.toFixed(2),
    `${each.limit_peak_mb ?? '?'} MB`,
    `${each.nightshift_peak_mb ?? '?'} MB`,
  ])
  const rows = [
    ['customers', 'limit', 'nightshift', 'ratio', 'processor ratio', 'limit peak', 'nightshift peak'],
    ...lines,
  ]
  for (const row of rows) console.log(row.map((cell) => cell.padStart(15)).join('  '))
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      customers: { type: 'string', multiple: true, default: ['100000', '1000000'] },
      rounds: { type: 'string', default: '3' },
    },
  })
  const sizes = values.customers.map((text) => whole('--customers', text))
  const rounds = whole('--rounds', values.rounds)
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'bench')])
  const results: Record<string, Result> = {}
  for (const customers of sizes) {
    say(`${customers} customers: data, model, a worker and a first run of each side`)
    results[customers] = await measure(await benchProject(folder, customers), rounds)
  }
  const machine = { node: process.version, cores: availableParallelism(), rounds }
  const file = join(root, 'bench/results.json')
  const before: unknown = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  writeFileSync(file, `${JSON.stringify(Object.assign({}, before, results, { machine }), null, 2)}\n`)
  printTable(results)
}

function whole(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`expected ${name} to be a whole number of at least 1, got: ${text}`)
  return value
}

await main()
