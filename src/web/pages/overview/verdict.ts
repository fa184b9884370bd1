import { html } from 'hono/html'
import type { ListedIncident } from '../../../alerts/incidents/list-incidents.ts'
import { kindOf } from '../../../failures/incident-kinds.ts'
import { age } from '../../../format/elapsed.ts'
import { count } from '../../../format/numbers.ts'
import { modelHref, nightHref, registryHref } from '../../addresses.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import type { Terminal } from '../../terminal.ts'
import { wordsOfAnswer } from './choose-models.ts'
import type { ModelOverview, Overview } from './load.ts'

/** A card a model: may readers use the list that they have, and what is missing? The worst first. */
export function verdictCards(overview: Overview, terminal: Terminal) {
  return html`<div class="cards">${overview.models.map((model) => card(model, overview, terminal))}</div>`
}

function card(model: ModelOverview, { project, now }: Overview, terminal: Terminal) {
  const { name, latest, champion, trust, incidents } = model
  const { missing } = trust
  const { timezone, models } = project
  const list = latest.published
  const about =
    list === undefined
      ? ''
      : html` <span class="quiet small">list of <a href="${nightHref(list, models)}">${list.partition}</a></span>`
  const newest = latest.last
  const rows = model.published?.rows
  return html`<article class="card verdict face face-${trust.face}">
<h3><a href="${modelHref(name)}">${name}</a></h3>
<p class="quiet small">${models[name]?.description ?? ''}</p>
<p class="answer">${stateMark(trust.face, wordsOfAnswer(trust.answer))}${about}</p>
<ul>${trust.reasons.map(({ face, text }) => html`<li class="face face-${face}">${text}</li>`)}</ul>
${
  missing === undefined || newest === undefined
    ? ''
    : html`<h4>${missing.isPending ? 'Next' : 'Missing'}: ${list?.id === newest.id ? 'the new computation of' : 'the list of'} <a href="${nightHref(newest, models)}">${missing.partition}</a></h4>
<ul><li class="face face-${missing.face}">${missing.text}</li></ul>`
}
<dl class="facts"><dt>Readers have</dt><dd>${listOf(model, project, now)}${rows == null ? '' : html`, <span class="nowrap">${rows === 1 ? 'one row' : `${count(rows)} rows`}</span>`}</dd>
<dt>Open incidents</dt><dd>${incidentLinks(incidents)}</dd>
<dt>Champion</dt><dd>${champion === undefined ? html`none${terminal(': ', `promote ${name} --version N`)}` : html`<a href="${registryHref(name)}">version ${champion.version}</a> since ${moment(champion.since, timezone)}`}</dd>
<dt>Next due</dt><dd>${latest.next === undefined ? 'none is scheduled' : html`${moment(latest.next.due, timezone)} for <span class="nowrap">${latest.next.partition}</span>${latest.next.deadline === null ? '' : html`, deadline ${moment(latest.next.deadline, timezone)}`}`}</dd></dl>
</article>`
}

/** `2026-03-03, version 2, 5 h old`: the version that computed the scores, whichever is live now. */
export function listOf(
  { latest: { published: list }, published: run }: ModelOverview,
  { models }: Overview['project'],
  now: Date,
) {
  if (list === undefined) return html`<span class="quiet">nothing yet</span>`
  const facts = [
    ...(run?.version == null ? [] : [`version ${run.version}`]),
    ...(list.published_at === null ? [] : [`${age(now.getTime() - Date.parse(list.published_at))} old`]),
  ]
  return html`<a class="nowrap" href="${nightHref(list, models)}">${list.partition}</a>${facts.map((each) => html`, <span class="nowrap">${each}</span>`)}`
}

export function incidentLinks(incidents: ListedIncident[]) {
  if (incidents.length === 0) return html`<span class="quiet">none</span>`
  return incidents.map(
    ({ id, kind }, index) =>
      html`${index === 0 ? '' : ', '}<a href="/incidents/${id}">#${id} ${kindOf(kind).name}</a>`,
  )
}
