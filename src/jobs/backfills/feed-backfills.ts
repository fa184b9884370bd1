import { readFileSync } from 'node:fs'
import type { ClientBase } from 'pg'
import { type Database, transaction } from '../../ledger/connection/database.ts'
import { ensureSlot } from '../../ledger/nights/ensure-slot.ts'
import { openRunOf } from '../../ledger/nights/run-records.ts'
import type { NewRun, RunSettings } from '../../ledger/nights/run-request.ts'
import { createRun } from '../../ledger/nights/run-transitions.ts'
import { type FormerSlot, formerOf } from '../../ledger/nights/slot-transitions.ts'
import { findSlot } from '../../ledger/nights/slots.ts'
import { askForScores } from '../request-run.ts'

let endSql: string | undefined

interface BackfillRow {
  id: string
  model: string
  max_active: number
  forced: boolean
  settings: RunSettings
  by: string | null
  created_at: Date
}

interface NightRow {
  position: number
  as_of: Date
  partition: string
  version: number | null
  refresh: string | null
}

/**
 * Requests the next nights of every running backfill, up to `max_active` at once, and marks a backfill done when its
 * last night has ended. Safe to call from any number of processes.
 */
export async function feedBackfills(database: Database): Promise<void> {
  const { rows } = await database.pool.query<BackfillRow>(
    `select id, model, max_active, forced, settings, by, created_at
       from nightshift.backfills where state = 'running' order by id`,
  )
  for (const backfill of rows) await feed(database, backfill)
}

async function feed(database: Database, backfill: BackfillRow): Promise<void> {
  await transaction(database, async (client) => {
    const { rowCount } = await client.query(
      `select from nightshift.backfills where id = $1 and state = 'running' for update skip locked`,
      [backfill.id],
    )
    if (rowCount === 0) return
    endSql ??= readFileSync(new URL('./end-nights.sql', import.meta.url), 'utf8')
    await client.query(endSql, [backfill.id])
    const { rows: counts } = await client.query<{ active: string }>(
      `select count(*) as active from nightshift.backfill_nights
        where backfill = $1 and slot is not null and outcome is null`,
      [backfill.id],
    )
    const active = Number(counts[0]?.active ?? 0)
    const { rows: nights } = await client.query<NightRow>(
      `select position, as_of, partition, version, refresh from nightshift.backfill_nights
        where backfill = $1 and slot is null order by position limit $2`,
      [backfill.id, Math.max(1, backfill.max_active - active)],
    )
    if (active === 0 && nights.length === 0) {
      await client.query(`update nightshift.backfills set state = 'done', ended_at = now() where id = $1`, [
        backfill.id,
      ])
    }
    if (active < backfill.max_active) for (const night of nights) await requestNight(client, backfill, night)
  })
}

async function requestNight(client: ClientBase, backfill: BackfillRow, night: NightRow): Promise<void> {
  const asOf = { instant: night.as_of.toISOString(), label: night.partition }
  const how: NewRun = {
    trigger: 'backfill',
    backfill: Number(backfill.id),
    settings: backfill.settings,
    by: backfill.by,
  }
  const refreshed = await refresh(client, backfill, night, asOf, how)
  const was = formerOf(await findSlot(client, 'scores', backfill.model, asOf.label))
  const slot = await ensureSlot(client, 'scores', backfill.model, asOf, { anew: true })
  // A night that is already running or requested remains with its requester.
  const theirs = slot.request !== null || (await openRunOf(client, slot.id)) !== undefined
  if (!theirs) await askForScores(client, slot, { ...how, forced: backfill.forced, version: night.version })
  await client.query(
    `update nightshift.backfill_nights set slot = $3, was = $4, refresh_run = $5, refresh_was = $6
      where backfill = $1 and position = $2`,
    [
      backfill.id,
      night.position,
      slot.id,
      theirs ? null : JSON.stringify(was),
      refreshed?.run ?? null,
      refreshed === undefined ? null : JSON.stringify(refreshed.was),
    ],
  )
}

/** Requests the features first, unless they are being computed or were published after the backfill was planned. */
async function refresh(
  client: ClientBase,
  backfill: BackfillRow,
  night: NightRow,
  asOf: { instant: string; label: string },
  how: NewRun,
): Promise<{ run: string; was: FormerSlot } | undefined> {
  if (night.refresh === null) return undefined
  const found = await findSlot(client, 'features', night.refresh, asOf.label)
  const slot = await ensureSlot(client, 'features', night.refresh, asOf, { anew: true })
  const since = slot.published_at !== null && Date.parse(slot.published_at) > backfill.created_at.getTime()
  if ((since && slot.state === 'published') || (await openRunOf(client, slot.id)) !== undefined)
    return undefined
  return { run: await createRun(client, slot, how), was: formerOf(found) }
}
