import { clockTime } from '../../format/clock-time.ts'
import { count, figureBeside, interval } from '../../format/numbers.ts'
import { wordsOf } from '../../project/schema/metric.ts'
import type { BrokenBound, FailureFacts, QualityFacts } from '../incidents/incident-facts.ts'
import type { Item, Section } from './letter.ts'

/** Further nights are in `nightshift outcomes`. */
const MOST_NIGHTS = 8

/** Which figures are worse than required, where that is declared, night by night, and which version scored. */
export function qualitySections(facts: FailureFacts, quality: QualityFacts): Section[] {
  return [
    { title: 'What was measured', items: measuredItems(facts, quality) },
    ...quality.broken.map((broken) => ({
      title: `${wordsOf(broken.metric)}, night by night`,
      items: nightItems(broken),
    })),
    { title: 'The version', items: [{ kind: 'text', text: versionText(facts, quality) }] },
  ]
}

/** `ROC AUC of 2026-10-05 is 0.65 (95 %: 0.61 to 0.69), at least 0.72 is required; the whole interval is worse on 2 of the last 3 measured nights`. */
export function qualitySentence(broken: BrokenBound[], persist: string): string {
  return broken
    .map((each) => {
      const night = newestWorse(each)
      const of = night === undefined ? '' : ` of ${night.partition} is ${figureText(each, night)}`
      return `${wordsOf(each.metric)}${of}, ${requiredText(each)}; ${oftenText(each, persist)}`
    })
    .join('; ')
}

/** `0.65 (95 %: 0.61 to 0.69)`, in as many digits as tell the figure from its bound. */
export function figureText(
  { bound }: Pick<BrokenBound, 'bound'>,
  { value, low, high }: { value: number; low: number; high: number },
): string {
  return `${figureBeside(value, bound)} (95 %: ${interval({ low, high })})`
}

export function requiredText({ side, bound }: Pick<BrokenBound, 'side' | 'bound'>): string {
  return `${side} ${bound} is required`
}

function newestWorse({ nights }: BrokenBound) {
  return nights.findLast(({ verdict }) => verdict !== 'met')
}

/** Why it is reported: by nights that are worse for sure, or by many in a row that may each be chance. */
function oftenText({ nights }: BrokenBound, persist: string): string {
  const last = Number(persist.split(' of ').at(1) ?? 1)
  const surely = nights.slice(-last).filter(({ verdict }) => verdict === 'worse').length
  const least = Number(persist.split(' of ')[0] ?? 1)
  if (surely >= least) {
    return last === 1
      ? 'its whole interval is worse'
      : `the whole interval is worse on ${surely} of the last ${last} measured nights`
  }
  return `it is worse on each of the last ${last * 2} measured nights, although the interval includes the bound`
}

function measuredItems(
  facts: FailureFacts,
  { rows, positives, broken, persist, version }: QualityFacts,
): Item[] {
  const which = positives === null ? '' : `, ${count(positives)} of them positive`
  const night: Item = {
    kind: 'fact',
    label: 'Night',
    text: `${facts.partition ?? 'unknown'}, ${count(rows)} rows with a label${which}; scored by version ${version} in run ${facts.run ?? 'unknown'}`,
  }
  const entries = broken.map((each): Item => {
    const newest = newestWorse(each)
    return {
      kind: 'entry',
      title: wordsOf(each.metric),
      lines: [
        `${newest === undefined ? '' : `${figureText(each, newest)} on ${newest.partition}; `}${requiredText(each)}`,
        `required by ${each.declared}`,
        oftenText(each, persist),
      ],
      done: false,
    }
  })
  return [night, ...entries]
}

function nightItems(broken: BrokenBound): Item[] {
  const shown = broken.nights.slice(-MOST_NIGHTS)
  return shown.map((night) => ({
    kind: 'point',
    text: `${night.partition}: ${figureText(broken, night)}, ${WORDS[night.verdict]}`,
  }))
}

const WORDS: Record<BrokenBound['nights'][number]['verdict'], string> = {
  worse: 'worse than required',
  'perhaps worse': 'worse than required, but the interval includes the bound',
  met: 'as required',
}

function versionText({ timezone }: FailureFacts, { version, live }: QualityFacts): string {
  const scored = `Version ${version} scored the night`
  if (live === null) return `${scored}. No version is live now.`
  const since = clockTime(live.since, timezone)
  if (live.version === version) return `${scored}. It is live since ${since}.`
  return `${scored}. Version ${live.version} is live since ${since}${live.isMeasured ? '' : '; none of its nights has been measured yet'}.`
}
