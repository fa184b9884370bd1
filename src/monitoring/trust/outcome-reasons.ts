import { localDay } from '../../format/clock-time.ts'
import { bracketed, count, figure } from '../../format/numbers.ts'
import { percent } from '../../format/shares.ts'
import { HANDFUL, isFewOnRecord } from '../../pipeline/evaluation/few.ts'
import { isMostlyUnlabelled, unlabelledText } from '../../pipeline/outcomes/unlabelled.ts'
import type { MeasuredReport } from '../evidence.ts'
import { DUE } from '../outcomes/unmeasured-night.ts'
import { unmeasured } from '../outcomes/unmeasured-words.ts'
import { boundOf, keeps } from '../required-bound.ts'
import type { Reason, TrustFacts } from './trust-facts.ts'

/** What realized outcomes say of the scores. */
export function outcomeReasons(facts: TrustFacts): Reason[] {
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

/** When the outcome of the next night is known, or why it is not although it is due. Readers of the card need no commands. */
function nextOutcome({ outcome: found, now, timezone }: TrustFacts): string | undefined {
  const next = found?.next ?? null
  if (next === null) return undefined
  const why = unmeasured({ ...next, model: found?.model ?? '' }, now, timezone)
  return why === undefined
    ? `The outcome of ${next.partition} will be known on ${localDay(next.matures_at, timezone)}`
    : `The outcome of ${next.partition} is not measured yet: ${why.startsWith(DUE) ? DUE : why}`
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
