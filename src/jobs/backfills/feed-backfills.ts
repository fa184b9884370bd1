import { readFileSync } from 'node:fs'
import type { ClientBase } from 'pg'
import type { Logger } from 'pino'
import { type Database, transaction } from '../../ledger/connection/database.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { ensureSlot } from '../../ledger/nights/ensure-slot.ts'
import { openRunOf } from '../../ledger/nights/run-records.ts'
import type { NewRun, RunSettings } from '../../ledger/nights/run-request.ts'
import { createRun } from '../../ledger/nights/run-transitions.ts'
import { explainSlot } from '../../ledger/nights/slot-facts.ts'
import { type FormerSlot, formerOf } from '../../ledger/nights/slot-transitions.ts'
import { findSlot, lockSlot, type Slot } from '../../ledger/nights/slots.ts'
import { ownFile } from '../../program/own-files.ts'
import { askForScores } from '../request-run.ts'
import { decideNight } from './decide-night.ts'
import { type FindStale, isAsSeen, lookAtNights, type NightRow, type SeenNight } from './night-now.ts'
import type { BackfillMode, NightAsOf } from './plan-backfill.ts'

let endSql: string | undefined
let toFeedSql: string | undefined

interface BackfillRow {
  id: number
  model: string
  mode: BackfillMode | null
  max_active: number
  forced: boolean
  settings: RunSettings
  by: string | null
  created_at: string
}

export interface Feeding {
  database: Database
  log: Pick<Logger, 'info' | 'warn'>
  stale: FindStale
}

/**
 * Moves the next nights of every running backfill into their slots' requests, up to `max_active` at once, and calls
 * a backfill done when its last night has ended. What is done with a night is decided here, and not when the backfill was
 * planned (decide-night.ts). Looks at inputs, which takes its time. Safe to call from any number of processes.
 *
 * @returns whether it has asked for a night
 */
export async function feedBackfills(feeding: Feeding): Promise<boolean> {
  const { pool } = feeding.database
  // Each round asks, mostly for nothing: to plan the statement that finds them takes the server four milliseconds.
  const any = await pool.query<{ running: boolean }>(
    `select exists (select from nightshift.backfills where state = 'running') as running`,
  )
  if (any.rows[0]?.running !== true) return false
  toFeedSql ??= readFileSync(ownFile('jobs/backfills/backfills-to-feed.sql'), 'utf8')
  const { rows } = await pool.query<BackfillRow>(toFeedSql)
  let hasAsked = false
  for (const backfill of rows) {
    for (;;) {
      const fed = await feed(feeding, backfill)
      hasAsked ||= fed.asked > 0
      // Nights that were left as they were have freed their places at once.
      if (fed.left === 0) break
    }
  }
  return hasAsked
}

async function feed(feeding: Feeding, backfill: BackfillRow): Promise<Fed> {
  const { database, log } = feeding
  const rows = await transaction(database, (client) => nextNights(client, backfill))
  if (rows.length === 0) return { asked: 0, left: 0 }
  const { id, model, mode, created_at: createdAt } = backfill
  const at = { pool: database.pool, stale: feeding.stale, log }
  const seen = await lookAtNights(at, { id, model, mode, createdAt, rows })
  if (seen === undefined) return { asked: 0, left: 0 }
  return transaction(database, async (client) => {
    const fed: Fed = { asked: 0, left: 0 }
    if (!(await lockRunning(client, id))) return fed
    const now = (await ledgerNow(client)).toISOString()
    for (const night of seen) {
      const did = await feedNight(client, backfill, night, now)
      if (did === 'asked') fed.asked++
      if (did === 'left') {
        fed.left++
        log.info({ backfill: id, model }, `${night.row.partition} is left as it is`)
      }
    }
    return fed
  })
}

interface Fed {
  asked: number
  left: number
}

/** The nights that there is room for; ends those that are over, and the backfill where none is left. */
async function nextNights(client: ClientBase, backfill: BackfillRow): Promise<NightRow[]> {
  if (!(await lockRunning(client, backfill.id))) return []
  endSql ??= readFileSync(ownFile('jobs/backfills/end-nights.sql'), 'utf8')
  await client.query(endSql, [backfill.id])
  const { rows: counts } = await client.query<{ active: number }>(
    `select count(*) as active from nightshift.backfill_nights
      where backfill = $1 and slot is not null and outcome is null`,
    [backfill.id],
  )
  const active = counts[0]?.active ?? 0
  const { rows: nights } = await client.query<NightRow>(
    `select n.position, n.as_of, n.partition, n.version, n.refresh, coalesce(n.refresh, v.view) as view
       from nightshift.backfill_nights n
       left join nightshift.versions v on v.model = $3 and v.version = n.version
      where n.backfill = $1 and n.slot is null and n.outcome is null order by n.position limit $2`,
    [backfill.id, Math.max(1, backfill.max_active - active), backfill.model],
  )
  if (active === 0 && nights.length === 0) {
    await client.query(`update nightshift.backfills set state = 'done', ended_at = now() where id = $1`, [
      backfill.id,
    ])
  }
  return active < backfill.max_active ? nights : []
}

async function lockRunning(client: ClientBase, id: number): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from nightshift.backfills where id = $1 and state = 'running' for update skip locked`,
    [id],
  )
  return rowCount === 1
}

async function feedNight(
  client: ClientBase,
  backfill: BackfillRow,
  { row, night, publishedSince }: SeenNight,
  now: string,
): Promise<'asked' | 'left' | 'later'> {
  const { asOf, view } = night
  const { rowCount: open } = await client.query(
    `select from nightshift.backfill_nights
      where backfill = $1 and position = $2 and slot is null and outcome is null`,
    [backfill.id, row.position],
  )
  if (open === 0) return 'later'
  // The view's slot is locked before that of the scores, as everywhere.
  const features = view === null ? undefined : await lockIfThere(client, 'features', view, asOf.label)
  const scores = await lockIfThere(client, 'scores', backfill.model, asOf.label)
  // A night that somebody is working on already, or has asked for, is theirs.
  if (
    scores !== undefined &&
    (scores.request !== null || (await openRunOf(client, scores.id)) !== undefined)
  ) {
    await settle(client, backfill, row, { slot: scores.id })
    return 'asked'
  }
  // Something happened while we looked: the next round looks again.
  if (!isAsSeen(features, night.features) || !isAsSeen(scores, night.scores)) return 'later'
  const mode = backfill.mode ?? (publishedSince ? 'missing' : 'all')
  const verdict = decideNight({ model: backfill.model, mode, now }, night)
  if (verdict.do === 'leave') {
    const { outcome, reason } = verdict
    await settle(client, backfill, row, { slot: scores?.id ?? null, outcome, reason })
    return 'left'
  }
  await ask(client, backfill, row, { asOf, was: formerOf(scores), refresh: verdict.refresh ? view : null })
  return 'asked'
}

async function lockIfThere(
  client: ClientBase,
  kind: Slot['kind'],
  name: string,
  label: string,
): Promise<Slot | undefined> {
  const slot = await findSlot(client, kind, name, label)
  return slot && lockSlot(client, slot.id)
}

async function ask(
  client: ClientBase,
  backfill: BackfillRow,
  row: NightRow,
  { asOf, was, refresh }: { asOf: NightAsOf; was: FormerSlot; refresh: string | null },
): Promise<void> {
  const how: NewRun = {
    trigger: 'backfill',
    backfill: backfill.id,
    settings: backfill.settings,
    by: backfill.by,
  }
  const refreshed = refresh === null ? undefined : await refreshFirst(client, refresh, asOf, how)
  const slot = await ensureSlot(client, 'scores', backfill.model, asOf, { anew: true })
  await askForScores(client, slot, { ...how, forced: backfill.forced, version: row.version })
  // Until then the planner does not look at it (backfilled-slots.sql).
  if (refresh !== null)
    await explainSlot(
      client,
      slot.id,
      `waits for features ${refresh} ${asOf.label}, which is refreshed first`,
    )
  await settle(client, backfill, row, { slot: slot.id, was, refreshed })
}

/** Writes down what became of a night. */
async function settle(
  client: ClientBase,
  backfill: BackfillRow,
  { position }: NightRow,
  to: {
    slot: number | null
    was?: FormerSlot
    refreshed?: { run: string; was: FormerSlot } | undefined
    outcome?: string
    reason?: string
  },
): Promise<void> {
  await client.query(
    `update nightshift.backfill_nights
        set slot = $3, was = $4, refresh_run = $5, refresh_was = $6, outcome = $7, reason = $8
      where backfill = $1 and position = $2`,
    [
      backfill.id,
      position,
      to.slot,
      to.was === undefined ? null : JSON.stringify(to.was),
      to.refreshed?.run ?? null,
      to.refreshed === undefined ? null : JSON.stringify(to.refreshed.was),
      to.outcome ?? null,
      to.reason ?? null,
    ],
  )
}

/** Requests the features, unless somebody is at them: theirs are as good. */
async function refreshFirst(
  client: ClientBase,
  view: string,
  asOf: NightAsOf,
  how: NewRun,
): Promise<{ run: string; was: FormerSlot } | undefined> {
  const found = await findSlot(client, 'features', view, asOf.label)
  const slot = await ensureSlot(client, 'features', view, asOf, { anew: true })
  if ((await openRunOf(client, slot.id)) !== undefined) return undefined
  return { run: await createRun(client, slot, how), was: formerOf(found) }
}
