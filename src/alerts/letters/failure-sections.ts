import { clockTime } from '../../format/clock-time.ts'
import { age, duration } from '../../format/elapsed.ts'
import { ofAnyAttempt } from '../../format/message-shape.ts'
import { messageText } from '../../format/message-text.ts'
import { count } from '../../format/numbers.ts'
import { oneLine } from '../../format/one-line.ts'
import type { FailureFacts, WaitingModel } from '../incidents/incident-facts.ts'
import { badNights, type Incident } from '../incidents/incident-record.ts'
import type { Item, Section } from './letter.ts'
import { runbookLink, runLink } from './links.ts'
import { agoOf } from './phrases.ts'

/** The subject, its run and its times. */
export function whatFailed(incident: Incident, now: Date): Item[] {
  const { facts } = incident
  const { timezone } = facts
  const bad = badNights(incident.nights)
  const items: Item[] = []
  if (facts.description !== undefined)
    items.push({
      kind: 'fact',
      label: facts.subjectKind === 'model' ? 'Model' : 'View',
      text: `${facts.subject} - ${facts.description}`,
    })
  if (facts.run !== undefined) {
    const link = runLink(facts.baseUrl, facts.run)
    items.push({ kind: 'fact', label: 'Run', text: `${facts.run}, ${facts.state}`, link })
  } else {
    items.push({ kind: 'fact', label: 'State', text: `${facts.state}, no run yet` })
  }
  if (facts.schedule !== undefined) items.push({ kind: 'fact', label: 'Schedule', text: facts.schedule })
  items.push({
    kind: 'fact',
    label: 'Since',
    text: `${clockTime(facts.since, timezone)} (${ago(facts.since, now)})`,
  })
  // Of an incident about the deadline itself the first line says it.
  if (facts.deadline !== undefined && facts.failure.class !== 'deadline') {
    items.push({
      kind: 'fact',
      label: 'Deadline',
      text: `${clockTime(facts.deadline, timezone)} (${ago(facts.deadline, now)})`,
    })
  }
  if (bad.length > 1)
    items.push({ kind: 'fact', label: 'Nights', text: listed(bad.map((night) => night.partition ?? '-')) })
  return items
}

/** Whoever reads the scores, or that nobody is declared. */
export function affected(facts: FailureFacts): Item[] {
  if (facts.consumers.length === 0) {
    const models = facts.subjectKind === 'model' ? [facts.subject] : (facts.models ?? [])
    if (models.length === 0) return [{ kind: 'text', text: 'No model is scored on this view.' }]
    const files = models.slice(0, 5).map((model) => `models/${model}/model.yaml`)
    return [
      { kind: 'text', text: `${listed(files)} ${models.length === 1 ? 'lists' : 'list'} no consumers.` },
    ]
  }
  const { waiting = [] } = facts
  if (waiting.length > 0)
    return waiting.flatMap(({ model, consumers }) =>
      consumers.map((consumer): Item => ({ kind: 'point', text: `${consumer} (reads ${model})` })),
    )
  return facts.consumers.map((consumer) => ({ kind: 'point', text: consumer }))
}

/** What readers have, in more detail than the first lines. */
export function stillHolds(facts: FailureFacts, now: Date): Section[] {
  const { lastGood, waiting = [], timezone } = facts
  if (waiting.length > 0) {
    // That nobody has scores is in the first lines too.
    if (waiting.every((each) => each.lastGood === undefined)) return []
    // The first lines have the age of the oldest scores.
    const isOnly = waiting.length === 1
    return [holds(waiting.map((each) => scoresItem(each, timezone, isOnly ? undefined : now)))]
  }
  if (lastGood === undefined) return []
  const rows = lastGood.rows === undefined ? '' : `, ${count(lastGood.rows)} rows`
  const version = lastGood.version === undefined ? '' : `, version ${lastGood.version}`
  return [
    holds([
      {
        kind: 'fact',
        label: 'Last good',
        text: `as_of=${lastGood.partition}${rows}${version}, published ${clockTime(lastGood.publishedAt, timezone)}`,
      },
      { kind: 'fact', label: 'File', text: lastGood.path },
    ]),
  ]
}

function holds(items: Item[]): Section {
  return { title: 'What still holds', items }
}

/** What the readers of one model have; its age where it is not said yet. */
function scoresItem({ model, lastGood }: WaitingModel, timezone: string, now: Date | undefined): Item {
  if (lastGood === undefined) return { kind: 'fact', label: model, text: 'no scores' }
  const version = lastGood.version === undefined ? '' : `, version ${lastGood.version}`
  const at = `published ${clockTime(lastGood.publishedAt, timezone)}`
  const ago = now === undefined ? '' : ` (${agoOf(lastGood, now)})`
  return { kind: 'fact', label: model, text: `scores of ${lastGood.partition}${version}, ${at}${ago}` }
}

/** How long it waited, and each attempt. A message that is already said is not repeated. */
export function tried(facts: FailureFacts, now: Date): Section[] {
  const { attempts, timezone } = facts
  const items: Item[] = []
  const waits = attempts.filter(({ outcome }) => outcome === 'waiting')
  if (facts.waitedUntil !== undefined && (waits.length > 0 || facts.state === 'waiting')) {
    const over = new Date(facts.waitedUntil) <= now
    items.push({
      kind: 'point',
      text: `${over ? 'Waited' : 'Waits'} for data until ${clockTime(facts.waitedUntil, timezone)}.`,
    })
  }
  const last = waits.at(-1)
  if (last !== undefined) {
    const times = waits.length === 1 ? 'once' : `${waits.length} times`
    items.push({
      kind: 'point',
      text: `Checked for the data ${times}, last at ${clockTime(last.startedAt, timezone)}.`,
    })
  }
  items.push(...attemptItems(facts))
  return items.length === 0 ? [] : [{ title: 'What was tried', items }]
}

/** A check that found the data missing is not an attempt and has no number. */
function attemptItems({ attempts, failure, state, timezone }: FailureFacts): Item[] {
  const real = attempts.filter(({ outcome }) => outcome !== 'waiting')
  const first = Math.max(0, real.length - 5)
  let previous: string | undefined
  return real.slice(first).map((attempt, index) => {
    const { startedAt, endedAt, outcome } = attempt
    const took =
      endedAt === undefined ? '' : ` after ${duration(Date.parse(endedAt) - Date.parse(startedAt))}`
    // Its file is committed, and cannot be moved into place.
    const ended = state === 'publishing' && outcome === 'published' ? 'computed' : outcome
    const message = ofAnyAttempt(attempt.message ?? failure.message)
    const why =
      message === ofAnyAttempt(failure.message)
        ? ''
        : message === previous
          ? ': the same'
          : `: ${oneLine(messageText(message, timezone), 200)}`
    previous = message
    return {
      kind: 'point',
      text: `Attempt ${first + index + 1}, ${clockTime(startedAt, timezone)}: ${ended}${took}${why}`,
    }
  })
}

/** The runbook's page, or where its file is if pages have no address, and the owner. */
export function help(facts: FailureFacts): Item[] {
  const items: Item[] = []
  // A view has the runbook of the first model that is scored on it.
  const of = facts.subjectKind === 'model' ? facts.subject : facts.models?.[0]
  if (facts.runbook !== undefined) {
    const { anchor } = facts.failure
    const link = of === undefined ? undefined : runbookLink(facts.baseUrl, of, anchor)
    const text = link === undefined ? `${facts.runbook}${anchor}` : `${of}, ${anchor.replace('#', '')}`
    items.push({ kind: 'fact', label: 'Runbook', text, link })
  }
  items.push({ kind: 'fact', label: 'Owner', text: facts.owner })
  return items
}

function listed(names: string[]): string {
  return names.length <= 10
    ? names.join(', ')
    : `${names.slice(-10).join(', ')} and ${names.length - 10} earlier`
}

/** `5 min ago`, `in 3 h`. */
function ago(iso: string, now: Date): string {
  const gone = now.getTime() - new Date(iso).getTime()
  return gone >= 0 ? `${age(gone)} ago` : `in ${age(-gone)}`
}
