import type { Incident } from '../alerts/incidents/incident-record.ts'
import { clockTime, hourAndMinute, localDay, localTimes } from '../format/clock-time.ts'
import { age } from '../format/elapsed.ts'
import { bracketed, count, figure } from '../format/numbers.ts'
import { percent } from '../format/shares.ts'
import { type Face, faceOf } from '../ledger/nights/faces.ts'
import type { BriefRun, Latest } from '../ledger/nights/latest.ts'
import { released } from '../ledger/nights/released.ts'
import type { Slot } from '../ledger/nights/slots.ts'
import { HANDFUL, isFewOnRecord } from '../pipeline/evaluation/few.ts'
import { isMostlyUnlabelled, unlabelledText } from '../pipeline/outcomes/unlabelled.ts'
import type { Model } from '../project/project.ts'
import type { LatestOutcome, MeasuredReport, NightEvidence } from './evidence.ts'
import { unmeasured } from './outcomes/unmeasured-words.ts'
import { boundOf, keeps } from './required-bound.ts'

/** What is known about a model's newest night when a user asks whether its scores can be trusted. */
export interface TrustFacts {
  now: Date
  timezone: string
  latest: Pick<Latest, 'last' | 'published' | 'next'>
  /** The slot of the features that the night uses, and its newest run. */
  features: { slot: Slot; run: BriefRun | undefined } | undefined
  /** The newest run of that night, and the run whose scores are published. */
  run: BriefRun | undefined
  published: BriefRun | undefined
  evidence: NightEvidence | undefined
  parity: { differing: number | null; values: number | null; late: number | null } | undefined
  outcome: LatestOutcome | undefined
  /** The required bounds of figures in model.yaml. */
  limits: Pick<Model, 'retrain' | 'evaluation'> | undefined
  /** The open incidents of the model and its view. */
  open: (Pick<Incident, 'id' | 'kind'> & { facts?: Pick<Incident['facts'], 'quality'> })[]
}

export interface Reason {
  /** `doubt`: nothing is wrong yet, but someone should check. */
  face: Face | 'doubt'
  text: string
}

export interface Trust {
  /** `unknown`: the night was checked, but there was too little data to compare. */
  answer: 'yes' | 'no' | 'not yet' | 'unknown'
  face: Face
  /** The night that the answer is about. */
  partition: string | undefined
  reasons: Reason[]
}

/** Can last night be trusted? One answer and its reasons, the worst first. */
export function trust(facts: TrustFacts): Trust {
  const { last } = facts.latest
  if (last === undefined) {
    const text = 'No night was due yet.'
    return {
      answer: 'not yet',
      face: 'expected',
      partition: undefined,
      reasons: [{ face: 'expected', text }],
    }
  }
  if (last.state !== 'published') return unpublished(facts, last)
  const reasons = [
    punctual(facts, last),
    ...byHand(facts.published),
    drift(facts),
    ...openDrift(facts),
    ...parity(facts),
    ...outcome(facts),
  ]
  const bad = reasons.some(({ face }) => face === 'failed')
  return {
    ...(bad
      ? ({ answer: 'no', face: 'failed' } as const)
      : isUncompared(facts)
        ? ({ answer: 'unknown', face: 'expected' } as const)
        : ({ answer: 'yes', face: 'published' } as const)),
    partition: last.partition,
    reasons: reasons.toSorted((a, b) => weight(a) - weight(b)),
  }
}

function weight({ face }: Reason): number {
  return face === 'failed' ? 0 : face === 'doubt' ? 1 : 2
}

/** The night was checked, but none of its columns could be compared. */
function isUncompared({ evidence }: TrustFacts): boolean {
  return evidence?.profile?.compared === 0 && evidence.moved.length === 0
}

const PENDING: Face[] = ['expected', 'waiting', 'running']
const FATES: Partial<Record<Face, string>> = {
  failed: 'not computed',
  held: 'held until someone decides',
  skipped: 'given up',
}

/** A night that is not published. */
function unpublished(facts: TrustFacts, last: Slot): Trust {
  const { now, timezone, features } = facts
  const own = faceOf(last, now)
  // A night that waits for features which will not arrive by themselves has their status.
  const behind = features === undefined ? own : faceOf(features.slot, now)
  const waits = PENDING.includes(own) || own === 'late'
  const blocked = waits && (behind === 'failed' || behind === 'held' || behind === 'skipped')
  const face = blocked ? behind : own
  const promised = last.deadline === null ? '' : `, promised by ${hourAndMinute(last.deadline, timezone)}`
  const what: Record<Face, string> = {
    failed: `The night failed: ${facts.run?.failure?.message ?? last.reason ?? 'see its page'}`,
    held: `Held until someone decides: ${facts.run?.failed_checks[0] ?? facts.run?.failure?.message ?? last.reason ?? 'see its page'}`,
    late: `Late${promised}: ${last.waits_for ?? last.reason ?? `it is ${last.state}`}`,
    running: `It is being computed${promised}.`,
    waiting: `It waits${promised}: ${last.waits_for ?? last.reason ?? 'for a free worker'}`,
    expected: `It has not started${promised}${last.waits_for === null ? '.' : `: it waits for ${last.waits_for}`}`,
    skipped: `It was given up: ${last.reason ?? 'no reason was given'}`,
    published: '',
    tardy: '',
  }
  const why = features?.run?.failed_checks[0] ?? features?.run?.failure?.message ?? features?.slot.reason
  const text = blocked ? `Its features were ${FATES[behind]}: ${why ?? 'see their page'}` : what[face]
  const reasons: Reason[] = [{ face, text: localTimes(text, timezone) }]
  const { published } = facts.latest
  if (last.published_run !== null) {
    reasons.push({ face: 'tardy', text: 'Readers keep the earlier output of this night.' })
  } else if (published === undefined) reasons.push({ face: 'expected', text: 'Readers have no scores yet.' })
  else {
    const old =
      published.published_at === null
        ? ''
        : `, ${age(now.getTime() - Date.parse(published.published_at))} old`
    reasons.push({ face: 'tardy', text: `Readers keep the scores of ${published.partition}${old}.` })
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
    ? { face: 'tardy', text: `Published ${when}, ${age(after)} after the promised ${promised}.` }
    : { face: 'published', text: `Published ${when}, on time (promised by ${promised}).` }
}

function byHand(run: BriefRun | undefined): Reason[] {
  const by = released(run)
  return by === undefined ? [] : [{ face: 'tardy', text: `Its scores were ${by}` }]
}

function drift({ evidence }: TrustFacts): Reason {
  const profile = evidence?.profile ?? null
  if (evidence === undefined || profile === null) {
    return { face: 'expected', text: 'Not compared with the training data yet.' }
  }
  const listed = (moved: NightEvidence['moved']) =>
    moved
      .slice(0, 3)
      .map(({ column, value, threshold }) => `${column} (${figure(value)}, allowed ${figure(threshold)})`)
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
  const late = (found.late ?? 0) > 0 ? ' (rows arrived late since)' : ''
  return [{ face: 'published', text: `Served as trained: ${figure(found.values)} values agree${late}.` }]
}

function outcome(facts: TrustFacts): Reason[] {
  const { outcome: found, open } = facts
  const worse = open.find(({ kind }) => kind === 'quality')
  if (worse !== undefined) return [poor(worse, facts)]
  const measured = found?.measured ?? null
  const next = nextOutcome(facts)
  if (measured !== null) {
    const { partition, report } = measured
    const reasons = [
      ...(report.treated.biased ? influenced(report, partition) : judged(report, partition, facts)),
      ...mostUnlabelled(report, partition),
    ]
    return next === undefined ? reasons : [...reasons, { face: 'expected', text: `${next}.` }]
  }
  return next === undefined
    ? []
    : [{ face: 'expected', text: `Realized outcomes are not known yet. ${next}.` }]
}

/** The scores are worse than required. What an earlier version did says nothing for sure of the one that scored the night. */
function poor({ id, facts }: TrustFacts['open'][number], { published }: TrustFacts): Reason {
  const version = facts?.quality?.version
  const scored = published?.version ?? null
  return version === undefined || scored === null || version === scored
    ? { face: 'failed', text: 'Measured against realized outcomes, the scores are worse than required.' }
    : {
        face: 'doubt',
        text: `The scores of version ${version} were worse than required (incident #${id}); those of version ${scored} have not been measured as better yet.`,
      }
}

/** When the outcome of the next night is known, or why it is not although it is due. */
function nextOutcome({ outcome: found, now, timezone }: TrustFacts): string | undefined {
  const next = found?.next ?? null
  if (next === null) return undefined
  const why = unmeasured({ ...next, model: found?.model ?? '' }, now, timezone)
  return why === undefined
    ? `The outcome of ${next.partition} will be known on ${localDay(next.matures_at, timezone)}`
    : `The outcome of ${next.partition} is not measured yet: ${why}`
}

/** Figures of a night influenced by its own campaign are no evidence for or against the model. */
function influenced(report: MeasuredReport, partition: string): Reason[] {
  const text = `${figureOf(report) ?? 'Measured'} on the night of ${partition}, influenced by the campaign: customers who were contacted may have behaved differently than predicted.`
  return [{ face: 'expected', text }]
}

/** `published` only if a bound is set and met; `doubt` if the figures give reason for it. */
function judged(report: MeasuredReport, partition: string, { limits }: TrustFacts): Reason[] {
  const measured = figureOf(report)
  if (measured === undefined) {
    return [
      { face: 'expected', text: `Nothing could be measured for ${partition}: ${labelled(report.rows)}.` },
    ]
  }
  const name = nameOf(report)
  const value = report.metrics[name] ?? 0
  const bound = limits && boundOf(limits, name)
  const met = bound && keeps(value, bound)
  const required =
    bound === undefined ? 'no bound is set to judge it' : `${bound.side} ${figure(bound.value)} is required`
  if (isFewOnRecord(report)) {
    const { rows, positives } = report
    const came = positives === null ? '' : `, ${count(positives)} of them positive`
    const text = `${measured} on the night of ${partition}, on ${rows === 1 ? 'one row' : `${count(rows)} rows`}${came}: too few to judge it.`
    return [{ face: 'expected', text }, ...astray(report, partition)]
  }
  const guessing = guess(report)
  const doubted = guessing !== undefined || met === false
  return [
    {
      face: doubted ? 'doubt' : met === true && !isMostlyUnlabelled(report) ? 'published' : 'expected',
      text: `${measured} on the night of ${partition}; ${required}.${guessing === undefined ? '' : ` ${guessing}`}`,
    },
    ...astray(report, partition),
  ]
}

/** Figures of a few rows say little about all rows, and missing labels may still arrive. */
function mostUnlabelled(report: MeasuredReport, partition: string): Reason[] {
  if (!isMostlyUnlabelled(report)) return []
  const text = `${unlabelledText(report, count)} on the night of ${partition}: their outcome is not known.`
  return [{ face: 'doubt', text }]
}

function labelled(rows: number): string {
  return rows === 1 ? 'one row has a label' : `${count(rows)} rows have a label`
}

function nameOf({ metrics }: MeasuredReport): 'auc' | 'rmse' {
  return metrics.auc === undefined ? 'rmse' : 'auc'
}

/** `AUC 0.77 (0.74 to 0.8)`; undefined if it could not be computed. */
function figureOf(report: MeasuredReport): string | undefined {
  const name = nameOf(report)
  const value = report.metrics[name]
  if (value == null) return undefined
  return `${name.toUpperCase()} ${figure(value)}${isFewOnRecord(report) ? '' : bracketed(report.intervals[name])}`
}

/** Guessing gives an AUC of 0.5. */
function guess({ metrics, intervals }: MeasuredReport): string | undefined {
  if (metrics.auc == null) return undefined
  const { low, high } = intervals.auc ?? {}
  if ((high ?? metrics.auc) < 0.5) return 'That is worse than guessing.'
  return (low ?? metrics.auc) <= 0.5 ? 'That may be no better than guessing, which gives 0.5.' : undefined
}

/** The prediction lies outside the confidence interval of the realized value. Not reported for a handful of rows. */
function astray({ kind, rows, realized, predicted }: MeasuredReport, partition: string): Reason[] {
  if (rows < HANDFUL) return []
  if (realized?.value == null || realized.low === null || realized.high === null || predicted === null)
    return []
  if (predicted >= realized.low && predicted <= realized.high) return []
  const show = kind === 'regression' ? figure : percent
  return [
    {
      face: 'doubt',
      text: `${show(realized.value)} was realized on the night of ${partition} (${show(realized.low)} to ${show(realized.high)}), ${show(predicted)} was predicted.`,
    },
  ]
}
