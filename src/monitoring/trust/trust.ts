import { kindOf } from '../../failures/incident-kinds.ts'
import { clockTime, hourAndMinute } from '../../format/clock-time.ts'
import { age } from '../../format/elapsed.ts'
import { count } from '../../format/numbers.ts'
import type { Face } from '../../ledger/nights/faces.ts'
import { released } from '../../ledger/nights/released.ts'
import type { Slot } from '../../ledger/nights/slots.ts'
import type { NightEvidence } from '../evidence.ts'
import { type MissingNight, missingNight } from './missing-night.ts'
import { outcomeReasons } from './outcome-reasons.ts'
import type { OpenIncident, Reason, TrustFacts } from './trust-facts.ts'

/** The answers, worst first. */
export const ANSWERS = ['no', 'check', 'unknown', 'not yet', 'yes'] as const
export type Answer = (typeof ANSWERS)[number]

/**
 * May readers use the list that they have?
 * `check`: an incident is open about it, its version was taken back, or a newer list should have been there.
 * `unknown`: it was checked, but there was too little data to compare. `not yet`: there is no list so far.
 */
export interface Trust {
  answer: Answer
  face: Face | 'doubt'
  /** About the list that readers have, the worst first. */
  reasons: Reason[]
  /** The reasons that decided the answer, as one text; empty for a yes. */
  why: string
  /** The newest night, if readers do not have it. */
  missing: MissingNight | undefined
}

/** The answer about the list that readers have, its reasons, and what is missing. */
export function trust(facts: TrustFacts): Trust {
  const { last, published: list } = facts.latest
  const missing = missingNight(facts)
  if (list === undefined) {
    const text = last === undefined ? 'No night was due yet.' : 'Readers have no scores yet.'
    const face = missing?.face ?? 'expected'
    const answer = missing === undefined || missing.isPending ? 'not yet' : 'no'
    return { answer, face, reasons: [{ face: 'expected', text }], why: missing?.text ?? text, missing }
  }
  const against = facts.open.filter((incident) => isAgainst(incident, list))
  const replaced = version(facts)
  // That nothing could be compared is the reason of an `unknown`: it comes first.
  const [compared, uncompared] = isUncompared(facts) ? [[], [drift(facts)]] : [[drift(facts)], []]
  const outcomes = outcomeReasons(facts)
  const reasons = [
    ...uncompared,
    punctual(facts, list),
    ...byHand(facts),
    ...replaced,
    ...compared,
    ...openDrift(facts),
    ...parity(facts),
    ...outcomes,
    ...others(against),
  ]
  const bad = reasons.filter(({ face }) => face === 'failed')
  const isOverdue = missing !== undefined && !missing.isPending
  const doubts = replaced.some(({ face }) => face === 'doubt') || against.length > 0 || isOverdue
  const doubted = [
    ...replaced,
    ...openDrift(facts),
    ...(against.some(({ kind }) => kind === 'quality') ? outcomes : []),
    ...others(against),
  ].filter(({ face }) => face === 'doubt')
  const decided = (texts: string[]) => texts.join(' ')
  return {
    ...(bad.length > 0
      ? ({ answer: 'no', face: 'failed', why: decided(bad.map(({ text }) => text)) } as const)
      : doubts
        ? ({
            answer: 'check',
            face: 'doubt',
            why: decided([...doubted.map(({ text }) => text), ...(isOverdue ? [missing.text] : [])]),
          } as const)
        : isUncompared(facts)
          ? ({
              answer: 'unknown',
              face: 'expected',
              why: decided(uncompared.map(({ text }) => text)),
            } as const)
          : ({ answer: 'yes', face: 'published', why: '' } as const)),
    reasons: (against.length > 0 ? reasons.map(unpraised) : reasons).toSorted(
      (a, b) => weight(a) - weight(b),
    ),
    missing,
  }
}

/** No green check stands beside a list with an open incident. */
function unpraised({ face, text }: Reason): Reason {
  return { face: face === 'published' || face === 'tardy' ? 'expected' : face, text }
}

function weight({ face }: Reason): number {
  return face === 'failed' ? 0 : face === 'doubt' ? 1 : 2
}

/** The list was checked, but none of its columns could be compared. */
function isUncompared({ evidence }: TrustFacts): boolean {
  return evidence?.profile?.compared === 0 && evidence.moved.length === 0
}

/** An incident about scores of any night concerns this list too; a failure only concerns its own nights. */
function isAgainst({ kind, bad }: OpenIncident, { partition }: Slot): boolean {
  return hasReason(kind) || bad.includes(partition)
}

/** Reasons of their own speak of these incidents. */
function hasReason(kind: OpenIncident['kind']): boolean {
  return kind === 'drift' || kind === 'parity' || kind === 'quality'
}

function others(against: OpenIncident[]): Reason[] {
  return against
    .filter(({ kind }) => !hasReason(kind))
    .map(({ id, kind }) => ({
      face: 'doubt',
      text: `Incident #${id} about this night is open: ${kindOf(kind).name}.`,
    }))
}

/** The list of a version that was taken back should not be used unseen. A promotion takes effect with the next list. */
function version({ published, champion }: TrustFacts): Reason[] {
  const scored = published?.version ?? null
  if (scored === null || scored === champion) return []
  if (champion === undefined) {
    return [{ face: 'doubt', text: `Version ${scored}, which computed it, is no longer live.` }]
  }
  return champion < scored
    ? [
        {
          face: 'doubt',
          text: `Version ${scored}, which computed it, was replaced by the earlier version ${champion}.`,
        },
      ]
    : [{ face: 'expected', text: `Version ${champion} is live now and computes the next list.` }]
}

function punctual({ timezone }: TrustFacts, { published_at: at, deadline }: Slot): Reason {
  if (at === null) return { face: 'published', text: 'Published.' }
  const when = clockTime(at, timezone)
  if (deadline === null) return { face: 'published', text: `Published ${when}.` }
  const after = Date.parse(at) - Date.parse(deadline)
  const promised = hourAndMinute(deadline, timezone)
  return after > 0
    ? { face: 'tardy', text: `Published ${when}, ${age(after)} after the promised ${promised}.` }
    : { face: 'published', text: `Published ${when}, on time (promised by ${promised}).` }
}

/** Who released the scores, or the features that they were computed from, although an expectation failed. */
function byHand({ published, features }: TrustFacts): Reason[] {
  const used = features?.run?.id === published?.features_run ? released(features?.run) : undefined
  const own = released(published)
  return [
    ...(own === undefined ? [] : [`Its scores were ${own}`]),
    ...(used === undefined ? [] : [`Its features were ${used}`]),
  ].map((text) => ({ face: 'tardy', text }))
}

function drift({ evidence }: TrustFacts): Reason {
  const profile = evidence?.profile ?? null
  if (evidence === undefined || profile === null) {
    return { face: 'expected', text: 'Not compared with the training data yet.' }
  }
  const listed = (moved: NightEvidence['moved']) =>
    moved
      .slice(0, 3)
      .map(({ column, how }) => `${column} (${how})`)
      .join(', ') + (moved.length > 3 ? ` and ${moved.length - 3} more` : '')
  const alerting = evidence.moved.filter((each) => each.alerting)
  if (alerting.length > 0) return { face: 'failed', text: `Its input has drifted: ${listed(alerting)}.` }
  if (evidence.moved.length > 0) {
    return { face: 'doubt', text: `One unusual night, not a trend: ${listed(evidence.moved)} moved.` }
  }
  const { rows, columns, compared, why, note } = profile
  if (compared === 0) {
    const reason = rows === 0 ? 'the night has no rows' : (why ?? note ?? 'there is no reference')
    return { face: 'expected', text: `Not compared: ${reason}.` }
  }
  const like = profile.reference ?? 'baseline'
  if (compared === columns) return { face: 'published', text: `No drift: it matches the ${like}.` }
  return {
    face: 'published',
    text: `No drift in the ${compared} of ${columns} columns that could be compared with the ${like}; the others: ${why ?? 'reason unknown'}.`,
  }
}

/** An incident remains open during a quiet night and during one that cannot be judged. */
function openDrift({ open, evidence }: TrustFacts): Reason[] {
  const incident = open.find(({ kind }) => kind === 'drift')
  if (incident === undefined || evidence?.moved.some(({ alerting }) => alerting)) return []
  const text = `The drift of earlier nights is still open (incident #${incident.id}).`
  return [{ face: 'doubt', text }]
}

function parity({ parity: found, open }: TrustFacts): Reason[] {
  if (open.some(({ kind }) => kind === 'parity') || (found?.differing ?? 0) > 0) {
    return [{ face: 'failed', text: 'Training computes values that differ from those served.' }]
  }
  if (found === undefined) return []
  if (found.differing === null)
    return [{ face: 'expected', text: 'Serving could not be compared with training.' }]
  const values = found.values ?? 0
  const late = found.late ?? 0
  return late === 0
    ? [{ face: 'published', text: `Served as trained: ${count(values)} values agree.` }]
    : [
        {
          face: 'expected',
          text: `Served as trained, but for ${count(late)} of ${count(values)} values whose source rows have arrived or gone since: computed now, the list would be another.`,
        },
      ]
}
