export type Trigger = 'schedule' | 'manual' | 'backfill' | 'retry' | 'release' | 'rollback' | 'repair'

/** How a run is retried and bounded, fixed when it is created. */
export interface RunSettings {
  attempts: number
  backoff_ms: number
  timeout_ms: number
  /** Late data is waited for until then, ISO 8601; null: not at all. */
  wait_until: string | null
}

/** Who asked for a slot beside its schedule, and how it is to be run. */
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
