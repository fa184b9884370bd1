import { randomInt } from 'node:crypto'
import type { Check, InputFile, StepTime, UnknownValues, Usage } from '../../pipeline/engine/facts.ts'
import type { AttemptFailure, FailureRecord } from '../../pipeline/engine/failure.ts'
import type { RunSettings, Trigger } from './run-request.ts'
import type { Connection, Kind } from './slots.ts'

export const RUN_STATES = [
  'waiting',
  'queued',
  'running',
  'publishing',
  'published',
  'held',
  'failed',
  'cancelled',
] as const
export type RunState = (typeof RUN_STATES)[number]
const OPEN_STATES = ['waiting', 'queued', 'running', 'publishing'] as const satisfies RunState[]

/** One execution of a slot, as stored in the ledger. Times are ISO 8601 in UTC. */
export interface Run {
  id: string
  slot: number
  kind: Kind
  name: string
  as_of: string
  partition: string
  state: RunState
  trigger: Trigger
  backfill: number | null
  forced: boolean
  version: number | null
  /** The version was given explicitly; otherwise it is the champion at the first attempt. */
  pinned: boolean
  settings: RunSettings
  attempt: number
  fence: number | null
  next_attempt_at: string | null
  /** When its data was first found late. */
  waiting_since: string | null
  known_at: string | null
  progress: { text: string; rows?: number; total?: number } | null
  path: string | null
  rows: number | null
  bytes: number | null
  sha256: string | null
  view_hash: string | null
  /** Of features: the run that first published the same content; null where this one did. */
  content: string | null
  metadata: Record<string, string> | null
  checks: Check[]
  inputs: InputFile[]
  /** Since when checks that passed, and inputs of what was superseded, are gone (prune-runs.ts). */
  pruned_at?: string | null
  warnings: string[]
  summary: Record<string, number | undefined> | null
  /** Rows with a value that the model does not know, by column. */
  unknown_values: UnknownValues[]
  failure: FailureRecord | null
  reason: string | null
  requested_by: string | null
  created_at: string
  started_at: string | null
  ended_at: string | null
}

export interface Attempt {
  run: string
  number: number
  fence: number
  worker: string
  started_at: string
  ended_at: string | null
  outcome: string | null
  failure: AttemptFailure | null
  steps: StepTime[]
  /** Of its compute process; null where none has ended, and of attempts of older versions. */
  usage: Usage | null
}

/** Id of an attempt: its job in the queue and its folder under `warehouse/.attempts/`. */
export function attemptId(run: string, attempt: number): string {
  return `${run}-a${attempt}`
}

/**
 * Eight letters and digits that start with a letter: short enough to read aloud, never all digits (BullMQ refuses
 * such ids), without similar-looking letters.
 */
export function newRunId(): string {
  const letters = 'bcdfghjkmnpqrstvwxyz'
  const signs = `${letters}23456789`
  const pick = (from: string) => from.charAt(randomInt(from.length))
  return pick(letters) + Array.from({ length: 7 }, () => pick(signs)).join('')
}

export async function findRun(connection: Connection, id: string): Promise<Run | undefined> {
  const { rows } = await connection.query<Run>('select * from nightshift.runs where id = $1', [id])
  return rows[0]
}

/** The ten newest runs whose ids start with this text. */
export async function runsBeginning(connection: Connection, beginning: string): Promise<Run[]> {
  const { rows } = await connection.query<Run>(
    'select * from nightshift.runs where starts_with(id, $1) order by created_at desc limit 10',
    [beginning],
  )
  return rows
}

/** Committed score runs of a model that are not published yet. */
export async function publishingRuns(
  connection: Connection,
  model: string,
  trigger: Trigger,
): Promise<Pick<Run, 'id' | 'partition'>[]> {
  const { rows } = await connection.query<{ id: string; partition: string }>(
    `select id, partition from nightshift.runs
      where kind = 'scores' and name = $1 and state = 'publishing' and trigger = $2`,
    [model, trigger],
  )
  return rows
}

export async function openRunOf(connection: Connection, slot: number): Promise<Run | undefined> {
  const { rows } = await connection.query<Run>(
    'select * from nightshift.runs where slot = $1 and state = any($2)',
    [slot, OPEN_STATES],
  )
  return rows[0]
}

export async function attemptsOf(connection: Connection, run: string): Promise<Attempt[]> {
  const { rows } = await connection.query<Attempt>(
    'select * from nightshift.attempts where run = $1 order by number',
    [run],
  )
  return rows
}

export interface RunFilter {
  name?: string
  kind?: Kind
  states?: RunState[]
  failureClass?: string
  /** Matches the run's id, its name and partition, or its failure message. */
  text?: string
  version?: number
  /** As-of bounds, ISO 8601, both inclusive. */
  from?: string
  to?: string
  limit?: number
}

/** A run without its inputs and checks, of which a night may have thousands. */
export type ListedRun = Omit<Run, 'inputs' | 'checks' | 'pruned_at'>

const LISTED = `id, slot, kind, name, as_of, partition, state, trigger, backfill, forced, version, pinned, settings, attempt, fence,
  next_attempt_at, waiting_since, known_at, progress, path, rows, bytes, sha256, view_hash, content, metadata, warnings, summary,
  unknown_values, failure, reason, requested_by, created_at, started_at, ended_at`

/** Runs, newest first. */
export async function listRuns(connection: Connection, filter: RunFilter = {}): Promise<ListedRun[]> {
  const { where, values } = runsWhere(filter)
  const { rows } = await connection.query<ListedRun>(
    `select ${LISTED} from nightshift.runs where ${where} order by created_at desc, id limit $9`,
    [...values, filter.limit ?? 50],
  )
  return rows
}

/** Names are read from an index only, since run rows are wide; messages only for failed runs. */
const HAS_TEXT = `id in (
          select id from nightshift.runs where position(lower($5) in lower(id || ' ' || name || ' ' || partition)) > 0
          union all
          select id from nightshift.runs where failure is not null and position(lower($5) in lower(failure->>'message')) > 0)`

/** A filter as SQL over nightshift.runs, with its eight values. */
export function runsWhere(filter: RunFilter): { where: string; values: unknown[] } {
  const where = `($1::text is null or name = $1) and ($2::text is null or kind = $2)
        and ($3::text[] is null or state = any($3))
        and ($4::text is null or failure->>'class' = $4)
        and ${filter.text === undefined ? '$5::text is null' : HAS_TEXT}
        and ($6::int is null or version = $6)
        and ($7::timestamptz is null or as_of >= $7) and ($8::timestamptz is null or as_of <= $8)`
  const values = [
    filter.name ?? null,
    filter.kind ?? null,
    filter.states ?? null,
    filter.failureClass ?? null,
    filter.text ?? null,
    filter.version ?? null,
    filter.from ?? null,
    filter.to ?? null,
  ]
  return { where, values }
}

/** What names the content of published features: runs that published the same have the same. */
export function contentOf(run: Pick<Run, 'id' | 'content'>): string {
  return run.content ?? run.id
}

/** Nothing more will happen to this run. */
export function isOver(run: Pick<Run, 'state'>): boolean {
  return OPEN_STATES.every((state) => state !== run.state)
}
