import type { IncidentKind } from '../../failures/incident-kinds.ts'
import type { Drift } from '../../pipeline/drift/drift-figures.ts'
import type { Slice } from '../../pipeline/drift/find-slices.ts'
import type { Check } from '../../pipeline/engine/facts.ts'
import type { ColumnProfile } from '../../pipeline/profile/profile.ts'

/** A FailureRecord is one; a missed deadline or a drift has the same shape under its own kind. */
export interface IncidentFailure {
  class: IncidentKind
  message: string
  /** Section of the runbook, such as `#late-data`. */
  anchor: string
  evidence: Record<string, unknown>
}

export interface TriedAttempt {
  number: number
  /** ISO 8601. */
  startedAt: string
  endedAt: string | undefined
  /** `failed`, `held`, `lost`, `timed out`, as the ledger has it. */
  outcome: string
  message: string | undefined
}

export interface LastGood {
  partition: string
  /** ISO 8601. */
  publishedAt: string
  /** Relative to the project, or absolute. */
  path: string
  rows: number | undefined
  version: number | undefined
}

/** A column that moved: its figures, the night since when it drifts, on how many of the last nights it did. */
export interface MovedColumn extends Drift {
  /** DuckDB's; unknown in incidents that are older. */
  type?: string | null
  since: string
  nights: number
}

/** Rows that carry a good part of a column's shift. */
export interface MovedSlice extends Slice {
  column: string
}

/** What a mail about drift says. */
export interface DriftFacts {
  /** What the nights are compared with, in words, and what is to be known of that. */
  reference: string
  note: string | null
  rows: number
  /** As in model.yaml: `2 of 3`. */
  persist: string
  /** The columns that alert, those that moved most first. */
  moved: MovedColumn[]
  /** The score, whether it moved or not; null where it is not watched. */
  score: Drift | null
  /** The rows that carry it, and the columns by which rows were told apart; none where these are unknown. */
  slices: MovedSlice[]
  segments: string[]
  /** Before and after, for the pictures. */
  pictures: { reference: ColumnProfile; tonight: ColumnProfile }[]
}

/** Everything that a mail about a problem says. Filled from the ledger by whoever reports it; times are ISO 8601. */
export interface FailureFacts {
  project: string
  /** The project's zone, in which every time is shown. */
  timezone: string
  /** Model, or view where a refresh is concerned: what incidents and mutes are keyed by. */
  subject: string
  subjectKind: 'model' | 'view'
  description: string | undefined
  owner: string
  /** Addresses to be told. Where none of them is an address, the owner is. */
  onCall: string[]
  /** Who reads the scores, as the model declares them. */
  consumers: string[]
  failure: IncidentFailure
  /** Of an incident of kind `drift`. */
  drift?: DriftFacts | undefined
  /** State of the slot: decides whether `release` is offered. */
  state: 'expected' | 'waiting' | 'queued' | 'running' | 'publishing' | 'failed' | 'held' | 'published'
  /** Partition's label; undefined where the problem is not one night's, such as a failed retraining. */
  partition: string | undefined
  run: string | undefined
  /** What `nightshift skip` takes; undefined leaves the command out. */
  slot: string | undefined
  schedule: string | undefined
  /** When this night began to go wrong: first failed attempt, or the missed deadline. */
  since: string
  deadline: string | undefined
  /** Until when late data was waited for. */
  waitedUntil: string | undefined
  attempts: TriedAttempt[]
  /** The expectations that failed. */
  checks: Check[]
  lastGood: LastGood | undefined
  /** Where the pages are, without a trailing slash; undefined: mails have no links. */
  baseUrl: string | undefined
  /** Path of RUNBOOK.md, relative to the project; undefined: there is none. */
  runbook: string | undefined
}

/** A night that is good again, or that nobody waits for any more. */
export interface RecoveryFacts {
  subject: string
  subjectKind: 'model' | 'view'
  /** Undefined closes whatever is named by `kinds`, all nights of it. */
  partition: string | undefined
  /** Undefined: every kind that this partition is part of. */
  kinds: IncidentKind[] | undefined
  how: 'published' | 'released' | 'skipped' | 'rolled back' | 'passed'
  /** The later night that shows that all is well: the bad ones stay as they are. Undefined: the night itself is good. */
  seenOn?: string | undefined
  run: string | undefined
  rows: number | undefined
  by: string | undefined
  /** What readers have now, told where other nights are still bad. */
  lastGood: LastGood | undefined
}
