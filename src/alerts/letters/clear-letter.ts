import { kindOf } from '../../failures/incident-kinds.ts'
import { clockTime } from '../../format/clock-time.ts'
import { age } from '../../format/elapsed.ts'
import { count } from '../../format/numbers.ts'
import { oneLine } from '../../format/one-line.ts'
import { BY_SCHEDULE, givenUp, type Incident, type Night } from '../incidents/incident-record.ts'
import { affected, help } from './failure-sections.ts'
import type { Item, Letter, Section } from './letter.ts'
import { incidentLink } from './links.ts'
import { type Command, commandsFor, computeAfterAll } from './next-commands.ts'
import { capital, causeLine, nightsText, product, readersHave } from './phrases.ts'
import type { ThreadMail } from './thread.ts'

/** The last mail of a thread with one incident. Its subject is that of the thread: the first line says that it is over. */
export function clearLetter(incident: Incident, mail: ThreadMail): Letter {
  const { facts, nights } = incident
  const closed = incident.closedAt ?? mail.now
  if (givenUp(nights).length > 0) return givenUpLetter(incident, closed, mail)
  const already = mail.occasion === 'opened' ? ' It opened and closed before a mail was sent.' : ''
  return {
    tone: 'clear',
    lead: [
      `Resolved: ${recovery(incident)}`,
      `No action needed. The incident was open for ${age(closed.getTime() - incident.openedAt.getTime())}.${already}`,
      `Cause (${kindOf(facts.failure.class).name}): ${causeLine(facts)}`,
    ],
    sections: [
      { title: 'Nights', items: nightItems(nights, facts.timezone) },
      { title: 'Who was affected', items: affected(facts) },
      { title: 'Help', items: helpAfter(incident) },
    ],
    foot: [`${closing(incident, closed)}. This is the last mail of this thread.`],
  }
}

/** The last mail of an incident whose nights, or some of them, nobody computes any more: that is no all-clear. */
function givenUpLetter(incident: Incident, closed: Date, { recipient }: ThreadMail): Letter {
  const { facts, nights } = incident
  const given = givenUp(nights)
  const reason = given.at(-1)?.recovered?.reason
  return {
    tone: 'notice',
    lead: [
      capital(recovery(incident)),
      readersHave(facts, closed),
      reason == null
        ? `Cause (${kindOf(facts.failure.class).name}): ${causeLine(facts)}`
        : `Why: ${oneLine(reason, 180)}`,
    ],
    sections: [
      whatNow(incident, given, recipient),
      { title: 'Nights', items: nightItems(nights, facts.timezone) },
      { title: 'Who is affected', items: affected(facts) },
      { title: 'Help', items: helpAfter(incident) },
    ],
    foot: [
      `${closing(incident, closed)} because nobody waits for ${given.length === nights.length ? 'its nights' : 'the others'} any more. This ends the thread.`,
    ],
  }
}

/** A person who skips a night knows why; that a schedule does means that nothing ran when it was due. */
function whatNow({ facts }: Incident, given: Night[], recipient: string): Section {
  const after = computeAfterAll(facts, given)
  const items = (commands: Command[]): Item[] =>
    commands.map(({ command, why }) => ({ kind: 'command', command, why }))
  if (given.some(({ recovered }) => recovered?.by !== BY_SCHEDULE))
    return { title: 'If they are needed after all', items: items(after) }
  const partition = given.at(-1)?.partition ?? facts.partition
  const failure = { ...facts.failure, class: 'given-up' } as const
  const [night, ...checks] = commandsFor({ ...facts, partition, failure }, recipient)
  const first = given.length === 1 && night !== undefined ? [night] : after
  return { title: 'Next commands', items: items([...first, ...checks]) }
}

function helpAfter({ id, facts }: Incident): Item[] {
  const link = incidentLink(facts.baseUrl, id)
  return [
    ...(link === undefined ? [] : [{ kind: 'fact', label: 'Incident', text: `#${id}`, link } satisfies Item]),
    ...help(facts),
  ]
}

function closing({ id, openedAt, facts: { timezone } }: Incident, closed: Date): string {
  return `Incident #${id}, opened ${clockTime(openedAt, timezone)}, closed ${clockTime(closed, timezone)}`
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
  return `${what} are ${how}.`
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
