import { createReadStream, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AS_OF, type BenchProject } from './data.ts'
import { median, medians, rounded } from './figures.ts'
import type { LimitTask } from './limit.ts'
import { watchMemory } from './memory.ts'
import { COLUMN_NAMES } from './model.ts'
import { type Monitors, type NightshiftResult, openNightshift } from './nightshift.ts'
import { type Measured, runProgram } from './program.ts'
import { expectSameScores } from './same.ts'

/** What `results.json` holds for each size: medians of the rounds, and peaks of one more round each, in MB (10^6). */
export interface SizeResult {
  rounds: number
  limit_seconds: number
  nightshift_seconds: number
  /** null where the plain script was left out: `plain_left_out` says why. */
  plain_seconds: number | null
  plain_left_out: string | null
  ratio_to_limit: number
  /** Of the processor seconds, which a busy machine or disk distorts less. Read this one first. */
  processor_ratio_to_limit: number
  /** How many times as long the plain script takes. */
  ratio_to_plain: number | null
  processor_ratio_to_plain: number | null
  limit_peak_mb: number | undefined
  nightshift_peak_mb: number | undefined
  plain_peak_mb: number | null | undefined
  /** Of the checks after the night, which are no part of its seconds. */
  monitors_peak_mb: number | undefined
  limit_processor_seconds: number
  nightshift_processor_seconds: number
  plain_processor_seconds: number | null
  /** From the publication until parity, profile and drift are recorded. */
  monitors_seconds: number
  monitors_processor_seconds: number
  /** Of the whole command, its start included. */
  command_seconds: number
  limit_rounds: number[]
  nightshift_rounds: number[]
  plain_rounds: number[]
  limit_steps: Record<string, number>
  nightshift_steps: Record<string, number>
  plain_steps: Record<string, number>
}

export interface RoundsOptions {
  rounds: number
  /** Why the plain script does not take part; undefined where it does. */
  withoutPlain: string | undefined
  /** The plain script takes part in the first round alone, and peaks are those of the last round, not of one more. */
  quick: boolean
  say: (text: string) => void
}

interface PlainTask {
  data: string
  /** Epoch milliseconds: the as-of, its wall time read as UTC, and the change of clocks. */
  utc: number
  local: number
  change: number
  model: string
  columns: string[]
  scores: string
}

/** Instants of the as-of: 2026-11-22 in Berlin, whose clocks changed on 2026-10-25. */
const UTC = '2026-11-21 23:00:00'
const CHANGE = '2026-10-25 01:00:00'

/**
 * Measures the sides in alternating rounds. The checks that follow a night are waited for and timed apart, so that
 * they disturb no other side. Throws where the sides give different scores.
 */
export async function measureRounds(project: BenchProject, options: RoundsOptions): Promise<SizeResult> {
  const { rounds, withoutPlain, quick, say } = options
  const mark = `${project.customers}-${process.pid}`
  const limit = limitOf(project)
  const plain = withoutPlain === undefined ? plainOf(project) : undefined
  const night = await openNightshift(project, mark)
  const [limits, plains]: [Measured[], Measured[]] = [[], []]
  const nights: NightshiftResult[] = []
  const monitors: Monitors[] = []
  const runLimit = (name: string) => {
    // Nightshift writes new files. One that is written over is flushed to the disk before it can be closed (ext4).
    for (const path of [limit.features, limit.scores]) rmSync(path, { force: true })
    return runProgram('limit', limit, name)
  }
  const runPlain = (task: PlainTask, name: string) => {
    rmSync(task.scores, { force: true })
    return runProgram('plain', task, name)
  }
  const peaks: Partial<Record<Peaks, number | undefined>> = {}
  /** Does it once, and notes the peak of all processes with the mark if it is asked for. */
  const watched = async <T>(peak: Peaks | undefined, marked: string, work: () => Promise<T>): Promise<T> => {
    if (peak === undefined) return work()
    const stop = watchMemory(marked)
    try {
      return await work()
    } finally {
      const mb = await stop()
      peaks[peak] = mb === undefined ? undefined : Math.round(mb)
    }
  }
  /** `isWatched`: peaks are noted; a limit and a plain script with marks of their own, since the worker has the other. */
  const sidesOf = (isWatched: boolean) => {
    const peak = (name: Peaks) => (isWatched ? name : undefined)
    const own = (name: string) => (isWatched ? `${mark}-${name}` : mark)
    return {
      limit: () => watched(peak('limit_peak_mb'), own('limit'), () => runLimit(own('limit'))),
      night: () => watched(peak('nightshift_peak_mb'), mark, () => night.run()),
      checks: (result: NightshiftResult) =>
        watched(peak('monitors_peak_mb'), mark, () => night.checked(result)),
      plain: (task: PlainTask) =>
        watched(peak('plain_peak_mb'), own('plain'), () => runPlain(task, own('plain'))),
    }
  }
  try {
    await runLimit(mark)
    for (let round = 1; round <= rounds; round++) {
      const side = sidesOf(quick && round === rounds)
      const plainSide = quick ? sidesOf(round === 1) : side
      const sides = [
        async () => {
          limits.push(await side.limit())
        },
        async () => {
          const result = await side.night()
          nights.push(result)
          monitors.push(await side.checks(result))
        },
        async () => {
          if (plain !== undefined && (round === 1 || !quick)) plains.push(await plainSide.plain(plain))
        },
      ]
      // Who begins finds another machine than who follows: they take turns.
      const first = (round - 1) % sides.length
      for (const one of [...sides.slice(first), ...sides.slice(0, first)]) {
        await warm(project)
        await one()
      }
      const shown = { limit: limits.at(-1), nightshift: nights.at(-1), plain: plains.at(-1) }
      const cells = Object.entries(shown).flatMap(([name, each]) =>
        each === undefined
          ? []
          : [`${name} ${each.seconds.toFixed(2)} s (processor ${each.processor_seconds.toFixed(2)} s)`],
      )
      say(`${project.customers} customers, round ${round} of ${rounds}: ${cells.join(', ')}`)
    }
    const last = nights.at(-1)
    if (last !== undefined) await expectSameScores(limit.scores, last.scores)
    if (plain !== undefined) await expectSameScores(limit.scores, plain.scores)
    if (!quick) {
      const side = sidesOf(true)
      await side.checks(await side.night())
      // The worker is no part of the others' memory.
      await night.close()
      await side.limit()
      if (plain !== undefined) await side.plain(plain)
    }
    return {
      ...summary(limits, nights, plains, monitors),
      plain_left_out: withoutPlain ?? null,
      limit_peak_mb: peaks.limit_peak_mb,
      nightshift_peak_mb: peaks.nightshift_peak_mb,
      plain_peak_mb: plain === undefined ? null : peaks.plain_peak_mb,
      monitors_peak_mb: peaks.monitors_peak_mb,
    }
  } finally {
    await night.close()
  }
}

type Peaks = 'limit_peak_mb' | 'nightshift_peak_mb' | 'plain_peak_mb' | 'monitors_peak_mb'

function summary(
  limits: Measured[],
  nights: NightshiftResult[],
  plains: Measured[],
  monitors: Monitors[],
): Omit<SizeResult, Peaks | 'plain_left_out'> {
  const wall = (all: { seconds: number }[]) => median(all.map(({ seconds }) => seconds))
  const used = (all: { processor_seconds: number }[]) =>
    median(all.map(({ processor_seconds }) => processor_seconds))
  const some = (value: number) => (plains.length === 0 ? null : rounded(value))
  return {
    rounds: limits.length,
    limit_seconds: rounded(wall(limits)),
    nightshift_seconds: rounded(wall(nights)),
    plain_seconds: some(wall(plains)),
    ratio_to_limit: rounded(wall(nights) / wall(limits)),
    processor_ratio_to_limit: rounded(used(nights) / used(limits)),
    ratio_to_plain: some(wall(plains) / wall(nights)),
    processor_ratio_to_plain: some(used(plains) / used(nights)),
    limit_processor_seconds: rounded(used(limits)),
    nightshift_processor_seconds: rounded(used(nights)),
    plain_processor_seconds: some(used(plains)),
    monitors_seconds: rounded(wall(monitors)),
    monitors_processor_seconds: rounded(used(monitors)),
    command_seconds: rounded(median(nights.map((night) => night.command_seconds))),
    limit_rounds: limits.map(({ seconds }) => rounded(seconds)),
    nightshift_rounds: nights.map(({ seconds }) => rounded(seconds)),
    plain_rounds: plains.map(({ seconds }) => rounded(seconds)),
    limit_steps: medians(limits.map(({ steps }) => steps)),
    nightshift_steps: medians(nights.map(({ steps }) => steps)),
    plain_steps: medians(plains.map(({ steps }) => steps)),
  }
}

function limitOf({ root, model }: BenchProject): LimitTask {
  mkdirSync(join(root, 'limit'), { recursive: true })
  return {
    events: join(root, 'data/*.parquet'),
    features_sql: join(root, 'features/activity/features.sql'),
    local: `${AS_OF} 00:00:00`,
    utc: UTC,
    change: CHANGE,
    model,
    columns: COLUMN_NAMES,
    features: join(root, 'limit/features.parquet'),
    scores: join(root, 'limit/scores.parquet'),
  }
}

function plainOf({ root, model }: BenchProject): PlainTask {
  mkdirSync(join(root, 'plain'), { recursive: true })
  const instant = (text: string) => Date.parse(`${text.replace(' ', 'T')}Z`)
  return {
    data: join(root, 'data'),
    utc: instant(UTC),
    local: instant(`${AS_OF} 00:00:00`),
    change: instant(CHANGE),
    model,
    columns: COLUMN_NAMES,
    scores: join(root, 'plain/scores.parquet'),
  }
}

/** Reads the input once, so that no side waits for the disk in place of the other. */
async function warm({ root }: BenchProject): Promise<void> {
  const folder = join(root, 'data')
  for (const name of readdirSync(folder)) for await (const _ of createReadStream(join(folder, name)));
}
