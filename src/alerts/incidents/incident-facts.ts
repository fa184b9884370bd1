import type { IncidentKind } from '../../failures/incident-kinds.ts'
import type { Drift } from '../../pipeline/drift/drift-figures.ts'
import type { Slice } from '../../pipeline/drift/find-slices.ts'
import type { Check } from '../../pipeline/engine/facts.ts'
import type { ColumnProfile } from '../../pipeline/profile/profile.ts'
import type { Metric } from '../../project/schema/metric.ts'
import type { ModelVersions } from '../../registry/model-versions.ts'

/** The shape of a FailureRecord; a missed deadline or drift has the same shape with its own kind. */
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
  /** `failed`, `held`, `lost`, `timed out`, as in the ledger. */
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

/** A model that waits for a view: what its readers have meanwhile, and who they are. */
export interface WaitingModel {
  model: string
  consumers: string[]
  lastGood: LastGood | undefined
}

/** A column that moved: its figures, since which night it drifts, and on how many of the last nights. */
export interface MovedColumn extends Drift {
  /** DuckDB's type; unknown in older incidents. */
  type?: string | null
  since: string
  nights: number
}

/** Rows that account for a large part of a column's shift. */
export interface MovedSlice extends Slice {
  column: string
}

/** The content of a drift mail. */
export interface DriftFacts {
  /** Description of the reference that nights are compared with, and a note about it. */
  reference: string
  note: string | null
  rows: number
  /** As in model.yaml: `2 of 3`. */
  persist: string
  /** The columns that alert, largest shift first. */
  moved: MovedColumn[]
  /** The score, whether it moved or not; null if it is not monitored. */
  score: Drift | null
  /** The rows that account for the shift, and the columns used to segment rows; both empty if unknown. */
  slices: MovedSlice[]
  segments: string[]
  /** Profiles before and after, for the pictures. */
  pictures: { reference: ColumnProfile; tonight: ColumnProfile }[]
}

/** A bound that realized quality breaks, and the figures of the newest nights. */
export interface BrokenBound {
  metric: Metric
  bound: number
  side: 'at least' | 'at most'
  /** Where it is declared: `evaluation.require.brier.max in models/churn/model.yaml`. */
  declared: string
  /** Measured nights, oldest first. Nights that say nothing of the bound are left out. */
  nights: {
    partition: string
    value: number
    low: number
    high: number
    verdict: 'worse' | 'perhaps worse' | 'met'
  }[]
}

/** The content of a mail about realized quality. */
export interface QualityFacts {
  /** As in model.yaml: `2 of 3`. */
  persist: string
  /** The version that scored the night, and the one that is live now; null if there is none. */
  version: number
  live: { version: number; since: string; isMeasured: boolean } | null
  /** Rows of the night with a label, and how many of them are positive; null for labels that are numbers. */
  rows: number
  positives: number | null
  broken: BrokenBound[]
}

/** The content of a mail about a problem. The reporting code fills it from the ledger; times are ISO 8601. */
export interface FailureFacts {
  project: string
  /** The project's time zone, in which all times are shown. */
  timezone: string
  /** The model, or the view for a refresh: the key of incidents and mutes. */
  subject: string
  subjectKind: 'model' | 'view'
  description: string | undefined
  owner: string
  /** Addresses to notify. If none is valid, the owner is notified. */
  onCall: string[]
  /** Consumers of the scores, as declared by the model. */
  consumers: string[]
  /** The models that this concerns: itself, or those that are scored on the view. Absent in incidents that are older. */
  models?: string[]
  /** Of a model: the versions that can be turned to. Absent in incidents that are older. */
  versions?: ModelVersions | undefined
  /** The version that scored was given by name. */
  isPinned?: boolean
  /** Whom `--by` takes; none where it takes anybody. */
  people?: string[]
  failure: IncidentFailure
  /** Only for incidents of kind `drift`. */
  drift?: DriftFacts | undefined
  /** Only for incidents of kind `quality`. */
  quality?: QualityFacts | undefined
  /** State of the slot: determines whether `release` is offered. */
  state: 'expected' | 'waiting' | 'queued' | 'running' | 'publishing' | 'failed' | 'held' | 'published'
  /** Label of the partition; undefined if the problem does not concern one night, such as a failed retraining. */
  partition: string | undefined
  run: string | undefined
  /** The argument of `nightshift skip`; if undefined, the command is omitted. */
  slot: string | undefined
  schedule: string | undefined
  /** When the night's problem began: its first failed attempt, or the missed deadline. */
  since: string
  deadline: string | undefined
  /** How long late data was waited for. */
  waitedUntil: string | undefined
  attempts: TriedAttempt[]
  /** The expectations that failed. */
  checks: Check[]
  lastGood: LastGood | undefined
  /** The night was published before, and readers keep that output. Absent in incidents that are older. */
  isPublished?: boolean
  /** Of a view: the models that are not scored without it. Absent in incidents that are older. */
  waiting?: WaitingModel[]
  /** URL of the web pages without a trailing slash; undefined: mails have no links. */
  baseUrl: string | undefined
  /** Path of RUNBOOK.md, relative to the project; undefined: there is none. */
  runbook: string | undefined
}

/** A night that recovered, or that is no longer expected. */
export interface RecoveryFacts {
  subject: string
  subjectKind: 'model' | 'view'
  /** Undefined closes all nights of the kinds in `kinds`. */
  partition: string | undefined
  /** Undefined: all kinds that this partition is part of. */
  kinds: IncidentKind[] | undefined
  how: 'published' | 'released' | 'skipped' | 'withdrawn' | 'passed' | 'no longer required'
  /** The later night that passed; the bad nights are unchanged. Undefined: the night itself is good. */
  seenOn?: string | undefined
  /** The figures of that night. */
  figures?: string | undefined
  run: string | undefined
  rows: number | undefined
  by: string | undefined
  /** Why a night was skipped. */
  reason?: string | undefined
  /** What readers have now, shown while other nights are still bad. */
  lastGood: LastGood | undefined
}
