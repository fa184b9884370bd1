import { kindOf } from '../../failures/incident-kinds.ts'
import { clockTime } from '../../format/clock-time.ts'
import { age } from '../../format/elapsed.ts'
import { messageText } from '../../format/message-text.ts'
import { oneLine, wholeClauses } from '../../format/one-line.ts'
import type { FailureFacts, LastGood, WaitingModel } from '../incidents/incident-facts.ts'
import { badNights, type Incident, type Night } from '../incidents/incident-record.ts'

/** The cause of an incident as far as its kind describes it. */
export function meaning({ kind, closedAt }: Pick<Incident, 'kind' | 'closedAt'>): string {
  const { means, meant } = kindOf(kind)
  return closedAt === undefined ? means : (meant ?? means)
}

export function product(facts: FailureFacts): 'scores' | 'features' {
  return facts.subjectKind === 'model' ? 'scores' : 'features'
}

/** `2026-11-22`, `2026-11-22 and 2 earlier`. */
export function nightsText(nights: Night[]): string {
  const names = nights.map((night) => night.partition).filter((name) => name !== null)
  const last = names.at(-1)
  if (last === undefined) return ''
  return names.length === 1 ? last : `${last} and ${names.length - 1} earlier`
}

/** One sentence: what is wrong (or was, if closed), and for which model or view. */
export function headline(incident: Pick<Incident, 'facts' | 'nights' | 'kind' | 'closedAt'>): string {
  const { facts, kind } = incident
  const closed = incident.closedAt !== undefined
  const bad = badNights(incident.nights)
  const nights = nightsText(bad.length > 0 ? bad : incident.nights)
  const forNights = nights === '' ? '' : ` for ${nights}`
  const what = `${product(facts)} of ${facts.subject}`
  const { headline: own } = kindOf(kind)
  const moved = movedNames(facts)
  if (own === undefined) {
    if (facts.state === 'held')
      return `New ${what}${forNights} ${closed ? 'were' : 'are'} held back (${kind}).`
    return facts.isPublished === true && bad.length <= 1
      ? `${capital(what)}${forNights} could not be computed again (${kind}).`
      : `No ${what}${forNights} (${kind}).`
  }
  return own({
    subject: facts.subject,
    what,
    forNights,
    isClosed: closed,
    inColumns: moved === '' ? '' : ` in ${moved}`,
    atDeadline: facts.deadline === undefined ? '' : `, ${clockTime(facts.deadline, facts.timezone)}`,
    monitor: facts.failure.evidence.monitor,
  })
}

/** `monthly_price, plan and 2 more`; nothing if nothing moved. */
export function movedNames({ drift }: Pick<FailureFacts, 'drift'>): string {
  const names = drift?.moved.map(({ column }) => column) ?? []
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`
}

/** What readers have now. */
export function readersHave(facts: FailureFacts, now: Date): string {
  if (facts.state === 'published') {
    return facts.partition === undefined
      ? 'The published output is unchanged.'
      : `The ${product(facts)} of ${facts.partition} are published and available to readers.`
  }
  if (facts.isPublished === true && facts.partition !== undefined)
    return `Readers keep the earlier ${product(facts)} of ${facts.partition}.`
  if (facts.waiting !== undefined && facts.waiting.length > 0) return readersOfModels(facts.waiting, now)
  const { lastGood } = facts
  if (lastGood === undefined) return `Nothing was ever published: readers have no ${product(facts)}.`
  return `Readers keep the ${product(facts)} of ${lastGood.partition}, published ${agoOf(lastGood, now)}.`
}

/** `churn and upsell are not scored. Their readers keep older scores; the oldest are of 2026-11-20 (upsell), published 2 d ago.` */
function readersOfModels(waiting: WaitingModel[], now: Date): string {
  const names = waiting.map(({ model }) => model)
  const [first, ...others] = waiting
  if (first === undefined) return ''
  if (others.length === 0)
    return `${first.model} is not scored: its readers ${first.lastGood === undefined ? 'have no scores' : `keep the scores of ${first.lastGood.partition}, published ${agoOf(first.lastGood, now)}`}.`
  const without = waiting.filter(({ lastGood }) => lastGood === undefined).map(({ model }) => model)
  const [oldest] = waiting
    .filter(({ lastGood }) => lastGood !== undefined)
    .sort((a, b) => (a.lastGood?.publishedAt ?? '').localeCompare(b.lastGood?.publishedAt ?? ''))
  const keep =
    oldest?.lastGood === undefined
      ? ''
      : ` Their readers keep older scores; the oldest are of ${oldest.lastGood.partition} (${oldest.model}), published ${agoOf(oldest.lastGood, now)}.`
  const none = without.length === 0 ? '' : ` Readers of ${listedNames(without)} have no scores.`
  return `${listedNames(names)} are not scored.${keep}${none}`
}

/** `churn, upsell and 3 more`. */
export function listedNames(names: string[]): string {
  if (names.length > 4) return `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
  const last = names.at(-1) ?? ''
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`
}

/** `2 d ago`: how long readers have had it. */
export function agoOf({ publishedAt }: LastGood, now: Date): string {
  return `${age(now.getTime() - new Date(publishedAt).getTime())} ago`
}

export function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

const LONGEST_CAUSE = 180

/** The message on one line, short enough for a preview. For drift and quality, whose sections follow, only whole clauses. */
export function causeLine({ failure, timezone }: Pick<FailureFacts, 'failure' | 'timezone'>): string {
  if (failure.class === 'drift' || failure.class === 'quality')
    return wholeClauses(messageText(failure.message, timezone), LONGEST_CAUSE)
  return oneLine(messageText(oneLine(failure.message, 400), timezone), LONGEST_CAUSE)
}
