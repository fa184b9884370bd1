import { canWait } from '../../failures/incident-kinds.ts'
import { clockTime } from '../../format/clock-time.ts'
import { duration } from '../../format/elapsed.ts'
import { badNights, type Incident } from '../incidents/incident-record.ts'
import { aboutCause } from './cause.ts'
import { driftSections } from './drift-letter.ts'
import { affected, help, stillHolds, tried, whatFailed } from './failure-sections.ts'
import type { Item, Letter, PageLink, Section } from './letter.ts'
import { incidentLink } from './links.ts'
import { authorOf, nextCommands } from './next-commands.ts'
import { causeLine, headline, readersHave } from './phrases.ts'
import { qualitySections } from './quality-letter.ts'
import { startFirst } from './start-first.ts'
import { pageOf } from './step-pages.ts'
import type { ThreadMail } from './thread.ts'

/** The mail about one open incident. */
export function incidentLetter(incident: Incident, mail: ThreadMail): Letter {
  const { facts } = incident
  return {
    tone: 'alert',
    lead: [news(incident, mail), readersHave(facts, mail.now), `Cause: ${causeLine(facts)}`],
    button: actOn(incident),
    sections: [
      ...startFirst(mail, [incident]),
      { title: 'Next three commands', items: commandItems(incident, mail.recipient) },
      ...aboutIt(incident, mail.now),
      { title: 'Help', items: help(facts) },
    ],
    foot: [...incidentLines(incident, mail), ...acknowledge(incident, mail)],
  }
}

/** The headline, behind what is new about it. */
function news(incident: Incident, { occasion }: ThreadMail): string {
  const bad = badNights(incident.nights)
  const isLate = incident.kind !== 'deadline' && bad.length === 1 && bad[0]?.late === true
  const before = {
    opened: '',
    joined: isLate ? 'Past its deadline: ' : 'Again: ',
    repeat: 'Still: ',
    'partly cleared': '',
    cleared: '',
  }[occasion]
  const says = headline(incident)
  return before === '' ? says : `${before}${says.replace(OURS, (word) => word.toLowerCase())}`
}

/** A headline that does not begin with the name of a model. */
const OURS = /^(?:A|Features|New|No|Retraining|Scores|Serving|The)(?= )/

function aboutIt(incident: Incident, now: Date): Section[] {
  const { facts } = incident
  // Nothing failed: the night ran as usual, but its data or its outcome is not as it should be.
  const whom: Section = { title: 'Who is affected', items: affected(facts) }
  if (facts.drift !== undefined) return [...driftSections(facts, facts.drift), whom]
  if (facts.quality !== undefined) return [...qualitySections(facts, facts.quality), whom]
  return [
    { title: 'What failed', items: whatFailed(incident, now) },
    whom,
    ...stillHolds(facts, now),
    ...aboutCause(facts),
    ...tried(facts, now),
  ]
}

/** The page of the incident, at what can be done there. */
function actOn({ id, kind, facts }: Incident): PageLink | undefined {
  const address = incidentLink(facts.baseUrl, id)
  const text = `${canWait(kind) ? 'Look at' : 'Act on'} incident ${id}`
  return address === undefined ? undefined : { text, href: `${address}#act` }
}

/** A page that two commands have in common is linked once. */
function commandItems(incident: Incident, recipient: string): Item[] {
  const shown = new Set<string>()
  return nextCommands(incident, recipient).map(({ step, command, why }) => {
    const page = pageOf(step, incident.facts)
    if (page === undefined || shown.has(page.href)) return { kind: 'command', command, why }
    shown.add(page.href)
    return { kind: 'command', command, why, page }
  })
}

function incidentLines({ id, facts, openedAt, ackedAt, ackedBy }: Incident, mail: ThreadMail): string[] {
  const opened = `Incident #${id}, opened ${clockTime(openedAt, facts.timezone)}.`
  if (ackedAt === undefined) return [opened]
  return [
    opened,
    `Acknowledged by ${ackedBy ?? 'someone'}, ${clockTime(ackedAt, facts.timezone)}: no repeats; mailed to ${mail.recipient} because something new has happened.`,
  ]
}

function acknowledge({ id, kind, facts, ackedAt }: Incident, mail: ThreadMail): string[] {
  if (ackedAt !== undefined) return []
  if (kind === 'quality') {
    return [
      'No action is needed tonight. This thread reports each further night that is measured as worse, and the first night after which the quality is as required again.',
    ]
  }
  if (kind === 'drift') {
    return [
      'No action is needed tonight. This thread reports each further night that drifts, and the first night that matches the reference again.',
    ]
  }
  return [
    `This mail repeats every ${duration(mail.settings.repeat)} until the incident closes. If you are working on it, stop the repeats: npx nightshift ack ${id} --by ${authorOf(facts, mail.recipient)}`,
  ]
}
