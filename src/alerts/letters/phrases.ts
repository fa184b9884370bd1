import { clockTime, localTimes } from '../../format/clock-time.ts'
import { age } from '../../format/elapsed.ts'
import { oneLine, wholeClauses } from '../../format/one-line.ts'
import type { FailureFacts, IncidentKind } from '../incidents/incident-facts.ts'
import { badNights, type Incident, type Night } from '../incidents/incident-record.ts'

/** What the class alone says about the cause. */
export const KIND_MEANS: Record<IncidentKind, string> = {
  'late-data': 'The data of the night was not there when the time to wait for it was over.',
  contract:
    'Data, schema or SQL break what was promised, so nothing was published; it is not tried again by itself.',
  model: 'The model file or its output is wrong; it is not tried again by itself.',
  resource: 'Memory, disk or time ran out, or a permission is missing.',
  transient: 'A connection, a lock or a process was lost, again and again.',
  bug: 'Nothing that Nightshift knows: an error in a program.',
  deadline: 'Nothing was published by the time that was promised to readers.',
  drift: 'What goes in or comes out no longer looks like the baseline.',
  quality: 'Measured against what came true, the scores are worse than required.',
  parity: 'The training path computes other values than were served.',
  unchecked: 'The night is published, and a check that follows each night could not be done.',
  retrain: 'The retraining command did not end well; the champion stays.',
}

/** The same of an incident that is closed, where the present would say that it goes on. */
const KIND_MEANT: Partial<Record<IncidentKind, string>> = {
  contract: 'Data, schema or SQL broke what was promised, so nothing was published.',
  model: 'The model file or its output was wrong.',
  drift: 'What went in or came out no longer looked like the baseline.',
  quality: 'Measured against what came true, the scores were worse than required.',
  parity: 'The training path computed other values than were served.',
  retrain: 'The retraining command did not end well; the champion stayed.',
}

const UNCHECKED: Record<string, string> = {
  parity: 'The comparison of serving with training',
  drift: 'The drift check',
}

/** What its kind says about the cause of an incident. */
export function meaning({ kind, closedAt }: Pick<Incident, 'kind' | 'closedAt'>): string {
  return (closedAt === undefined ? undefined : KIND_MEANT[kind]) ?? KIND_MEANS[kind]
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

/** One sentence: what is wrong, or was while it was open, for whom it matters. */
export function headline(incident: Pick<Incident, 'facts' | 'nights' | 'kind' | 'closedAt'>): string {
  const { facts, kind } = incident
  const closed = incident.closedAt !== undefined
  const bad = badNights(incident.nights)
  const nights = nightsText(bad.length > 0 ? bad : incident.nights)
  const forNights = nights === '' ? '' : ` for ${nights}`
  const what = `${product(facts)} of ${facts.subject}`
  switch (kind) {
    case 'drift':
      return closed
        ? `${facts.subject} drifted${forNights}${movedNames(facts)}.`
        : `${facts.subject} drifts${forNights}${movedNames(facts)}: look before you trust its scores.`
    case 'quality':
      return `${facts.subject} ${closed ? 'was' : 'is'} worse than required${forNights}.`
    case 'parity':
      return `Serving and training of ${facts.subject} ${closed ? 'disagreed' : 'disagree'}${forNights}.`
    case 'unchecked':
      return `${UNCHECKED[String(facts.failure.evidence.monitor)] ?? 'A check'} of ${facts.subject}${forNights} could not be done.`
    case 'retrain':
      return `Retraining of ${facts.subject} failed.`
    case 'deadline': {
      const when = facts.deadline === undefined ? '' : `, ${clockTime(facts.deadline, facts.timezone)}`
      return `No ${what}${forNights} by the deadline${when}.`
    }
    case 'late-data':
    case 'contract':
    case 'model':
    case 'resource':
    case 'transient':
    case 'bug':
      return facts.state === 'held'
        ? `New ${what}${forNights} ${closed ? 'were' : 'are'} held back (${kind}).`
        : `No ${what}${forNights} (${kind}).`
  }
}

/** ` in monthly_price, plan and 2 more`. */
function movedNames({ drift }: FailureFacts): string {
  const names = drift?.moved.map(({ column }) => column) ?? []
  if (names.length === 0) return ''
  return names.length <= 3
    ? ` in ${names.join(', ')}`
    : ` in ${names.slice(0, 2).join(', ')} and ${names.length - 2} more`
}

/** What readers have now. */
export function standing(facts: FailureFacts, now: Date): string {
  if (facts.state === 'published') {
    return facts.partition === undefined
      ? 'What is published stays as it is.'
      : `The ${product(facts)} of ${facts.partition} are published; readers have them.`
  }
  const { lastGood } = facts
  if (lastGood === undefined) return `Nothing was published before: readers have no ${product(facts)}.`
  const same = lastGood.partition === facts.partition ? 'the earlier output of ' : ''
  return `Readers keep ${same}${lastGood.partition}, published ${age(now.getTime() - new Date(lastGood.publishedAt).getTime())} ago.`
}

const LONGEST_CAUSE = 180

/** The message on one line, short enough for a preview. Of drift, whose sections follow, what has room as a whole. */
export function causeLine({ failure, timezone }: FailureFacts): string {
  if (failure.class === 'drift') return wholeClauses(localTimes(failure.message, timezone), LONGEST_CAUSE)
  return oneLine(localTimes(oneLine(failure.message, 400), timezone), LONGEST_CAUSE)
}
