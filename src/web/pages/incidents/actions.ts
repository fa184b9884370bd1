import { html } from 'hono/html'
import type { ListedIncident } from '../../../alerts/incidents/list-incidents.ts'
import type { PresentIncident } from '../../../alerts/incidents/present-facts.ts'
import { nextCommands } from '../../../alerts/letters/next-commands.ts'
import type { StepName } from '../../../failures/remedies.ts'
import { isOver, type Run } from '../../../ledger/nights/run-records.ts'
import type { Project } from '../../../project/project.ts'
import { nightHref, runHref } from '../../addresses.ts'
import type { Viewer } from '../../page-context.ts'
import { typed } from '../../terminal.ts'
import { actionCard, recipientOf } from '../night/actions.ts'
import { offerOf, type SlotAndRun, withSkip } from '../night/offers.ts'
import { ackButton } from './ack-button.ts'

/** Refused while a run of the night is under way. */
const NEEDS_REST: ReadonlySet<StepName | undefined> = new Set<StepName>([
  'again',
  'forced',
  'night',
  'release',
])

/** What can be done about an open incident as things are now: the steps of its mails, with buttons. */
export function actions(
  incident: ListedIncident,
  present: PresentIncident,
  project: Project,
  viewer: Viewer | null,
) {
  if (incident.closedAt !== undefined) return ''
  const { run } = present
  const busy = run !== undefined && !isOver(run) ? run : undefined
  const usual = incident.recipients.find((each) => each.includes('@'))
  const commands = nextCommands({ ...incident, facts: present.facts }, recipientOf(viewer, usual)).filter(
    ({ step }) =>
      busy === undefined || !NEEDS_REST.has(step) || (step === 'again' && busy.state === 'waiting'),
  )
  const at = atOf(present, incident)
  const offered = at === undefined ? commands.map((each) => offerOf(each, undefined)) : withSkip(at, commands)
  const isOfNight = offered.some(
    ({ button }) => button !== undefined && !button.path.startsWith('/incidents/'),
  )
  const which = isOfNight ? whichOf(incident, present, project) : ''
  const first = html`${acknowledge(incident, project, viewer)}${which}${busy === undefined ? '' : underWay(busy)}`
  return actionCard(offered, { project, viewer, first, back: `/incidents/${incident.id}` })
}

function acknowledge(incident: ListedIncident, project: Project, viewer: Viewer | null) {
  const { id, ackedBy } = incident
  const command =
    viewer?.role === 'operator'
      ? html`<p class="small quiet">In the terminal: <code>${typed(project, `ack ${id} --by YOU`)}</code></p>`
      : ''
  return html`<div class="action"><p>${ackedBy === undefined ? 'Acknowledge it' : `Acknowledged by ${ackedBy}`}: no more mails until something new happens.</p>${ackButton(incident, viewer)}${command}</div>`
}

/** Of several nights, which one the buttons are about. */
function whichOf({ bad }: ListedIncident, { slot }: PresentIncident, { models }: Project) {
  if (bad.length < 2 || slot === undefined) return ''
  return html`<div class="action"><p>What follows is about the night of <a href="${nightHref(slot, models)}">${slot.partition}</a>; the others have buttons on their own pages.</p></div>`
}

function underWay({ id, partition, state }: Run) {
  return html`<div class="action"><p>Run <a href="${runHref(id)}">${id}</a> of ${partition} is ${state}: what comes of it decides what is next.</p></div>`
}

function atOf(
  { facts, slot, run }: PresentIncident,
  { id, mutedUntil }: ListedIncident,
): SlotAndRun | undefined {
  if (slot === undefined) return undefined
  return { slot, run, versions: facts.versions, incident: mutedUntil === undefined ? id : undefined }
}
