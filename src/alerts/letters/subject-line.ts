import { kindOf } from '../../failures/incident-kinds.ts'
import { hourAndZone } from '../../format/clock-time.ts'
import { oneLine } from '../../format/one-line.ts'
import { wordsOf } from '../../project/schema/metric.ts'
import type { FailureFacts } from '../incidents/incident-facts.ts'
import { BY_SCHEDULE, givenUp, type Incident, nightsOf } from '../incidents/incident-record.ts'
import { remedyOf } from './next-commands.ts'
import { listedNames, movedNames, nightsText } from './phrases.ts'

/** Longer subjects are folded, and mail clients truncate them in lists. */
export const LONGEST_SUBJECT = 160
const MOST_NAMES = 3

/**
 * Subject of a thread: `churn 2026-11-28 not published: calls are late (#12)`. It is written with the first mail and
 * never changes, since Gmail and Outlook split a thread whose subject changes; the first line of a mail states what is
 * new. The ids keep apart two threads about the same. A thread that begins when all is over says so.
 */
export function threadSubject(incidents: [Incident, ...Incident[]]): string {
  const open = incidents.filter(({ closedAt }) => closedAt === undefined)
  const isOver = open.length === 0 && !incidents.some(isGivenUp)
  const [first, ...rest] = incidents
  const last = rest.at(-1)
  const about = last === undefined ? aboutOne(first) : aboutSeveral(open.length > 0 ? open : incidents)
  const ids = last === undefined ? ` (#${first.id})` : ` (#${first.id} to #${last.id})`
  return `${oneLine(`${isOver ? 'Resolved: ' : ''}${about}`, LONGEST_SUBJECT - ids.length)}${ids}`
}

function aboutOne(incident: Incident): string {
  return [listedNames(namesOf(incident)), nightsText(nightsOf(incident)), briefOf(incident)]
    .filter((part) => part !== '')
    .join(' ')
}

/** What is said of all of them alike, and else how many there are. */
function aboutSeveral(incidents: Incident[]): string {
  const names = [...new Set(incidents.flatMap(namesOf))]
  const areModels = incidents.every((incident) => namesOf(incident).every((name) => !isFeatures(name)))
  const who =
    names.length <= MOST_NAMES
      ? listedNames(names)
      : `${names.length} ${areModels ? 'models' : 'models and views'}`
  const night = onlyOne(incidents.map((incident) => nightsText(nightsOf(incident))))
  const subject = night === undefined ? who : `${who} ${night}`
  const briefs = incidents.map(briefOf)
  const brief = onlyOne(briefs)
  if (brief !== undefined) return `${subject} ${brief}`
  const missing = onlyOne(briefs.map((each) => each.split(': ')[0] ?? each))
  return missing === undefined
    ? `${subject}: ${incidents.length} incidents`
    : `${subject} ${missing}: ${new Set(briefs).size} causes`
}

function onlyOne(texts: string[]): string | undefined {
  return new Set(texts).size === 1 ? texts[0] : undefined
}

/** Whose output is missing: a view is named by the models that wait for it. */
function namesOf({ facts }: Incident): string[] {
  if (facts.subjectKind === 'model') return [facts.subject]
  const isThere = facts.isPublished === true || facts.state === 'published'
  const waiting = isThere ? [] : (facts.waiting ?? []).map(({ model }) => model)
  return waiting.length > 0 ? waiting : [`${FEATURES}${facts.subject}`]
}

const FEATURES = 'features of '
const isFeatures = (name: string) => name.startsWith(FEATURES)

function isGivenUp({ closedAt, nights }: Incident): boolean {
  return closedAt !== undefined && givenUp(nights).length > 0
}

/** `not published: calls are late`. */
function briefOf(incident: Incident): string {
  const { facts, kind, nights } = incident
  if (isGivenUp(incident)) {
    const [by] = new Set(givenUp(nights).map(({ recovered }) => recovered?.by))
    return `not computed: skipped${by === BY_SCHEDULE ? ` by ${by}` : ''}`
  }
  const cause = causeOf(facts, kind)
  const { brief } = kindOf(kind)
  if (brief === undefined) return `${missingOf(facts)}: ${cause}`
  return brief({
    cause,
    byTime: facts.deadline === undefined ? '' : ` by ${hourAndZone(facts.deadline, facts.timezone)}`,
    columns: movedNames(facts),
    metrics: (facts.quality?.broken ?? []).map(({ metric }) => wordsOf(metric)).join(', '),
    monitor: facts.failure.evidence.monitor,
  })
}

function missingOf({ state, isPublished }: FailureFacts): string {
  if (state === 'held') return 'held back'
  return isPublished === true ? 'not computed again' : 'not published'
}

/** In words of ours: what a program said may contain data, and a subject is shown on a locked phone. */
function causeOf(facts: FailureFacts, kind: Incident['kind']): string {
  const { failure, checks } = facts
  if (kind === 'late-data') {
    const sources = lateSources(failure.evidence)
    if (sources.length > 0) return areLate(sources)
  }
  const expectation = failedExpectation(checks)
  if (expectation !== undefined) return expectation
  const { cause, brief } = remedyOf({ ...facts, failure: { ...failure, class: kind } })
  return brief ?? cause
}

function lateSources({ late, source }: Record<string, unknown>): string[] {
  const named = Array.isArray(late) ? late.map((each: { source?: unknown } | null) => each?.source) : [source]
  return [...new Set(named.filter((name) => typeof name === 'string'))]
}

/** `calls are late`, `usage is late`, `calls and usage are late`. */
function areLate(sources: string[]): string {
  const [name = ''] = sources
  const isOne = sources.length === 1 && !/[^isu]s$/.test(name)
  return `${listedNames(sources)} ${isOne ? 'is' : 'are'} late`
}

function failedExpectation(checks: FailureFacts['checks']): string | undefined {
  const [first, ...rest] = checks.filter(({ passed, kind }) => !passed && kind !== 'fresh')
  if (first === undefined) return undefined
  if (first.kind === 'score.range') return 'scores are outside their range'
  if (first.kind === 'score.finite') return 'scores are not numbers'
  return rest.length === 0 ? `${first.id} failed` : `${first.id} and ${rest.length} more failed`
}
