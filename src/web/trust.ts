import { clockTime, localTimes, span } from '../alerts/time.ts'
import type { BriefRun, Latest } from '../jobs/latest.ts'
import type { Slot } from '../jobs/slots.ts'
import type { LatestOutcome, NightEvidence } from '../registry/evidence.ts'
import { figure, hourAndMinute } from './moment.ts'
import { type Face, faceOf } from './state.ts'

/** What is known of a model's newest night, when somebody asks whether its scores can be trusted. */
export interface TrustFacts {
  now: Date
  timezone: string
  latest: Pick<Latest, 'last' | 'published' | 'next'>
  /** The slot of the features that the night is made of, and its newest run. */
  features: { slot: Slot; run: BriefRun | undefined } | undefined
  /** The newest run of that night, and the one whose scores readers have. */
  run: BriefRun | undefined
  published: BriefRun | undefined
  evidence: NightEvidence | undefined
  parity: { differing: number | null; values: number | null; late: number | null } | undefined
  outcome: LatestOutcome | undefined
  /** Kinds of the open incidents of the model and its view. */
  open: { id: number; kind: string }[]
}

export interface Reason {
  face: Face
  text: string
}

export interface Trust {
  answer: 'yes' | 'no' | 'not yet'
  face: Face
  /** Of which night. */
  partition: string | undefined
  reasons: Reason[]
}

/** Can last night be trusted? One answer, and what it rests on, the worst first. */
export function trust(facts: TrustFacts): Trust {
  const { last } = facts.latest
  if (last === undefined) {
    const text = 'No night has been due yet.'
    return {
      answer: 'not yet',
      face: 'expected',
      partition: undefined,
      reasons: [{ face: 'expected', text }],
    }
  }
  if (last.state !== 'published') return untold(facts, last)
  const reasons = [
    punctual(facts, last),
    ...byHand(facts.published),
    drift(facts),
    ...parity(facts),
    ...outcome(facts),
  ]
  const bad = reasons.some(({ face }) => face === 'failed')
  return {
    answer: bad ? 'no' : 'yes',
    face: bad ? 'failed' : 'published',
    partition: last.partition,
    reasons: [
      ...reasons.filter(({ face }) => face === 'failed'),
      ...reasons.filter(({ face }) => face !== 'failed'),
    ],
  }
}

const PENDING: Face[] = ['expected', 'waiting', 'running']
const FATES: Partial<Record<Face, string>> = {
  failed: 'not computed',
  held: 'held back until somebody decides',
  skipped: 'given up',
}

/** A night that readers do not have. */
function untold(facts: TrustFacts, last: Slot): Trust {
  const { now, timezone, features } = facts
  const own = faceOf(last, now)
  // A night that waits for features which will not come by themselves is as they are.
  const behind = features === undefined ? own : faceOf(features.slot, now)
  const waits = PENDING.includes(own) || own === 'late'
  const blocked = waits && (behind === 'failed' || behind === 'held' || behind === 'skipped')
  const face = blocked ? behind : own
  const promised = last.deadline === null ? '' : `, promised by ${hourAndMinute(last.deadline, timezone)}`
  const what: Record<Face, string> = {
    failed: `The night failed: ${facts.run?.failure?.message ?? last.reason ?? 'see its page'}`,
    held: `Held back until somebody decides: ${facts.run?.failed_checks[0] ?? facts.run?.failure?.message ?? last.reason ?? 'see its page'}`,
    late: `Late${promised}: ${last.waits_for ?? last.reason ?? `it is ${last.state}`}`,
    running: `It is being computed${promised}.`,
    waiting: `It waits${promised}: ${last.waits_for ?? last.reason ?? 'for a free worker'}`,
    expected: `It has not begun${promised}${last.waits_for === null ? '.' : `: it waits for ${last.waits_for}`}`,
    skipped: `It was given up: ${last.reason ?? 'nobody said why'}`,
    published: '',
    tardy: '',
  }
  const why = features?.run?.failed_checks[0] ?? features?.run?.failure?.message ?? features?.slot.reason
  const text = blocked ? `Its features were ${FATES[behind]}: ${why ?? 'see their page'}` : what[face]
  const reasons: Reason[] = [{ face, text: localTimes(text, timezone) }]
  const { published } = facts.latest
  if (last.published_run !== null) {
    reasons.push({ face: 'tardy', text: 'Readers keep what was published for this night before.' })
  } else if (published === undefined) reasons.push({ face: 'expected', text: 'Readers have no scores yet.' })
  else {
    const age =
      published.published_at === null
        ? ''
        : `, ${span(now.getTime() - Date.parse(published.published_at))} old`
    reasons.push({ face: 'tardy', text: `Readers keep the scores of ${published.partition}${age}.` })
  }
  return { answer: PENDING.includes(face) ? 'not yet' : 'no', face, partition: last.partition, reasons }
}

function punctual({ timezone }: TrustFacts, { published_at: at, deadline }: Slot): Reason {
  if (at === null) return { face: 'published', text: 'Published.' }
  const when = clockTime(at, timezone)
  if (deadline === null) return { face: 'published', text: `Published ${when}.` }
  const after = Date.parse(at) - Date.parse(deadline)
  const promised = hourAndMinute(deadline, timezone)
  return after > 0
    ? { face: 'tardy', text: `Published ${when}, ${span(after)} after the promised ${promised}.` }
    : { face: 'published', text: `Published ${when}, on time (promised by ${promised}).` }
}

function byHand(run: BriefRun | undefined): Reason[] {
  if (run?.trigger !== 'release') return []
  const text = `Released by ${run.requested_by ?? 'somebody'}: ${run.reason ?? 'no reason given'}`
  return [{ face: 'tardy', text }]
}

function drift({ evidence }: TrustFacts): Reason {
  const profile = evidence?.profile ?? null
  if (evidence === undefined || profile === null) {
    return { face: 'expected', text: 'Not compared with what the model was trained on, so far.' }
  }
  const told = (moved: NightEvidence['moved']) =>
    moved
      .slice(0, 3)
      .map(({ column, value, threshold }) => `${column} (${figure(value)}, allowed ${figure(threshold)})`)
      .join(', ') + (moved.length > 3 ? ` and ${moved.length - 3} more` : '')
  const alerting = evidence.moved.filter((each) => each.alerting)
  if (alerting.length > 0)
    return { face: 'failed', text: `Its input no longer looks like before: ${told(alerting)}.` }
  if (evidence.moved.length > 0) {
    return { face: 'tardy', text: `One odd night, not a trend: ${told(evidence.moved)} moved.` }
  }
  if (profile.columns === 0)
    return { face: 'expected', text: profile.note ?? 'There is nothing to compare it with.' }
  return { face: 'published', text: `No drift: it looks like the ${profile.reference ?? 'baseline'}.` }
}

function parity({ parity: found, open }: TrustFacts): Reason[] {
  if (open.some(({ kind }) => kind === 'parity') || (found?.differing ?? 0) > 0) {
    return [{ face: 'failed', text: 'Training computes other values than were served.' }]
  }
  if (found === undefined) return []
  if (found.differing === null)
    return [{ face: 'expected', text: 'Serving could not be compared with training.' }]
  const late = (found.late ?? 0) > 0 ? ' (rows came late since)' : ''
  return [{ face: 'published', text: `Served as trained: ${figure(found.values)} values agree${late}.` }]
}

function outcome({ outcome: found, open, timezone }: TrustFacts): Reason[] {
  if (open.some(({ kind }) => kind === 'quality')) {
    return [{ face: 'failed', text: 'Measured against what came true, the scores are worse than required.' }]
  }
  const next = found?.next_matures_at ?? null
  const matures = next === null ? '' : `; the next night is known ${clockTime(next, timezone).slice(0, 10)}`
  const measured = found?.measured ?? null
  if (measured === null) {
    return next === null ? [] : [{ face: 'expected', text: `What came true is not known yet${matures}.` }]
  }
  const { metrics, intervals, treated } = measured.report
  const name = metrics.auc === undefined ? 'rmse' : 'auc'
  const interval = intervals[name]
  const range =
    interval === undefined || interval.low === null
      ? ''
      : ` (${figure(interval.low)} to ${figure(interval.high)})`
  const biased = treated.biased ? ', coloured by the campaign' : ''
  const value = metrics[name]
  if (value === null || value === undefined) return []
  return [
    {
      face: 'published',
      text: `${name.toUpperCase()} ${figure(value)}${range} on the night of ${measured.partition}${biased}${matures}.`,
    },
  ]
}
