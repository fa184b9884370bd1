import { sortAddresses } from '../alerts/delivery/address.ts'
import { alertSettings } from '../alerts/delivery/alert-settings.ts'
import { enqueue } from '../alerts/delivery/enqueue-mail.ts'
import type { Letter } from '../alerts/letters/letter.ts'
import { transaction } from '../ledger/connection/database.ts'
import { ledgerNow } from '../ledger/connection/ledger-clock.ts'
import { type DigestSpan, digestLetter } from '../monitoring/digest/digest-letter.ts'
import { lastDigest, recordDigest } from '../monitoring/digest/digest-record.ts'
import { type ModelWeek, modelWeeks } from '../monitoring/digest/model-week.ts'
import type { Project } from '../project/project.ts'
import { ticksBetween } from '../project/time/cron.ts'
import type { ProjectLedger } from './project-ledger.ts'

const DAY_MS = 86_400_000
/** A digest that nothing could send for so long is left out; the next one covers its nights. */
const LATEST_MS = DAY_MS
/** Without an earlier digest, and at most. */
const [FIRST_DAYS, LONGEST_DAYS] = [7, 31]

/** What happened to the models since the last digest, and who is told of which. */
export interface Digest {
  span: DigestSpan
  weeks: ModelWeek[]
  /** By address, of owners and readers. */
  readers: Map<string, ModelWeek[]>
}

/** Writes the digest whose tick has come, once, whoever asks. @returns how many mails */
export async function sendDueDigest({ project, database }: ProjectLedger): Promise<number> {
  const cron = project.alerts?.digest
  if (cron === undefined) return 0
  const now = (await ledgerNow(database.pool)).getTime()
  const clock = { cron, timezone: project.timezone }
  const tick = ticksBetween(clock, iso(now - LATEST_MS), iso(now)).at(-1)
  if (tick === undefined) return 0
  return transaction(database, async (client) => {
    if (!(await recordDigest(client, tick.at))) return 0
    const { span, readers } = await digestUntil({ project, database }, tick.at)
    for (const [recipient, weeks] of readers) {
      const mail = { recipient, ...digestMail(project, weeks, span) }
      await enqueue(client, new Date(now), mail, alertSettings(project))
    }
    return readers.size
  })
}

/** The nights since the last digest before `to` (ISO 8601 in UTC). */
export async function digestUntil({ project, database }: ProjectLedger, to: string): Promise<Digest> {
  const models = Object.values(project.models)
  const end = Date.parse(to)
  const before = await lastDigest(database.pool, to)
  const from = iso(Math.max(before ?? end - FIRST_DAYS * DAY_MS, end - LONGEST_DAYS * DAY_MS))
  const weeks = await modelWeeks(database.pool, models, { from, to })
  const readers = new Map<string, ModelWeek[]>()
  for (const week of weeks) {
    const { owner = '', consumers = [] } = project.models[week.model] ?? {}
    for (const address of sortAddresses([owner, ...consumers]).addresses)
      readers.set(address, [...(readers.get(address) ?? []), week])
  }
  return { span: { from, to }, weeks, readers }
}

/** Writes a digest for whoever asked for it; the next one covers the same nights. */
export async function mailDigest(
  { project, database }: ProjectLedger,
  mail: { recipient: string; subject: string; letter: Letter },
): Promise<void> {
  await transaction(database, async (client) => {
    await enqueue(client, await ledgerNow(client), mail, alertSettings(project))
  })
}

/** Subject and letter about some models. */
export function digestMail(
  { timezone, alerts }: Pick<Project, 'timezone' | 'alerts'>,
  weeks: ModelWeek[],
  span: DigestSpan,
): { subject: string; letter: Letter } {
  return digestLetter(weeks, span, { timezone, baseUrl: alerts?.base_url })
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
