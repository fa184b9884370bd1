import { kindOf } from '../../failures/incident-kinds.ts'
import { clockTime, localTimes } from '../../format/clock-time.ts'
import { age, duration } from '../../format/elapsed.ts'
import { count } from '../../format/numbers.ts'
import { oneLine } from '../../format/one-line.ts'
import type { FailureFacts, WaitingModel } from '../incidents/incident-facts.ts'
import { badNights, givenUp, type Incident, type Night } from '../incidents/incident-record.ts'
import { causeItems } from './cause.ts'
import { driftSections } from './drift-letter.ts'
import type { Item, Letter, Section } from './letter.ts'
import { incidentLink, runbookLink, runLink } from './links.ts'
import { authorOf, computeAfterAll, nextCommands } from './next-commands.ts'
import { agoOf, capital, causeLine, headline, nightsText, product, readersHave } from './phrases.ts'
import { qualitySections } from './quality-letter.ts'
import type { ThreadMail } from './thread.ts'

/** The mail about one open incident. */
export function incidentLetter(incident: Incident, mail: ThreadMail): Letter {
  const { facts } = incident
  const first = { opened: '', joined: 'Again: ', repeat: 'Still: ', 'partly cleared': '', cleared: '' }[
    mail.occasion
  ]
  return {
    tone: 'alert',
    lead: [`${first}${headline(incident)}`, readersHave(facts, mail.now), `Cause: ${causeLine(facts)}`],
    sections: [
      { title: 'Next three commands', items: commandItems(incident, mail.recipient) },
      ...aboutIt(incident, mail.now),
      { title: 'Help', items: help(facts) },
    ],
    foot: [...incidentLines(incident, mail), ...acknowledge(incident, mail)],
  }
}

function failed(incident: Incident, now: Date): Section[] {
  const { facts } = incident
  return [
    { title: 'What failed', items: whatFailed(incident, now) },
    { title: 'Who is affected', items: affected(facts) },
    { title: 'What still holds', items: readersItems(facts, now) },
    { title: 'Probable cause', items: causeItems(facts) },
    ...tried(facts, now),
  ]
}

function aboutIt(incident: Incident, now: Date): Section[] {
  const { facts } = incident
  if (facts.drift !== undefined) return observed(facts, driftSections(facts, facts.drift), now)
  if (facts.quality !== undefined) return observed(facts, qualitySections(facts, facts.quality), now)
  return failed(incident, now)
}

/** Nothing failed: the night ran as usual, but its data or its outcome is not as it should be. */
function observed(facts: FailureFacts, sections: Section[], now: Date): Section[] {
  return [
    ...sections,
    { title: 'Who is affected', items: affected(facts) },
    { title: 'What still holds', items: [{ kind: 'text', text: readersHave(facts, now) }] },
  ]
}

/** The last mail of a thread with one incident. */
export function clearLetter(incident: Incident, mail: ThreadMail): Letter {
  const { facts, nights } = incident
  const closed = incident.closedAt ?? mail.now
  if (givenUp(nights).length > 0) return givenUpLetter(incident, closed)
  const already = mail.occasion === 'opened' ? ' It opened and closed before a mail was sent.' : ''
  return {
    tone: 'clear',
    lead: [
      `All clear: ${recovery(incident)}`,
      `No action needed. The incident was open for ${age(closed.getTime() - incident.openedAt.getTime())}.${already}`,
      `Cause: ${kindOf(facts.failure.class).name}: ${causeLine(facts)}`,
    ],
    sections: [
      { title: 'Nights', items: nightItems(nights, facts.timezone) },
      { title: 'Who was affected', items: affected(facts) },
      { title: 'Help', items: help(facts) },
    ],
    foot: [
      `Incident #${incident.id}, opened ${clockTime(incident.openedAt, facts.timezone)}, closed ${clockTime(closed, facts.timezone)}. This is the last mail of this thread.`,
    ],
  }
}

/** The last mail of an incident whose nights, or some of them, nobody computes any more: that is no all-clear. */
function givenUpLetter(incident: Incident, closed: Date): Letter {
  const { facts, nights } = incident
  const given = givenUp(nights)
  const reason = given.at(-1)?.recovered?.reason
  return {
    tone: 'notice',
    lead: [
      capital(recovery(incident)),
      readersHave(facts, closed),
      reason == null ? `It was ${facts.failure.class}: ${causeLine(facts)}` : `Why: ${oneLine(reason, 180)}`,
    ],
    sections: [
      {
        title: 'If they are needed after all',
        items: computeAfterAll(facts, given).map((command) => ({ kind: 'command', ...command })),
      },
      { title: 'Nights', items: nightItems(nights, facts.timezone) },
      { title: 'Who is affected', items: affected(facts) },
      { title: 'Help', items: help(facts) },
    ],
    foot: [
      `Incident #${incident.id}, opened ${clockTime(incident.openedAt, facts.timezone)}, closed ${clockTime(closed, facts.timezone)} because nobody waits for ${given.length === nights.length ? 'its nights' : 'the others'} any more. This ends the thread.`,
    ],
  }
}

/** `scores of churn for 2026-11-22 are published.` */
export function recovery(incident: Incident): string {
  const { facts, nights } = incident
  if (givenUp(nights).length > 0) return givingUp(incident)
  const hows = new Set(nights.map((night) => night.recovered?.how).filter((how) => how !== undefined))
  const [how] = hows
  const names = nightsText(nights)
  const what = `${product(facts)} of ${facts.subject}${names === '' ? '' : ` for ${names}`}`
  if (hows.size !== 1 || how === undefined) return `${what} have recovered.`
  if (how === 'passed' && incident.kind === 'drift') {
    const seenOn = nights.at(-1)?.recovered?.seenOn
    const stay = names === '' ? '' : `; it drifted for ${names}, whose published scores are unchanged`
    return `${facts.subject} matches its reference again${seenOn === undefined ? '' : ` on ${seenOn}`}${stay}.`
  }
  if (how === 'passed' && incident.kind === 'quality') return qualityRecovery(incident)
  if (how === 'no longer required')
    return `model.yaml of ${facts.subject} requires no figure of realized outcomes any more.`
  if (how === 'passed') return `${facts.subject} has recovered${names === '' ? '' : ` (${names})`}.`
  return how === 'rolled back' ? `${facts.subject} was rolled back.` : `${what} are ${how}.`
}

/** `churn is as good as required again on 2026-11-26; it was worse for 2026-11-24, whose published scores are unchanged.` */
function qualityRecovery({ facts, nights }: Incident): string {
  const seenOn = nights.at(-1)?.recovered?.seenOn
  return `${facts.subject} is as good as required again${seenOn === undefined ? '' : ` on ${seenOn}`}; it was worse for ${nightsText(nights)}, whose published scores are unchanged.`
}

/** `scores of churn for 2026-11-26 are not computed, skipped by the schedule; readers keep 2026-11-27.` */
function givingUp({ facts, nights }: Incident): string {
  const given = givenUp(nights)
  const good = nights.filter((night) => !given.includes(night))
  const whose = new Set(given.map(({ recovered }) => recovered?.by ?? null))
  const [by] = whose
  const skipped = whose.size === 1 && by != null ? `skipped by ${by}` : 'skipped'
  const names = nightsText(given)
  const computed = good.length === 0 ? '' : `; those for ${nightsText(good)} are settled`
  const keeps =
    facts.lastGood === undefined
      ? `readers have no ${product(facts)}`
      : `readers keep ${facts.lastGood.partition}`
  return `${product(facts)} of ${facts.subject}${names === '' ? '' : ` for ${names}`} are not computed, ${skipped}${computed}; ${keeps}.`
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

function readersItems(facts: FailureFacts, now: Date): Item[] {
  const items: Item[] = [{ kind: 'text', text: readersHave(facts, now) }]
  if (facts.waiting !== undefined && facts.waiting.length > 0)
    return [...items, ...facts.waiting.map((each) => scoresItem(each, facts.timezone, now))]
  const { lastGood } = facts
  if (lastGood === undefined) return items
  const rows = lastGood.rows === undefined ? '' : `, ${count(lastGood.rows)} rows`
  const version = lastGood.version === undefined ? '' : `, version ${lastGood.version}`
  items.push({ kind: 'fact', label: 'Last good', text: `as_of=${lastGood.partition}${rows}${version}` })
  items.push({ kind: 'fact', label: 'Published', text: clockTime(lastGood.publishedAt, facts.timezone) })
  items.push({ kind: 'fact', label: 'File', text: lastGood.path })
  return items
}

/** What the readers of one model have. */
function scoresItem({ model, lastGood }: WaitingModel, timezone: string, now: Date): Item {
  if (lastGood === undefined) return { kind: 'fact', label: model, text: 'no scores' }
  const version = lastGood.version === undefined ? '' : `, version ${lastGood.version}`
  const at = `published ${clockTime(lastGood.publishedAt, timezone)} (${agoOf(lastGood, now)})`
  return { kind: 'fact', label: model, text: `scores of ${lastGood.partition}${version}, ${at}` }
}

function tried(facts: FailureFacts, now: Date): Section[] {
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
  let previous: string | undefined
  const last = waits.at(-1)
  if (last !== undefined) {
    const times = waits.length === 1 ? 'once' : `${waits.length} times`
    items.push({
      kind: 'point',
      text: `Checked for the data ${times}, last at ${clockTime(last.startedAt, timezone)}.`,
    })
  }
  // A check that found the data missing is not an attempt and has no number.
  const real = attempts.filter(({ outcome }) => outcome !== 'waiting')
  const first = Math.max(0, real.length - 5)
  for (const [index, attempt] of real.slice(first).entries()) {
    const took =
      attempt.endedAt === undefined
        ? ''
        : ` after ${duration(new Date(attempt.endedAt).getTime() - new Date(attempt.startedAt).getTime())}`
    const message = attempt.message ?? facts.failure.message
    const why =
      message === facts.failure.message
        ? ''
        : message === previous
          ? ': the same'
          : `: ${localTimes(message, timezone).slice(0, 200)}`
    previous = message
    items.push({
      kind: 'point',
      text: `Attempt ${first + index + 1}, ${clockTime(attempt.startedAt, timezone)}: ${attempt.outcome}${took}${why}`,
    })
  }
  return items.length === 0 ? [] : [{ title: 'What was tried', items }]
}

function help(facts: FailureFacts): Item[] {
  const items: Item[] = []
  // A view has the runbook of the first model that is scored on it.
  const runbookOf = facts.subjectKind === 'model' ? facts.subject : facts.models?.[0]
  if (facts.runbook !== undefined) {
    items.push({
      kind: 'fact',
      label: 'Runbook',
      text: `${facts.runbook}${facts.failure.anchor}`,
      link: runbookOf === undefined ? undefined : runbookLink(facts.baseUrl, runbookOf, facts.failure.anchor),
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
    if (recovered.seenOn !== undefined)
      return { kind: 'point', text: `${name}: its published output is unchanged` }
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
    if (last.figures !== undefined) items.push({ kind: 'point', text: `${last.seenOn}: ${last.figures}` })
  }
  return nights.length > 20
    ? [{ kind: 'text', text: `${nights.length - 20} earlier, and:` }, ...items]
    : items
}

function incidentLines(incident: Incident, mail: ThreadMail): string[] {
  const { timezone } = incident.facts
  const link = incidentLink(incident.facts.baseUrl, incident.id)
  const opened = `Incident #${incident.id}, opened ${clockTime(incident.openedAt, timezone)}${link === undefined ? '.' : `: ${link}`}`
  if (incident.ackedAt === undefined) return [opened]
  return [
    opened,
    `Acknowledged by ${incident.ackedBy ?? 'someone'}, ${clockTime(incident.ackedAt, timezone)}: no repeats; mailed to ${mail.recipient} because another night joined.`,
  ]
}

function acknowledge(incident: Incident, mail: ThreadMail): string[] {
  if (incident.ackedAt !== undefined) return []
  if (incident.kind === 'quality') {
    return [
      'No action is needed tonight. This thread reports each further night that is measured as worse, and the first night after which the quality is as required again.',
    ]
  }
  if (incident.kind === 'drift') {
    return [
      'No action is needed tonight. This thread reports each further night that drifts, and the first night that matches the reference again.',
    ]
  }
  return [
    `This mail repeats every ${duration(mail.settings.repeat)} until the incident closes. If you are working on it, stop the repeats: npx nightshift ack ${incident.id} --by ${authorOf(incident.facts, mail.recipient)}`,
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
