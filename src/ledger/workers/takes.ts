import type { Kind } from '../nights/slots.ts'

/** The kinds of work that a worker can be told to take. */
export const WORK = ['features', 'scoring', 'monitoring', 'retraining', 'operations'] as const
export type Work = (typeof WORK)[number]

/** What a worker takes of all work; null: no limit. */
export interface Takes {
  only: Work[] | null
  /** Of features and scoring: those of these models, and of the views that they read. */
  models: string[] | null
  views: string[] | null
}

export const EVERYTHING: Takes = { only: null, models: null, views: null }

export function takesWork({ only }: Takes, work: Work): boolean {
  return only === null || only.includes(work)
}

/** Whether a worker takes the runs of a view or model. */
export function takesRun(takes: Takes, { kind, name }: { kind: Kind; name: string }): boolean {
  const names = kind === 'features' ? takes.views : takes.models
  return takesWork(takes, workOf(kind)) && (names === null || names.includes(name))
}

export function workOf(kind: Kind): Work {
  return kind === 'features' ? 'features' : 'scoring'
}

/** `features and scoring of churn, upsell`. */
export function takesText({ only, models }: Takes): string {
  const works = only === null && models === null ? 'everything' : (only ?? WORK).join(', ')
  return models === null ? works : `${works} of ${models.join(', ')}`
}
