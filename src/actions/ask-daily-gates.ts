import { Temporal } from 'temporal-polyfill'
import { sortAddresses } from '../alerts/delivery/address.ts'
import { alertSettings } from '../alerts/delivery/alert-settings.ts'
import { enqueue } from '../alerts/delivery/enqueue-mail.ts'
import { gateLetter } from '../alerts/letters/gate-letter.ts'
import { transaction } from '../ledger/connection/database.ts'
import { ledgerNow } from '../ledger/connection/ledger-clock.ts'
import { withTriedLock } from '../ledger/connection/try-lock.ts'
import type { Model } from '../project/project.ts'
import { dailyGates, recordDailyGate } from '../readiness/daily-gates.ts'
import type { Gate } from '../readiness/gate.ts'
import { type RecordedGate, recordedGate } from '../readiness/gate-on-record.ts'
import { championChanges } from '../registry/history-records.ts'
import { liveVersions } from '../registry/version-records.ts'
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
  for (const version of await liveVersions(pool)) {
    const model = project.models[version.model]
    if (model === undefined) continue
    await withTriedLock(pool, ['nightshift.gate', model.name], async (mine) => {
      const [newest] = await dailyGates(pool, model.name, 1)
      if (!mine || newest?.day === today.toString()) return
      const gate = await ask(model, version.version)
      if (gate === undefined) return
      await follow(ledger, model, { ...gate, version: version.version }, today)
      asked.push(model.name)
    })
  }
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
    const ending = endingWaivers(gate, today, before?.day)
    if (lost.length + ending.length === 0) return
    const { subject, letter } = gateLetter({ model: model.name, version, lost, ending })
    const now = await ledgerNow(client)
    for (const recipient of sortAddresses([model.owner, ...model.on_call]).addresses)
      await enqueue(client, now, { recipient, subject, letter }, alertSettings(project))
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
function endingWaivers({ items }: Gate, today: Temporal.PlainDate, before: string | undefined) {
  return items.flatMap(({ title, status, waiver }) => {
    if (status !== 'waived' || waiver === null) return []
    const from = Temporal.PlainDate.from(waiver.until).subtract({ days: WARNED_DAYS })
    const near = Temporal.PlainDate.compare(today, from) >= 0
    const told = before !== undefined && before >= from.toString() && waiver.at.slice(0, 10) <= before
    return near && !told ? [{ title, until: waiver.until, by: waiver.by, reason: waiver.reason }] : []
  })
}
