import { Temporal } from 'temporal-polyfill'
import { mailOwners } from '../alerts/delivery/mail-owners.ts'
import { gateLetter } from '../alerts/letters/notices/gate-letter.ts'
import { transaction } from '../ledger/connection/database.ts'
import { ledgerNow } from '../ledger/connection/ledger-clock.ts'
import { withTriedLock } from '../ledger/connection/try-lock.ts'
import type { Model } from '../project/project.ts'
import { type DailyGate, dailyGates, gatesToAsk, recordDailyGate } from '../readiness/daily-gates.ts'
import type { Gate } from '../readiness/gate.ts'
import { type RecordedGate, recordedGate } from '../readiness/gate-on-record.ts'
import { championChanges } from '../registry/history-records.ts'
import type { ProjectLedger } from './project-ledger.ts'

/** From this hour on, in the project's zone: after the nights, and when nobody is woken by a drill of 91 days ago. */
const HOUR = 7
/** A waiver is announced this many days before it ends. */
const WARNED_DAYS = 7

/** Asks the gate about a version. Undefined: it was interrupted, and what it said is worth nothing. */
export type Ask = (model: Model, version: number) => Promise<Gate | undefined>

/**
 * Asks the gate once a day about every champion, records what it said, and mails owner and on-call what no longer passes and
 * which waivers end within a week: each once. @returns the models asked
 */
export async function askDailyGates(ledger: ProjectLedger, ask: Ask): Promise<string[]> {
  const { project, database } = ledger
  const { pool } = database
  const now = await ledgerNow(pool)
  const local = Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO(project.timezone)
  if (local.hour < HOUR) return []
  const today = local.toPlainDate()
  const asked: string[] = []
  const errors: unknown[] = []
  for (const { model: name } of await gatesToAsk(pool, today.toString())) {
    const model = project.models[name]
    if (model === undefined) continue
    await withTriedLock(pool, ['nightshift.gate', name], async (mine) => {
      // Another scheduler may have asked meanwhile.
      const due = (await gatesToAsk(pool, today.toString())).find((each) => each.model === name)
      const gate = mine && due !== undefined ? await ask(model, due.version) : undefined
      if (due === undefined || gate === undefined) return
      await follow(ledger, model, { ...gate, version: due.version }, today)
      asked.push(name)
    }).catch((error: unknown) => errors.push(error))
  }
  // One model's failure stops no other.
  if (errors.length > 0) throw errors[0]
  return asked
}

async function follow(
  ledger: ProjectLedger,
  model: Model,
  gate: Gate & { version: number },
  today: Temporal.PlainDate,
): Promise<void> {
  const { project, database } = ledger
  const { version } = gate
  await transaction(database, async (client) => {
    const [before] = await dailyGates(client, model.name, 1)
    const standing = before?.version === version ? before.gate : await atPromotion(ledger, model, version)
    await recordDailyGate(client, today.toString(), gate)
    const lost = lostSince(gate, standing)
    const ending = endingWaivers(gate, today, before)
    if (lost.length + ending.length === 0) return
    await mailOwners(client, project, model, gateLetter({ model: model.name, version, lost, ending }))
  })
}

/** What the gate said when the version went live last. */
async function atPromotion(
  { database }: ProjectLedger,
  model: Model,
  version: number,
): Promise<RecordedGate | undefined> {
  const changes = await championChanges(database.pool, model.name)
  const last = changes.findLast((change) => change.event === 'promoted' && change.version === version)
  return last === undefined ? undefined : recordedGate(last.evidence)
}

function lostSince({ items }: Gate, before: RecordedGate | undefined) {
  return items.filter(({ id, status }) => {
    const was = before?.items.find((each) => each.id === id)?.status
    return status === 'fail' && was !== undefined && was !== 'fail'
  })
}

/** Waivers in their last week, unless an earlier day has found them so. */
function endingWaivers({ items }: Gate, today: Temporal.PlainDate, before: DailyGate | undefined) {
  return items.flatMap(({ title, status, waiver }) => {
    if (status !== 'waived' || waiver === null) return []
    const from = Temporal.PlainDate.from(waiver.until).subtract({ days: WARNED_DAYS })
    const near = Temporal.PlainDate.compare(today, from) >= 0
    const known =
      before !== undefined &&
      before.day >= from.toString() &&
      Date.parse(waiver.at) <= Date.parse(before.gate.at)
    return near && !known ? [{ title, until: waiver.until, by: waiver.by, reason: waiver.reason }] : []
  })
}
