import type { Logger } from 'pino'
import type { Model } from '../../project/project.ts'
import type { Version } from '../../registry/version-records.ts'
import type { Session } from '../session.ts'

/** What is tried on purpose. */
export interface DrillRequest {
  session: Session
  model: Model
  version: Version
  /** The version that it would replace. Undefined: it would be the first. */
  champion: Version | undefined
  by: string | null
  log: Logger
  signal: AbortSignal
  /** Said while it goes on. */
  say: (text: string) => void
  /** How long a person has to answer, in milliseconds. */
  waitMs: number
}

/** What came of it. */
export interface DrillResult {
  passed: boolean
  /** The figure, in seconds; null: it was not reached. */
  seconds: number | null
  /** One sentence. */
  note: string
}

export function failed(note: string): DrillResult {
  return { passed: false, seconds: null, note }
}
