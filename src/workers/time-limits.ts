import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import type { Timeouts } from '../project/project.ts'
import type { TaskName } from './child/tasks.ts'

/** The purpose of a task: the setting under `timeouts` in nightshift.yaml that limits its time. */
export type Purpose = keyof Timeouts

/** Tasks of an attempt have the timeout of their run; tasks of a command are limited by `datasets`. */
export const PURPOSE: Record<TaskName, Purpose> = {
  describe: 'checks',
  labels: 'checks',
  metrics: 'checks',
  inputs: 'checks',
  inspect: 'checks',
  trial: 'checks',
  staleness: 'checks',
  sample: 'checks',
  example: 'checks',
  listing: 'checks',
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
  compare: 'monitors',
  freeze: 'monitors',
  features: 'datasets',
  scores: 'datasets',
  dataset: 'datasets',
  evaluate: 'datasets',
  leaks: 'datasets',
  replay: 'datasets',
}

const DEFAULT_MS: Record<Purpose, number> = { checks: 120_000, monitors: 1_800_000, datasets: 21_600_000 }

/** Time limit for work of a purpose, in milliseconds. */
export function timeoutOf(purpose: Purpose, timeouts: Timeouts | undefined): number {
  return timeouts?.[purpose].ms ?? DEFAULT_MS[purpose]
}

/** A check reads schemas, footers and a few rows; a file that needs more than this is malicious or broken. */
const CHECK_BYTES = 4 * 1024 ** 3
/** Above this share of the machine's memory, or of the container's, the kernel chooses a process to kill. */
const MACHINE_SHARE = 0.9

/** Memory limit of a child for a task, in bytes. */
export function memoryLimit(task: TaskName): number {
  // 0 where nothing is known of a limit.
  const machine = Math.min(totalmem(), process.constrainedMemory() || totalmem()) * MACHINE_SHARE
  return PURPOSE[task] === 'checks' ? Math.min(CHECK_BYTES, machine) : machine
}

/** Memory that a process uses, in bytes; undefined if the system does not report it (Linux does). */
export function residentBytes(pid: number): number | undefined {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
    return Number.isFinite(pages) ? pages * 4096 : undefined
  } catch {
    return undefined
  }
}
