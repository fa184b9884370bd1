import type { Amount } from './amount.ts'
import type { LabelKind } from './rules/label-kind.ts'
/**
 * The shapes of a project's files after validation. Plain data throughout (no Map, no class), so that a project or a
 * part of it can be sent to the compute child unchanged.
 */

export interface Project {
  /** Absolute path of the folder that holds `nightshift.yaml`. */
  root: string
  name: string
  /** IANA zone, such as `Europe/Berlin`. A date as-of is the local midnight in this zone. */
  timezone: string
  /** Absolute path of the warehouse. */
  warehouse: string
  /** Schema of the ledger in its database. */
  schema: string
  alerts: Alerts | undefined
  /** Address to role. Empty if the project lists no one. */
  people: Record<string, Role>
  /** Who sees single rows of published scores on pages. */
  pages: { rows: 'nobody' | 'operators' | 'everyone' }
  /** URL fetched after each healthy reconcile and each published night. */
  heartbeat: string | undefined
  /** Timeouts of work outside a night's attempts. */
  timeouts: Timeouts
  /** How long records of the ledger are kept. */
  retention: Retention
  /** What one worker process may use of its machine's memory. Default 75 %. */
  memory: Amount
  /** What one task may spill to disk, of what is free there when it starts. Default 75 %. */
  temp: Amount
  /** What is kept on this machine of sources in object storage. Default 50 % of what is free there. */
  objects: Amount
  views: Record<string, View>
  models: Record<string, Model>
  schedules: Record<string, Schedule>
}

export interface Retention {
  /** Default 730d. */
  runs: Duration
  /** Default 365d. */
  attempts: Duration
  /** Default 730d. */
  profiles: Duration
  /** Default 365d. */
  mails: Duration
  /** Default 730d. */
  evidence: Duration
}

export interface Timeouts {
  /** Reading a model file, describing SQL, trying a model on some rows, staleness. Default 2m. */
  checks: Duration
  /** Monitoring of a published night: shadow, parity, profile and drift, outcomes. Default 30m. */
  monitors: Duration
  /** Training sets, evaluations, the search for leaks, `replay`. Default 6h. */
  datasets: Duration
}

export type Role = 'approver' | 'operator' | 'viewer'

export interface Alerts {
  from: string
  base_url: string
  /** An open incident is mailed again after this long. Default 4h. */
  repeat: Duration
  /** First mails of incidents opened within this window go out as one mail per address. Default 30s. */
  group: Duration
  /** Who else is mailed when nobody acknowledges an incident in time. */
  escalate?: Escalation | undefined
  /** Cron of the digest for owners and readers, in the project's zone. */
  digest?: string | undefined
  /** What the commands in mails and posts begin with. Default `npx nightshift`. */
  command: string
  /** Where incidents and all-clears are posted to. */
  webhook: Webhook[]
}

export interface Escalation {
  to: string[]
  /** Since the first mail. */
  after: Duration
}

export interface Webhook {
  url: string
  /** Name of the environment variable with the secret that signs. */
  secret_env: string
  /** Shape of the body. */
  format: 'json' | 'slack'
}

/** A span of time as written (`26h`) and in milliseconds. `days` is set if it was written in whole days. */
export interface Duration {
  text: string
  ms: number
  days: number | undefined
}

export interface View {
  name: string
  /** Absolute path of the view's folder, and of its SQL. */
  folder: string
  sqlFile: string
  sql: string
  entity: string[]
  owner: string
  description: string | undefined
  sources: Record<string, Source>
  columns: Record<string, ColumnExpectation>
  expect: { rows: RowExpectation | undefined; fresh: Record<string, Duration> }
  /** Value that replaces null in model inputs, by column. */
  fill: Record<string, string | number | boolean>
  /** Types of the folders' keys, decided when a definition of the view was first used, by its hash. */
  decided?: Record<string, KeyTypes>
  /** A row depends on rows of its own entity alone. Default false. */
  perEntity: boolean
  /** At most so many shards of a night, each of at least so many bytes of files in buckets. Default 1. */
  shards: number
  minShard: number
  /**
   * How often a published partition is recomputed by the training path and compared. Default nightly. `never` holds in the
   * copy of a drill, which asks something else; no file can say it.
   */
  parity: 'nightly' | 'weekly' | 'never'
}

/** Types of keys by source and key. */
export type KeyTypes = Record<string, Record<string, KeyType>>

export interface SourceFiles {
  /** As written: a glob relative to the project's root, or absolute. */
  path: string
  /**
   * Zone of timestamps without one, of dates and of hive keys. Default: UTC for timestamps, the project's for dates.
   */
  timezone?: string
  /** Zone of single columns: an IANA name, or `local` for wall times that are read unchanged. */
  timezones?: Record<string, string>
  /** Of the files. Default parquet. */
  format?: 'parquet' | 'csv' | 'json'
  /** Types of columns of text files; other columns of CSV files are VARCHAR. */
  types?: Record<string, string>
  /** Between the values of CSV files. Default: found out for each file. */
  delimiter?: string
  /** One SELECT over the rows of each file, as the table `raw`; what it returns is the source. */
  select?: string
  /** How long after its last change a file may still be incomplete. Default 5m. */
  settle?: Duration
  /** Columns that read null in files without them. */
  optional?: string[]
  /** Declared types of the folders' keys. */
  hive?: Record<string, KeyType>
  /** The key of folders that divides the files by the view's entity. */
  buckets?: string
}

/** Legal types of a folder's key. */
export type KeyType = 'VARCHAR' | 'INTEGER' | 'BIGINT' | 'DATE' | 'BOOLEAN'

/** What a source of each kind declares beside its files. */
interface SourceFields {
  events: { event_time: string } & Arrival
  history: {
    /** Default: the view's entity. */
    key: string[]
    valid_from: string
    valid_to?: string
  } & Arrival
  snapshots: { snapshot_at: string }
  static: object
}

interface Arrival {
  available_at?: string
  cutoff?: Duration
}

export type SourceKind = keyof SourceFields

/** Its kind is asked for in source-kinds.ts alone: other files ask for traits. */
export type Source<K extends SourceKind = SourceKind> = {
  [Each in K]: SourceFiles & { kind: Each } & SourceFields[Each]
}[K]

export interface ColumnExpectation {
  min?: number
  max?: number
  values?: (string | number | boolean)[]
  max_null_rate?: number
}

export interface RowExpectation {
  min?: number
  max?: number
  /** Largest relative change against the nearest earlier published as-of within 7 days. */
  max_change?: number
}

export interface Model {
  name: string
  folder: string
  description: string
  owner: string
  on_call: string[]
  /** Who reads the scores. Mails list them. */
  consumers: string[]
  view: string
  /** Undefined: every column of the view but the entity, in the SQL's order. */
  inputs: string[] | undefined
  /** The options of columns in `inputs` of model.yaml. Empty if `inputs` is a list or missing. */
  unknown: Record<string, UnknownPolicy>
  onnx: OnnxMapping
  score: ScoreColumn
  labels: { sqlFile: string; sql: string; horizon: Duration; lag: Duration; kind: LabelKind } | undefined
  /** Additional sources for labels, outcomes and metrics only. */
  sources: Record<string, Source>
  evaluation: { require: Record<string, Requirement>; segments: string[]; k: number }
  shadow: { min_nights: number; current: CurrentProcess | undefined; require: ShadowBounds }
  drift: {
    /** Undefined: all inputs of the version. */
    columns: string[] | undefined
    score: boolean
    min_effect: number
    /** Such as `2 of 3`. */
    persist: string
    reference: DriftReference
  }
  retrain: Retrain | undefined
  rollback: { keep_warm_nights: number }
  /** At most so many shards of a night, each of at least so many rows. */
  scoring: { shards: number; min_rows: number }
  outcomes: Outcomes | undefined
}

/** How a model is trained again, and when. */
export interface Retrain {
  /** Program and arguments, run in the model's folder. */
  command: string[]
  /** Names of the worker's variables that it gets. */
  env: string[]
  timeout: Duration
  /** Between the beginnings of two retrainings by triggers. */
  cooldown: Duration
  promote: 'never' | 'when-ready'
  /** Which nights it is trained on. */
  dataset: { span: Duration; every: Duration; holdout: Duration }
  /** Empty: it is only started by hand. */
  when: { drift_nights?: number; auc_below?: number; age?: Duration }
}

/** Scores of the process that a first model replaces. */
export interface CurrentProcess {
  /** As written: a glob relative to the project's root, or absolute. */
  path: string
  /** In the order of the view's entity. */
  entity: string[]
  score: string
  /** A column with the as-of of each row. */
  date: string | undefined
}

/** What each night in shadow that counts has to meet. A bound that is not set is not judged. */
export interface ShadowBounds {
  max_flips?: number
  min_rank_correlation?: number
  min_top_overlap?: number
  max_distance?: number
  /** Share of the other side's rows that the challenger has scored too. */
  min_coverage: number
}

/** What a night is compared with. */
export type DriftReference =
  /** The version's baseline: its holdout, or without one its first night. */
  | { kind: 'holdout' }
  /** Published nights from one as-of to another, both inclusive. */
  | { kind: 'window'; from: string; to: string }
  | { kind: 'same_weekday'; weeks: number }

/** Realized outcomes of the scores, after their label windows have ended. */
export interface Outcomes {
  /** SQL that marks the entities that were acted on; undefined if unknown. */
  treated: string | undefined
  /** SQL that selects a random control group; undefined if there is none. */
  control: string | undefined
  metrics: OutcomeMetric[]
}

/** A business figure: named SQL over a night's scores and labels, with the value to reach. */
export interface OutcomeMetric {
  name: string
  sql: string
  target: number | undefined
}

export interface OnnxMapping {
  /** Name of the output that holds the score; undefined: inferred. */
  output: string | undefined
  /** Label (a text) or index of the class whose probability is the score; undefined: inferred. */
  class: number | string | undefined
  /** Columns whose values may all be unknown to the model; true for any column. */
  unknown: true | string[]
  /** ONNX input name to view column, where names differ. */
  inputs: Record<string, string>
}

/**
 * What happens if the model does not know values of a column: above the share, the night is held or gets a warning.
 */
export interface UnknownPolicy {
  unknown: 'warn' | 'hold'
  max_rate: number
}

export interface ScoreColumn {
  column: string
  min: number | undefined
  max: number | undefined
  threshold: number | undefined
  /** How many reasons a published row has; undefined: none. */
  reasons?: number | undefined
}

export interface Requirement {
  min?: number
  max?: number
  max_drop?: number
}

export interface Schedule {
  name: string
  file: string
  cron: string
  timezone: string
  grain: 'day' | 'hour'
  /** Models to score. Empty if `refresh` is given. */
  score: string[]
  /** Views to refresh without scoring. */
  refresh: string[]
  timeout: Duration
  catch_up: { policy: 'all' | 'latest' | 'none'; max: number }
  /** Local wall time `HH:MM` in the schedule's zone, or minutes (`+20m`) after the tick for hourly grain. */
  deadline: string | undefined
  retry: Retry
  /** Crons of the drills of its models, in the schedule's zone. */
  drills: { [Drill in DrillKind]?: string | undefined }
  /** ISO date or instant before which nothing is expected; undefined for the time the schedule is first seen. */
  start: string | undefined
  paused: boolean
}

/** What is tried on purpose. */
export type DrillKind = 'rollback' | 'failure' | 'alert' | 'drift'

export interface Retry {
  attempts: number
  backoff: Duration
  wait_for_data: Duration
}

export const DEFAULT_RETRY: Retry = {
  attempts: 3,
  backoff: { text: '30s', ms: 30_000, days: undefined },
  wait_for_data: { text: '0s', ms: 0, days: undefined },
}
