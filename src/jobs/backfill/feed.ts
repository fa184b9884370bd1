import { readFileSync } from 'node:fs'
import { type Database, transaction } from '../../database/database.ts'
import { askForScores } from '../request.ts'
import { createRun, openRunOf, type RunSettings } from '../runs.ts'
import { ensureSlot } from '../slots.ts'

let countSql: string | undefined

interface BackfillRow {
  id: string
  model: string
  max_active: number
  forced: boolean
  settings: RunSettings
  by: string | null
}

interface NightRow {
  position: number
  as_of: Date
  partition: string
  version: number | null
  refresh: string | null
}

/**
 * Moves the next nights of every running backfill into their slots' requests, up to `max_active` at once, and calls
 * a backfill done when its last night has ended. Safe to call from any number of processes.
 */
export async function feedBackfills(database: Database): Promise<void> {
  const { rows } = await database.pool.query<BackfillRow>(
    `select id, model, max_active, forced, settings, by from nightshift.backfills where state = 'running' order by id`,
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
    countSql ??= readFileSync(new URL('./count-nights.sql', import.meta.url), 'utf8')
    const { rows: counts } = await client.query<{ active: string; left: string }>(countSql, [backfill.id])
    const active = Number(counts[0]?.active ?? 0)
    if (active === 0 && Number(counts[0]?.left ?? 0) === 0) {
      await client.query(`update nightshift.backfills set state = 'done', ended_at = now() where id = $1`, [
        backfill.id,
      ])
      return
    }
    const { rows: nights } = await client.query<NightRow>(
      `select position, as_of, partition, version, refresh from nightshift.backfill_nights
        where backfill = $1 and slot is null order by position limit $2`,
      [backfill.id, Math.max(0, backfill.max_active - active)],
    )
    for (const night of nights) {
      const asOf = { instant: night.as_of.toISOString(), label: night.partition }
      const how = {
        trigger: 'backfill',
        backfill: Number(backfill.id),
        settings: backfill.settings,
        by: backfill.by,
      } as const
      if (night.refresh !== null) {
        const features = await ensureSlot(client, 'features', night.refresh, asOf)
        if ((await openRunOf(client, features.id)) === undefined) await createRun(client, features, how)
      }
      const slot = await ensureSlot(client, 'scores', backfill.model, asOf)
      // A night that somebody is working on already is theirs.
      if ((await openRunOf(client, slot.id)) === undefined) {
        await askForScores(client, slot, { ...how, forced: backfill.forced, version: night.version })
      }
      await client.query(
        'update nightshift.backfill_nights set slot = $3 where backfill = $1 and position = $2',
        [backfill.id, night.position, slot.id],
      )
    }
  })
}
