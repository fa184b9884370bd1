import { html } from 'hono/html'
import { type ListedMail, listMails } from '../../../alerts/delivery/list-mails.ts'
import { EVENT_WORDS, eventsOf, type IncidentEvent } from '../../../alerts/incidents/events.ts'
import type { Night } from '../../../alerts/incidents/incident-record.ts'
import { type ListedIncident, listIncidents } from '../../../alerts/incidents/list-incidents.ts'
import { type PresentIncident, presentIncident } from '../../../alerts/incidents/present-facts.ts'
import { type Reader, readersOf } from '../../../alerts/incidents/readers.ts'
import { headline, meaning, readersHave } from '../../../alerts/letters/phrases.ts'
import { localTimes } from '../../../format/clock-time.ts'
import { faceOfState } from '../../../ledger/nights/faces.ts'
import { findRun } from '../../../ledger/nights/run-records.ts'
import { listSlots } from '../../../ledger/nights/slots.ts'
import type { Check } from '../../../pipeline/engine/facts.ts'
import type { Project } from '../../../project/project.ts'
import { nightHref, runbookHref, runHref } from '../../addresses.ts'
import { buttonForm } from '../../buttons/button.ts'
import { moment } from '../../moment.ts'
import type { PageContext, Viewer } from '../../page-context.ts'
import { stateMark } from '../../state-mark.ts'
import { column, labelled, table } from '../../table.ts'
import { seesFailedRows } from '../list/rows-shown.ts'
import { checks } from '../night/checks.ts'
import { fact } from '../night/summary.ts'
import { actions } from './actions.ts'
import { faceOfIncident } from './face.ts'

/** One incident with its events, readers and mails. */
export interface IncidentStory {
  incident: ListedIncident
  events: IncidentEvent[]
  readers: Reader[]
  mails: ListedMail[]
  /** Of its run, those that were met as well. */
  checks: Check[]
  present: PresentIncident
  /** Runs of its nights that failed or are held, and were not followed by others. */
  toRetry: ReadonlySet<string>
}

export async function loadIncident(
  { database }: PageContext,
  id: number,
  now: Date,
): Promise<IncidentStory | undefined> {
  const { pool } = database
  const [[incident], events, readers, mails] = await Promise.all([
    listIncidents(pool, now, { id, closedToo: true }),
    eventsOf(pool, id),
    readersOf(pool, id),
    listMails(pool, { incident: id, limit: 100 }),
  ])
  if (incident === undefined) return undefined
  const { run: latest, checks: failed } = incident.facts
  const run = latest === undefined || failed.length === 0 ? undefined : await findRun(pool, latest)
  const [present, toRetry] = await Promise.all([presentIncident(pool, incident), retryable(pool, incident)])
  return { incident, events, readers, mails, checks: run?.checks ?? failed, present, toRetry }
}

async function retryable(
  pool: PageContext['database']['pool'],
  { subject, subjectKind, bad, closedAt }: ListedIncident,
): Promise<Set<string>> {
  // The newest bad night has its buttons among the actions.
  if (closedAt !== undefined || bad.length < 2) return new Set()
  const kind = subjectKind === 'model' ? 'scores' : 'features'
  const slots = await listSlots(pool, { kind, name: subject, partitions: bad, states: ['failed', 'held'] })
  return new Set(slots.flatMap(({ run }) => run ?? []))
}

export function incidentBody(story: IncidentStory, project: Project, viewer: Viewer | null, now: Date) {
  const { incident, present } = story
  return html`<div class="columns"><div>
${what(incident, project, now)}
${nights(story, project, viewer)}
${checks(story.checks, { about: 'of the latest night that failed', timezone: project.timezone, withRows: seesFailedRows(project, viewer) })}
${events(story.events, project)}
</div><div>
${actions(incident, present, project, viewer)}
${notified(story, project)}
</div></div>`
}

function what(incident: ListedIncident, { timezone, models }: Project, now: Date) {
  const { facts, kind, openedAt, closedAt, ackedAt, ackedBy, mutedUntil } = incident
  const model =
    incident.subjectKind === 'model'
      ? incident.subject
      : Object.values(models).find(({ view }) => view === incident.subject)?.name
  return html`<section class="card first" aria-labelledby="what"><h2 id="what" class="sr">Summary</h2>
<p>${stateMark(faceOfIncident(incident), closedAt === undefined ? 'open' : 'closed', 'big')}</p>
<p class="strong">${headline(incident)}</p>
<p>${meaning(incident)} ${closedAt === undefined ? readersHave(facts, now) : ''}</p>
<p class="error">${localTimes(facts.failure.message, timezone)}</p>
<dl class="facts">${fact('Opened', moment(openedAt, timezone))}
${fact('Closed', moment(closedAt, timezone))}
${fact('Acknowledged by', ackedBy === undefined ? '' : html`${ackedBy}, since ${moment(ackedAt, timezone)}`)}
${fact('Muted until', moment(mutedUntil, timezone))}
${fact('Owner', facts.owner)}
${fact('Readers', facts.consumers.join(', '))}
${model === undefined ? '' : fact('Runbook', html`<a href="${runbookHref(model, facts.failure.anchor)}">${model}, ${kind}</a>`)}</dl></section>`
}

function nights(
  { incident: { id, nights: all, subjectKind, subject }, toRetry }: IncidentStory,
  { timezone, models }: Project,
  viewer: Viewer | null,
) {
  if (all.length === 0) return ''
  const kind = subjectKind === 'model' ? 'scores' : 'features'
  const link = ({ partition }: Night) =>
    partition === null
      ? 'no single night'
      : html`<a href="${nightHref({ kind, name: subject, partition }, models)}" class="nowrap">${partition}</a>`
  const shown = table('Nights of this incident', all, [
    column('Night', link),
    column(
      'State',
      ({ state, late }) => html`${stateMark(faceOfState(state))}${late ? html` ${stateMark('late')}` : ''}`,
    ),
    column('Run', ({ run }) => (run === null ? '' : html`<a href="${runHref(run)}">${run}</a>`)),
    labelled('Since', ({ failedAt }) => moment(failedAt, timezone)),
    column('Ended', ({ recovered, run, partition }) =>
      recovered === null && run !== null && toRetry.has(run) && viewer?.role === 'operator'
        ? buttonForm(
            { path: `/runs/${run}/retry`, text: `Run ${partition} again`, reason: false },
            viewer,
            `/incidents/${id}`,
          )
        : ending(recovered, timezone),
    ),
  ])
  return html`<section class="card" aria-labelledby="nights"><h2 id="nights">Nights</h2>${shown}</section>`
}

function ending(recovered: Night['recovered'], timezone: string) {
  if (recovered === null) return ''
  const { how, at, by, seenOn } = recovered
  return seenOn !== undefined
    ? html`its published scores are unchanged; recovered on ${seenOn}`
    : html`${stateMark(how === 'skipped' ? 'skipped' : 'published', how)} ${moment(at, timezone)}${by === null ? '' : ` by ${by}`}`
}

function events(all: IncidentEvent[], { timezone }: Project) {
  return html`<section class="card" aria-labelledby="story"><h2 id="story">What happened</h2><ol class="list">${all.map(
    ({ at, event, run, partition, detail }) => {
      const details = [detail?.recipient ?? detail?.by, detail?.how, detail?.message].filter(
        (each) => typeof each === 'string',
      )
      return html`<li>${moment(at, timezone)} <strong>${EVENT_WORDS[event]}</strong>${partition == null ? '' : `, ${partition}`}${run == null ? '' : html`, run <a href="${runHref(run)}">${run}</a>`}${details.length === 0 ? '' : html`<div class="small">${details.join(', ')}</div>`}</li>`
    },
  )}</ol></section>`
}

function notified({ readers, mails }: IncidentStory, { timezone }: Project) {
  return html`<section class="card" aria-labelledby="notified"><h2 id="notified">Notified</h2>
${readers.length === 0 ? html`<p>No one: neither <code>on_call</code> in model.yaml nor <code>owner</code> in view.yaml has an address.</p>` : ''}
<ul class="list">${readers.map(({ recipient, kind, mails: sent, nextMailAt }) => html`<li>${recipient}<div class="small quiet">${sent} ${sent === 1 ? kind : `${kind}s`}${nextMailAt === undefined ? '' : html`, the next ${moment(nextMailAt, timezone)}`}</div></li>`)}</ul>
${mails.length === 0 ? '' : html`<h3>Mails</h3><ul class="list">${mails.map((mail) => html`<li><a href="/mails/${mail.id}">${mail.subject}</a><div class="small quiet">${mail.recipient}, ${moment(mail.created_at, timezone)}, ${mail.state}</div></li>`)}</ul>`}</section>`
}
