import type { Database } from '../ledger/connection/database.ts'
import type { Model, Project } from '../project/project.ts'
import type { Version } from '../registry/version-records.ts'
import type { Children } from '../workers/child/children.ts'

/** The questions of the gate, in the order in which they are asked and shown. */
export const ITEM_IDS = [
  'feature-pipeline',
  'parity',
  'scoring',
  'evaluation',
  'shadow',
  'dashboard',
  'drift-alerts',
  'retraining',
  'rollback',
  'runbook',
  'ownership',
] as const

export type ItemId = (typeof ITEM_IDS)[number]

/** Runs tasks in a compute child, for evidence that has to be computed. */
export type ChildRunner = Pick<Children, 'run'>

/** What an item may look at. */
export interface Asked {
  database: Database
  project: Project
  model: Model
  /** The version that is to go live. Undefined: none is registered yet. */
  version: Version | undefined
  champion: Version | undefined
  /** By the ledger's clock. */
  now: Date
  /** Absolute path. */
  warehouse: string
  children: ChildRunner
}

export interface Answer {
  status: 'pass' | 'fail'
  /** One sentence with numbers and dates. */
  evidence: string
  /** The command that would fix it, with this model's names; null if it passes. */
  fix: string | null
  /** Path of the page that shows the evidence, such as `/models/churn`. */
  link: string | null
}

export interface Item {
  id: ItemId
  title: string
  /** The question as somebody asks it before the first version exists. */
  question: string
  ask(asked: Asked): Promise<Answer>
}

export function pass(evidence: string, link: string | null = null): Answer {
  return { status: 'pass', evidence, fix: null, link }
}

export function fail(evidence: string, fix: string, link: string | null = null): Answer {
  return { status: 'fail', evidence, fix, link }
}
