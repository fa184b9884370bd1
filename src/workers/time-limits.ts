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
  list: 'checks',
  'list-file': 'checks',
  'explain-row': 'checks',
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
  propose: 'datasets',
  look: 'checks',
  features: 'datasets',
  scores: 'datasets',
  shard: 'datasets',
  join: 'datasets',
  divide: 'datasets',
  'feature-shard': 'datasets',
  'feature-join': 'datasets',
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
