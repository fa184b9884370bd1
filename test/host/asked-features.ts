import { askForScores } from '../../src/jobs/request-run.ts'
import { type Database, transaction } from '../../src/ledger/connection/database.ts'
import { ensureSlot } from '../../src/ledger/nights/ensure-slot.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'

const SETTINGS = { attempts: 1, backoff_ms: 1000, timeout_ms: 60_000, wait_until: null }

/** A backfill that is running, without nights. @returns its id */
export async function runningBackfill({ pool }: Database): Promise<number> {
  const { rows } = await pool.query<{ id: number }>(
    `insert into nightshift.backfills (model, max_active, settings, forced) values ('any', 2, '{}', false) returning id`,
  )
  const [row] = rows
  if (row === undefined) throw new Error('the backfill is there')
  return row.id
}

/** Asks for features of the view `activity`: a person, or the backfill. @returns the slot */
export async function askForFeatures(
  database: Database,
  label: string,
  backfill: number | null,
): Promise<number> {
  const trigger = backfill === null ? 'manual' : 'backfill'
  return await transaction(database, async (client) => {
    const slot = await ensureSlot(client, 'features', 'activity', parseAsOf(label, 'UTC'), { anew: true })
    await askForScores(client, slot, { trigger, backfill, settings: SETTINGS })
    return slot.id
  })
}
