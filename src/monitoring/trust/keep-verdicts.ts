import type { Database } from '../../ledger/connection/database.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { transaction } from '../../ledger/connection/transaction.ts'
import { withTriedLock } from '../../ledger/connection/try-lock.ts'
import { slotsById } from '../../ledger/nights/slots.ts'
import type { Project } from '../../project/project.ts'
import { trustOfNights } from './trust-nights.ts'
import { factsMark, type Judged, recordVerdicts, type Unjudged, unjudged } from './verdict-records.ts'

/** Nights that are judged at once. */
const BATCH = 200

export interface VerdictKeeper {
  /**
   * Judges the published lists about which something new is known, and records each verdict that changed, with the time. Costs one
   * query where nothing is new. Any number of processes may keep verdicts: one of them does at a time.
   */
  keep(project: Project): Promise<void>
}

export function openVerdictKeeper(database: Database): VerdictKeeper {
  const { pool } = database
  let seen: string | undefined
  return {
    async keep(project) {
      const models = Object.values(project.models).map(({ name, view }) => ({ name, view }))
      const mark = `${JSON.stringify(models)} ${await factsMark(pool)}`
      if (mark === seen) return
      await withTriedLock(pool, ['verdicts', project.schema ?? ''], async (mine) => {
        if (!mine) return
        const nights = await unjudged(pool, models)
        for (let first = 0; first < nights.length; first += BATCH)
          await judge(database, project, nights.slice(first, first + BATCH))
        seen = mark
      })
    },
  }
}

async function judge(database: Database, project: Project, nights: Unjudged[]): Promise<void> {
  const now = await ledgerNow(database.pool)
  const subjects = new Map(nights.map((night) => [night.slot, night]))
  const slots = await slotsById(database.pool, [...subjects.keys()])
  const found = await trustOfNights(database.pool, project, slots, now)
  const judged = slots.flatMap((slot): Judged[] => {
    const [trust, night] = [found.get(slot.id), subjects.get(slot.id)]
    if (trust === undefined || night === undefined || slot.published_run === null) return []
    const { answer, why, reasons } = trust
    return [{ ...night, run: slot.published_run, answer, why, reasons }]
  })
  await transaction(database, (client) => recordVerdicts(client, judged, now.toISOString()))
}
