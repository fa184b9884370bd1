import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import type { Timeouts } from '../project/project.ts'
import type { TaskName } from './child/tasks.ts'

/** What a task is for: the setting under `timeouts` in nightshift.yaml that says how long it may take. */
export type Purpose = keyof Timeouts

/** Tasks of an attempt bring the timeout of their run; where a command runs one by itself, `datasets` bounds it. */
export const PURPOSE: Record<TaskName, Purpose> = {
  describe: 'checks',
  labels: 'checks',
  metrics: 'checks',
  inputs: 'checks',
  inspect: 'checks',
  trial: 'checks',
  staleness: 'checks',
  sample: 'checks',
  lookup: 'checks',
  restamp: 'checks',
  warm: 'checks',
  parity: 'monitors',
  monitor: 'monitors',
  profile: 'monitors',
  baseline: 'monitors',
  'first-night': 'monitors',
  slices: 'monitors',
  outcome: 'monitors',
  features: 'datasets',
  scores: 'datasets',
  dataset: 'datasets',
  evaluate: 'datasets',
  leaks: 'datasets',
  replay: 'datasets',
}

const DEFAULT_MS: Record<Purpose, number> = { checks: 120_000, monitors: 1_800_000, datasets: 21_600_000 }

/** Milliseconds that work of a purpose may take. */
export function timeoutOf(purpose: Purpose, timeouts: Timeouts | undefined): number {
  return timeouts?.[purpose].ms ?? DEFAULT_MS[purpose]
}

/** A check reads schemas, footers and some rows: what takes more than this is no honest file. */
const CHECK_BYTES = 4 * 1024 ** 3
/** Beyond this share of the machine's memory the kernel would choose whom to end, and it might be the worker. */
const MACHINE_SHARE = 0.9

/** Bytes of memory that a child may hold while it works on a task. */
export function memoryLimit(task: TaskName): number {
  const machine = totalmem() * MACHINE_SHARE
  return PURPOSE[task] === 'checks' ? Math.min(CHECK_BYTES, machine) : machine
}

/** Bytes of memory that a process holds; undefined where the system does not say so (Linux does). */
export function residentBytes(pid: number): number | undefined {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
    return Number.isFinite(pages) ? pages * 4096 : undefined
  } catch {
    return undefined
  }
}
