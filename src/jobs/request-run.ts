import type { ClientBase } from 'pg'
import { type Database, transaction } from '../ledger/connection/database.ts'
import { announceRequest } from '../ledger/connection/notifications.ts'
import { ensureSlot } from '../ledger/nights/ensure-slot.ts'
import { openRunOf } from '../ledger/nights/run-records.ts'
import type { NewRun, RunSettings } from '../ledger/nights/run-request.ts'
import { createRun } from '../ledger/nights/run-transitions.ts'
import { requestSlot } from '../ledger/nights/slot-transitions.ts'
import type { Slot } from '../ledger/nights/slots.ts'
import type { Project, Retry } from '../project/project.ts'
import { DEFAULT_RETRY } from '../project/project.ts'
import type { AsOf } from '../project/time/asof.ts'

const DEFAULT_TIMEOUT_MS = 60 * 60_000

/**
 * Retry settings and limits of a requested run: those of the first schedule that covers it. It does not wait for
 * data: the requester learns at once what is missing.
 */
export function settingsFor(project: Project, kind: 'features' | 'scores', name: string): RunSettings {
  const schedule = Object.values(project.schedules).find((each) =>
    kind === 'scores'
      ? each.score.includes(name)
      : each.refresh.includes(name) || each.score.some((model) => project.models[model]?.view === name),
  )
  return toSettings(schedule?.retry ?? DEFAULT_RETRY, schedule?.timeout.ms ?? DEFAULT_TIMEOUT_MS, null)
}

export function toSettings(retry: Retry, timeoutMs: number, waitUntil: string | null): RunSettings {
  return {
    attempts: retry.attempts,
    backoff_ms: retry.backoff.ms,
    timeout_ms: timeoutMs,
    wait_until: waitUntil,
  }
}

/**
 * Requests a view's features. If its slot is already being worked on, that run is joined.
 * @returns the run's id
 */
export async function requestFeatures(
  database: Database,
  view: string,
  asOf: AsOf,
  request: NewRun,
): Promise<{ run: string; joined: boolean }> {
  return transaction(database, async (client) => {
    const slot = await ensureSlot(client, 'features', view, asOf, { anew: request.forced === true })
    const open = await openRunOf(client, slot.id)
    if (open !== undefined) return { run: open.id, joined: true }
    await announceRequest(client)
    return { run: await createRun(client, slot, request), joined: false }
  })
}

/**
 * Requests a model's scores. The planner starts the run once the features are published; if the slot is already being
 * worked on, that run is joined.
 */
export async function requestScores(
  database: Database,
  model: string,
  asOf: AsOf,
  request: NewRun,
): Promise<{ slot: Slot; joined: string | undefined }> {
  return transaction(database, async (client) => {
    const slot = await ensureSlot(client, 'scores', model, asOf, { anew: request.forced === true })
    const open = await openRunOf(client, slot.id)
    if (open === undefined) {
      await askForScores(client, slot, request)
      await announceRequest(client)
    }
    return { slot, joined: open?.id }
  })
}

/** Writes a request into a slot that no run is working on. The caller holds its lock. */
export async function askForScores(client: ClientBase, slot: Slot, request: NewRun): Promise<void> {
  await requestSlot(client, slot.id, {
    trigger: request.trigger,
    forced: request.forced ?? false,
    version: request.version ?? null,
    backfill: request.backfill ?? null,
    settings: request.settings,
    by: request.by ?? null,
  })
}
