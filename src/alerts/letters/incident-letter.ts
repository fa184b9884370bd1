import { kindOf } from '../../failures/incident-kinds.ts'
import { clockTime } from '../../format/clock-time.ts'
import { age, duration } from '../../format/elapsed.ts'
import { count } from '../../format/numbers.ts'
import type { DriftFacts, FailureFacts } from '../incidents/incident-facts.ts'
import { badNights, type Incident, type Night } from '../incidents/incident-record.ts'
import { causeItems } from './cause.ts'
import { driftSections } from './drift-letter.ts'
import type { Item, Letter, Section } from './letter.ts'
import { incidentLink, runbookLink, runLink } from './links.ts'
import { nextCommands, quoted } from './next-commands.ts'
import { causeLine, headline, nightsText, product, standing } from './phrases.ts'
import type { ThreadMail } from './thread-mail.ts'

/** The mail about one open incident. */
export function incidentLetter(incident: Incident, mail: ThreadMail): Letter {
  const { facts } = incident
  const first = { opened: '', joined: 'Again: ', repeat: 'Still: ', 'partly cleared': '', cleared: '' }[
    mail.occasion
  ]
  return {
    tone: 'alert',
    lead: [`${first}${headline(incident)}`, standing(facts, mail.now), `Cause: ${causeLine(facts)}`],
    sections: [
      { title: 'Next three commands', items: commandItems(incident, mail.recipient) },
      ...(facts.drift === undefined ? failed(incident, mail.now) : drifted(facts, facts.drift, mail.now)),
      { title: 'Help', items: help(facts) },
    ],
    foot: [...standingOf(incident, mail), ...acknowledge(incident, mail)],
  }
}

function failed(incident: Incident, now: Date): Section[] {
  const { facts } = incident
  return [
    { title: 'What failed', items: whatFailed(incident, now) },
    { title: 'Who is affected', items: affected(facts) },
    { title: 'What still holds', items: holds(facts, now) },
    { title: 'Probable cause', items: causeItems(facts) },
    ...tried(facts, now),
  ]
}

/** Nothing failed: the night ran as always, on other customers than the model knows. */
function drifted(facts: FailureFacts, drift: DriftFacts, now: Date): Section[] {
  return [
    ...driftSections(facts, drift),
    { title: 'Who is affected', items: affected(facts) },
    { title: 'What still holds', items: [{ kind: 'text', text: standing(facts, now) }] },
  ]
}

/** The last mail of the thread of one incident. */
export function clearLetter(incident: Incident, mail: ThreadMail): Letter {
  const { facts, nights } = incident
  const closed = incident.closedAt ?? mail.now
  const already = mail.occasion === 'opened' ? ' It opened and closed before a mail went out.' : ''
  return {
    tone: 'clear',
    lead: [
      `All clear: ${recovery(incident)}`,
      `Nothing to do. The incident was open for ${age(closed.getTime() - incident.openedAt.getTime())}.${already}`,
      `It was ${kindOf(facts.failure.class).name}: ${causeLine(facts)}`,
    ],
    sections: [
      { title: 'Nights', items: nightItems(nights, facts.timezone) },
      { title: 'Who was affected', items: affected(facts) },
      { title: 'Help', items: help(facts) },
    ],
    foot: [
      `Incident #${incident.id}, opened ${clockTime(incident.openedAt, facts.timezone)}, closed ${clockTime(closed, facts.timezone)}. This ends the thread.`,
    ],
  }
}

/** `scores of churn for 2026-11-22 are published.` */
export function recovery(incident: Incident): string {
  const { facts, nights } = incident
  const hows = new Set(nights.map((night) => night.recovered?.how).filter((how) => how !== undefined))
  const [how] = hows
  const names = nightsText(nights)
  const what = `${product(facts)} of ${facts.subject}${names === '' ? '' : ` for ${names}`}`
  if (hows.size !== 1 || how === undefined) return `${what} are settled.`
  if (how === 'passed' && incident.kind === 'drift') {
    const seenOn = nights.at(-1)?.recovered?.seenOn
    const stay = names === '' ? '' : `; it drifted for ${names}, whose scores stay as they were published`
    return `${facts.subject} looks like its reference again${seenOn === undefined ? '' : ` on ${seenOn}`}${stay}.`
  }
  if (how === 'passed') return `${facts.subject} is well again${names === '' ? '' : ` (${names})`}.`
  return how === 'rolled back' ? `${facts.subject} was rolled back.` : `${what} are ${how}.`
}

function commandItems(incident: Incident, recipient: string): Item[] {
  return nextCommands(incident, recipient).map((command) => ({ kind: 'command', ...command }))
}

function whatFailed(incident: Incident, now: Date): Item[] {
  const { facts } = incident
  const { timezone } = facts
  const bad = badNights(incident.nights)
  const items: Item[] = [
    {
      kind: 'fact',
      label: facts.subjectKind === 'model' ? 'Model' : 'View',
      text: facts.description === undefined ? facts.subject : `${facts.subject} - ${facts.description}`,
    },
  ]
  if (facts.partition !== undefined)
    items.push({ kind: 'fact', label: 'Partition', text: `as_of=${facts.partition}` })
  if (facts.run !== undefined) {
    items.push({
      kind: 'fact',
      label: 'Run',
      text: `${facts.run}, ${facts.state}`,
      link: runLink(facts.baseUrl, facts.run),
    })
  } else {
    items.push({ kind: 'fact', label: 'State', text: `${facts.state}, no run yet` })
  }
  if (facts.schedule !== undefined) items.push({ kind: 'fact', label: 'Schedule', text: facts.schedule })
  items.push({
    kind: 'fact',
    label: 'Since',
    text: `${clockTime(facts.since, timezone)} (${ago(facts.since, now)})`,
  })
  if (facts.deadline !== undefined) {
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

function affected(facts: FailureFacts): Item[] {
  if (facts.consumers.length === 0) {
    const where =
      facts.subjectKind === 'model'
        ? `models/${facts.subject}/model.yaml`
        : `features/${facts.subject}/view.yaml`
    return [{ kind: 'text', text: `Nobody is named: ${where} has no consumers.` }]
  }
  return facts.consumers.map((consumer) => ({ kind: 'point', text: consumer }))
}

function holds(facts: FailureFacts, now: Date): Item[] {
  const items: Item[] = [{ kind: 'text', text: standing(facts, now) }]
  const { lastGood } = facts
  if (lastGood === undefined) return items
  const rows = lastGood.rows === undefined ? '' : `, ${count(lastGood.rows)} rows`
  const version = lastGood.version === undefined ? '' : `, version ${lastGood.version}`
  items.push({ kind: 'fact', label: 'Last good', text: `as_of=${lastGood.partition}${rows}${version}` })
  items.push({ kind: 'fact', label: 'Published', text: clockTime(lastGood.publishedAt, facts.timezone) })
  items.push({ kind: 'fact', label: 'File', text: lastGood.path })
  return items
}

function tried(facts: FailureFacts, now: Date): Section[] {
  const { attempts, timezone } = facts
  const items: Item[] = []
  if (facts.waitedUntil !== undefined && (facts.failure.class === 'late-data' || facts.state === 'waiting')) {
    const over = new Date(facts.waitedUntil) <= now
    items.push({
      kind: 'point',
      text: `${over ? 'Waited' : 'Waits'} for data until ${clockTime(facts.waitedUntil, timezone)}.`,
    })
  }
  let said: string | undefined
  const looks = attempts.filter(({ outcome }) => outcome === 'waiting')
  const last = looks.at(-1)
  if (last !== undefined) {
    const times = looks.length === 1 ? 'once' : `${looks.length} times`
    items.push({
      kind: 'point',
      text: `Looked for the data ${times}, last at ${clockTime(last.startedAt, timezone)}.`,
    })
  }
  // A look at data that was late is no attempt, and takes no number.
  const real = attempts.filter(({ outcome }) => outcome !== 'waiting')
  const first = Math.max(0, real.length - 5)
  for (const [index, attempt] of real.slice(first).entries()) {
    const took =
      attempt.endedAt === undefined
        ? ''
        : ` after ${duration(new Date(attempt.endedAt).getTime() - new Date(attempt.startedAt).getTime())}`
    const message = attempt.message ?? facts.failure.message
    const why =
      message === facts.failure.message ? '' : message === said ? ': the same' : `: ${message.slice(0, 200)}`
    said = message
    items.push({
      kind: 'point',
      text: `Attempt ${first + index + 1}, ${clockTime(attempt.startedAt, timezone)}: ${attempt.outcome}${took}${why}`,
    })
  }
  return items.length === 0 ? [] : [{ title: 'What was tried', items }]
}

function help(facts: FailureFacts): Item[] {
  const items: Item[] = []
  if (facts.runbook !== undefined) {
    items.push({
      kind: 'fact',
      label: 'Runbook',
      text: `${facts.runbook}${facts.failure.anchor}`,
      link:
        facts.subjectKind === 'model'
          ? runbookLink(facts.baseUrl, facts.subject, facts.failure.anchor)
          : undefined,
    })
  }
  items.push({ kind: 'fact', label: 'Owner', text: facts.owner })
  return items
}

function nightItems(nights: Night[], timezone: string): Item[] {
  const items = nights.slice(-20).map((night): Item => {
    const { recovered } = night
    const name = night.partition ?? 'all'
    if (recovered === null) return { kind: 'point', text: `${name}: closed with the incident` }
    const rows = recovered.rows === null ? '' : `, ${count(recovered.rows)} rows`
    const run = recovered.run === null ? '' : `, run ${recovered.run}`
    if (recovered.seenOn !== undefined) return { kind: 'point', text: `${name}: stays as it was published` }
    const by = recovered.by === null ? '' : ` by ${recovered.by}`
    return {
      kind: 'point',
      text: `${name}: ${recovered.how}${by} ${clockTime(recovered.at, timezone)}${rows}${run}`,
    }
  })
  const last = nights.at(-1)?.recovered
  if (last?.seenOn !== undefined) {
    const run = last.run === null ? '' : `, run ${last.run}`
    const rows = last.rows === null ? '' : `, ${count(last.rows)} rows`
    items.push({
      kind: 'point',
      text: `${last.seenOn}: ${last.how} ${clockTime(last.at, timezone)}${rows}${run}`,
    })
  }
  return nights.length > 20
    ? [{ kind: 'text', text: `${nights.length - 20} earlier, and:` }, ...items]
    : items
}

function standingOf(incident: Incident, mail: ThreadMail): string[] {
  const { timezone } = incident.facts
  const link = incidentLink(incident.facts.baseUrl, incident.id)
  const opened = `Incident #${incident.id}, opened ${clockTime(incident.openedAt, timezone)}${link === undefined ? '.' : `: ${link}`}`
  if (incident.ackedAt === undefined) return [opened]
  return [
    opened,
    `Acknowledged by ${incident.ackedBy ?? 'someone'}, ${clockTime(incident.ackedAt, timezone)}: no repeats; told to ${mail.recipient} because a night joined.`,
  ]
}

function acknowledge(incident: Incident, mail: ThreadMail): string[] {
  if (incident.ackedAt !== undefined) return []
  if (incident.kind === 'drift') {
    return [
      'Nothing has to be done at night. Each further night that drifts is told in this thread, and the first that looks like the reference again.',
    ]
  }
  return [
    `This mail comes again every ${duration(mail.settings.repeat)} until the incident closes. If you are on it, stop that: npx nightshift ack ${incident.id} --by ${quoted(mail.recipient)}`,
  ]
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
