export type Trigger =
  | 'schedule'
  | 'manual'
  | 'backfill'
  | 'retry'
  | 'release'
  | 'rollback'
  | 'repair'
  | 'shadow'

/** Retry settings and limits of a run, fixed when it is created. */
export interface RunSettings {
  attempts: number
  backoff_ms: number
  timeout_ms: number
  /** How long late data is waited for, ISO 8601; null: not at all. */
  wait_until: string | null
}

/** A request for a slot outside its schedule, and how it is run. */
export interface SlotRequest {
  trigger: Trigger
  forced: boolean
  version: number | null
  backfill: number | null
  settings: RunSettings
  by: string | null
}

export interface NewRun {
  /** Default: a new one. */
  id?: string
  trigger: Trigger
  forced?: boolean
  version?: number | null
  backfill?: number | null
  settings: RunSettings
  by?: string | null
}
