import { kindOf } from '../../failures/incident-kinds.ts'
import { clockTime } from '../../format/clock-time.ts'
import { age, duration } from '../../format/elapsed.ts'
import { messageShape } from '../../format/message-shape.ts'
import { oneLine } from '../../format/one-line.ts'
import { idRanges } from '../incidents/id-ranges.ts'
import { badNights, givenUp, type Incident } from '../incidents/incident-record.ts'
import { recovery } from './clear-letter.ts'
import { groupPictures } from './group-pictures.ts'
import { incidentLetter } from './incident-letter.ts'
import type { Item, Letter, PageLink } from './letter.ts'
import { incidentLink, openIncidentsLink } from './links.ts'
import { authorOf, CHECK_ALL, quoted } from './next-commands.ts'
import { causeLine, headline, nightsText, readersHave } from './phrases.ts'
import { startFirst } from './start-first.ts'
import type { ThreadMail } from './thread.ts'

/** A longer mail states only how many more there are: Gmail truncates mails at 102 kB. */
const MOST_ENTRIES = 60

/** One mail about several incidents that opened together. */
export function groupLetter(mail: ThreadMail): Letter {
  const { incidents, settings, now } = mail
  const open = incidents.filter((incident) => incident.closedAt === undefined)
  const closed = incidents.filter((incident) => incident.closedAt !== undefined)
  const causes = byCause(open.length > 0 ? open : incidents)
  const shown = [...open, ...closed].slice(0, MOST_ENTRIES)
  const entries = shown.map((incident) => entry(incident, now))
  const more = incidents.length - shown.length
  return {
    tone: open.length > 0 ? 'alert' : closed.some(isGivenUp) ? 'notice' : 'clear',
    lead: [opening(mail, open, closed), readers(open, now), causeOf(causes)].filter((line) => line !== ''),
    button: open.length === 0 ? undefined : actOn(open),
    sections: [
      ...startFirst(mail, open),
      ...(open.length === 0 ? [] : [{ title: 'Next commands', items: commands(mail, open) }]),
      // A cause that all share is in the first lines.
      ...(causes.length === 1 ? [] : [{ title: 'Causes', items: causeItems(causes) }]),
      {
        title: 'Incidents',
        items:
          more > 0 ? [...entries, { kind: 'text', text: `${more} more: npx nightshift incidents` }] : entries,
      },
      ...groupPictures(open),
    ],
    foot: [
      open.length === 0
        ? 'This is the last mail of this thread.'
        : `This mail repeats every ${duration(settings.repeat)} while an unacknowledged incident is open.`,
    ],
  }
}

/** Of several incidents one is still open: its own mail, and at its end those that are over. */
export function lastOpenLetter(mail: ThreadMail, incident: Incident): Letter {
  const letter = incidentLetter(incident, mail)
  const closed = mail.incidents.filter((each) => each !== incident)
  const shown = closed.slice(0, MOST_ENTRIES).map((each) => entry(each, mail.now))
  const more = closed.length - shown.length
  const partly = mail.occasion === 'partly cleared' ? [opening(mail, [incident], closed)] : []
  return {
    ...letter,
    lead: [...partly, ...letter.lead],
    sections: [
      ...letter.sections,
      {
        title: 'Over',
        items:
          more > 0
            ? [...shown, { kind: 'text', text: `${more} more: npx nightshift incidents --all` }]
            : shown,
      },
    ],
  }
}

/** Closed without having been cured. */
function isGivenUp(incident: Incident): boolean {
  return incident.closedAt !== undefined && givenUp(incident.nights).length > 0
}

/** The sentence for a thread whose incidents are all closed and some of their nights were never computed. */
function afterGivingUp(closed: Incident[]): string {
  const given = closed.filter(isGivenUp)
  const names = given.map((incident) => incident.subject)
  const listed =
    names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
  const others = closed.length - given.length
  return `Nights of ${listed} are not computed: they were skipped, and nobody waits for them any more.${others === 0 ? '' : ` The other ${others} incidents are closed and well.`}`
}

function opening(mail: ThreadMail, open: Incident[], closed: Incident[]): string {
  const all = mail.incidents.length
  if (open.length === 0 && closed.some(isGivenUp)) return afterGivingUp(closed)
  const names = open.map((incident) => incident.subject)
  const listed =
    names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
  switch (mail.occasion) {
    case 'opened':
      return open.length === 0
        ? `Resolved: ${all} incidents opened and closed before a mail was sent.`
        : `${open.length} incidents are open: ${listed}.`
    case 'joined':
      return `Again: ${open.length} of ${all} incidents are open: ${listed}.`
    case 'repeat':
      return `Still: ${open.length} of ${all} incidents are open: ${listed}.`
    case 'partly cleared':
      return `${closed.length} of ${all} incidents are closed. Still open: ${listed}.`
    case 'cleared':
      return `Resolved: all ${all} incidents are closed. No action needed.`
  }
}

function readers(open: Incident[], now: Date): string {
  if (open.length === 0) return ''
  const without = open.filter(({ facts }) => facts.state !== 'published' && facts.lastGood === undefined)
  const [oldest] = open
    .filter(({ facts }) => facts.state !== 'published' && facts.lastGood !== undefined)
    .sort((a, b) => (a.facts.lastGood?.publishedAt ?? '').localeCompare(b.facts.lastGood?.publishedAt ?? ''))
  const keep =
    oldest === undefined
      ? ''
      : `Readers keep the last good partitions; the oldest was published ${age(now.getTime() - new Date(oldest.facts.lastGood?.publishedAt ?? now).getTime())} ago (${oldest.subject}).`
  const none =
    without.length === 0
      ? ''
      : `${without.length} of them never published anything: their readers have nothing.`
  return [keep, none].filter((part) => part !== '').join(' ')
}

interface Cause {
  incidents: Incident[]
  kind: Incident['kind']
  example: string
}

/** Incidents grouped by class and similar message, the largest group first. */
export function byCause(incidents: Incident[]): Cause[] {
  const causes = new Map<string, Cause>()
  for (const incident of incidents) {
    const { failure, run } = incident.facts
    // Not within another name, such as that of a score's column.
    const message = failure.message.replaceAll(/[\w-]+/g, (word) => (word === incident.subject ? '?' : word))
    const key = `${incident.kind} ${messageShape(run === undefined ? message : message.replaceAll(run, '?'))}`
    const cause = causes.get(key)
    if (cause === undefined)
      causes.set(key, { incidents: [incident], kind: incident.kind, example: causeLine(incident.facts) })
    else cause.incidents.push(incident)
  }
  return [...causes.values()].sort((a, b) => b.incidents.length - a.incidents.length)
}

function causeOf(causes: Cause[]): string {
  const [first, ...rest] = causes
  if (first === undefined) return ''
  if (rest.length === 0) return `All have the same cause, ${kindOf(first.kind).name}: ${first.example}`
  const kinds = new Map<string, number>()
  for (const { kind, incidents } of causes) {
    const { name } = kindOf(kind)
    kinds.set(name, (kinds.get(name) ?? 0) + incidents.length)
  }
  const counts = [...kinds].slice(0, 3).map(([name, number]) => `${number} ${name}`)
  return `${causes.length} causes: ${counts.join(', ')}${kinds.size > 3 ? ' and others' : ''}.`
}

function causeItems(causes: Cause[]): Item[] {
  const items = causes.slice(0, 5).flatMap((cause): Item[] => {
    const names = cause.incidents.map((incident) => incident.subject)
    const listed =
      names.length <= 6 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`
    return [
      {
        kind: 'text',
        text: `${cause.incidents.length} x ${kindOf(cause.kind).name} (${listed}):`,
      },
      { kind: 'quote', text: cause.example },
    ]
  })
  return causes.length > 5
    ? [...items, { kind: 'text', text: `and ${causes.length - 5} more causes` }]
    : items
}

/** The pages of the incidents have the buttons. */
function actOn(open: Incident[]): PageLink | undefined {
  const href = open.map(({ facts }) => openIncidentsLink(facts.baseUrl)).find((each) => each !== undefined)
  return href === undefined ? undefined : { text: `Act on the ${open.length} open incidents`, href }
}

function commands(mail: ThreadMail, open: Incident[]): Item[] {
  const ids = idRanges(
    open.filter((incident) => incident.ackedAt === undefined).map((incident) => incident.id),
  )
  const items: Item[] = [
    {
      kind: 'command',
      command: 'npx nightshift doctor',
      why: CHECK_ALL,
    },
    { kind: 'command', command: 'npx nightshift incidents', why: 'List all open incidents' },
  ]
  if (ids !== '') {
    items.push({
      kind: 'command',
      command: `npx nightshift ack ${ids} --by ${authorOf(open[0]?.facts, mail.recipient)}`,
      why: 'If you are working on it, acknowledge to stop the repeats',
    })
  }
  return items
}

function entry(incident: Incident, now: Date): Item {
  const { facts } = incident
  const link = incidentLink(facts.baseUrl, incident.id)
  if (incident.closedAt !== undefined) {
    const line = `${recovery(incident)} Closed ${clockTime(incident.closedAt, facts.timezone)}.`
    return {
      kind: 'entry',
      title: `#${incident.id} ${incident.subject}: ${isGivenUp(incident) ? 'not computed' : 'clear'}`,
      lines: [line],
      link,
      done: !isGivenUp(incident),
    }
  }
  const nights = nightsText(badNights(incident.nights))
  const who = facts.consumers.length === 0 ? '' : ` Affects ${oneLine(facts.consumers.join(', '), 120)}.`
  const lines = [facts.state === 'published' ? headline(incident) : `${readersHave(facts, now)}${who}`]
  if (facts.run !== undefined) lines.push(`npx nightshift show ${quoted(facts.run)}`)
  if (incident.ackedAt !== undefined) lines.push(`Acknowledged by ${incident.ackedBy ?? 'someone'}.`)
  return {
    kind: 'entry',
    title: `#${incident.id} ${incident.subject}: ${kindOf(incident.kind).name}${nights === '' ? '' : `, ${nights}`}`,
    lines,
    link,
    done: false,
  }
}
