import { kindOf } from '../../failures/incident-kinds.ts'
import { cut, oneLine } from '../../format/one-line.ts'
import type { Webhook } from '../../project/project.ts'
import { type Incident, nightsOf } from '../incidents/incident-record.ts'
import type { Letter } from '../letters/letter.ts'
import { letterText } from '../letters/letter-text.ts'
import { incidentLink } from '../letters/links.ts'
import type { PostContent } from './post-content.ts'
import { slackBody } from './slack-body.ts'

const EVENTS: Record<PostContent['event'], string> = {
  opened: 'opened',
  joined: 'joined',
  repeat: 'repeated',
  'partly cleared': 'partly_cleared',
  cleared: 'cleared',
  test: 'test',
}
/** Characters of the text, incidents, nights of each and commands: a body stays below 100 kB. */
const LONGEST_TEXT = 20_000
const MOST_INCIDENTS = 50
const MOST_NIGHTS = 20
const MOST_COMMANDS = 20

/** The body of a request: JSON in the shape of Nightshift or of Slack. */
export function postBody(format: Webhook['format'], post: PostContent): string {
  return JSON.stringify(format === 'slack' ? slackBody(post) : jsonBody(post))
}

function jsonBody({ id, thread, event, project, at, subject, letter, incidents }: PostContent) {
  return {
    version: 1,
    id,
    thread,
    event: EVENTS[event],
    project,
    at: at.toISOString(),
    subject,
    text: cut(letterText(letter), LONGEST_TEXT),
    incidents: incidents.slice(0, MOST_INCIDENTS).map(incidentFacts),
    more_incidents: Math.max(0, incidents.length - MOST_INCIDENTS),
    commands: commandsOf(letter).slice(0, MOST_COMMANDS),
  }
}

function incidentFacts(incident: Incident) {
  const { facts } = incident
  const nights = nightsOf(incident).flatMap(({ partition }) => partition ?? [])
  return {
    id: incident.id,
    subject: incident.subject,
    subject_kind: incident.subjectKind,
    kind: incident.kind,
    title: kindOf(incident.kind).name,
    state: incident.closedAt === undefined ? 'open' : 'closed',
    opened_at: incident.openedAt.toISOString(),
    closed_at: incident.closedAt?.toISOString() ?? null,
    acknowledged_by: incident.ackedBy ?? null,
    message: oneLine(facts.failure.message, 500),
    nights: nights.slice(-MOST_NIGHTS),
    more_nights: Math.max(0, nights.length - MOST_NIGHTS),
    url: incidentLink(facts.baseUrl, incident.id) ?? null,
  }
}

function commandsOf(letter: Letter): { command: string; why: string; url: string | null }[] {
  return letter.sections.flatMap(({ items }) =>
    items.flatMap((item) =>
      item.kind === 'command' ? [{ command: item.command, why: item.why, url: item.page?.href ?? null }] : [],
    ),
  )
}
