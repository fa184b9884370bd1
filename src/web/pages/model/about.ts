import { html } from 'hono/html'
import { headline } from '../../../alerts/letters/phrases.ts'
import { kindOf } from '../../../failures/incident-kinds.ts'
import { faceOf } from '../../../ledger/nights/faces.ts'
import { classDoubt, scoreTitle } from '../../../pipeline/onnx/score-output.ts'
import { modelHref, nightHref, readinessHref, registryHref, runbookHref, withQuery } from '../../addresses.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import type { ModelView } from './load.ts'
import { MOST, NIGHTS } from './window.ts'

/** What the model is, its current state, and its open incidents. */
export function about(of: ModelView) {
  const { model, champion, registered, last, incidents, view, timezone, now, terminal } = of
  const output = registered.find(({ version }) => version === champion?.version)?.mapping.output
  const doubts = registered.flatMap(({ version, mapping }) => {
    const doubt = classDoubt(mapping.output, model.onnx)
    return doubt === undefined ? [] : [`Version ${version}: ${doubt}`]
  })
  const mails = model.on_call.map((address) => html`<a href="mailto:${address}">${address}</a> `)
  return html`<section class="card" aria-labelledby="about"><h2 id="about">${model.description || 'About'}</h2>
<dl class="facts">
<dt>Last night</dt><dd>${last === undefined ? 'none yet' : html`${stateMark(faceOf(last, now))} <a href="${nightHref({ kind: 'scores', name: model.name, partition: last.partition }, {})}">${last.partition}</a>${last.reason === null ? '' : `: ${last.reason}`}`}</dd>
<dt>Champion</dt><dd>${champion === undefined ? html`none${terminal(': ', `promote ${model.name} --version N`)}` : html`<a href="${registryHref(model.name)}">version ${champion.version}</a> since ${moment(champion.since, timezone)}`}</dd>
<dt>Score</dt><dd>${output === undefined ? model.score.column : scoreTitle(output)}</dd>
<dt>Features</dt><dd>${view}</dd>
<dt>Read by</dt><dd>${model.consumers.join(', ') || 'no readers listed'}</dd>
<dt>Owner</dt><dd>${model.owner}</dd>
<dt>On call</dt><dd>${mails}</dd>
</dl>
${doubts.map((doubt) => html`<p class="text-late">${doubt}</p>`)}
<h3>Open incidents</h3>
${
  incidents.length === 0
    ? html`<p class="quiet">None.</p>`
    : html`<ul class="list">${incidents.map((incident) => html`<li><a href="/incidents/${incident.id}">${incident.id}</a> <span class="tag">${kindOf(incident.kind).name}</span> ${headline(incident)} <span class="quiet small">since ${moment(incident.openedAt, timezone)}</span> · <a href="${runbookHref(model.name, incident.facts.failure.anchor)}">runbook</a></li>`)}</ul>`
}</section>`
}

/** Links to runbook and downloads, next to the title. */
export function links({ model, window }: ModelView) {
  const query = new URLSearchParams()
  if (window.from !== undefined) query.set('from', window.from)
  if (window.to !== undefined) query.set('to', window.to)
  const suffix = query.size === 0 ? '' : `?${query}`
  const csv = `/models/${encodeURIComponent(model.name)}/nights.csv${suffix}`
  return html`<div class="small"><a href="${readinessHref(model.name)}">Readiness</a> · <a href="${runbookHref(model.name, '')}">Runbook</a> · <a href="${csv}">Nights as CSV</a> · <a href="${registryHref(model.name)}">Registry</a> · <a href="${withQuery('/backfills', { model: model.name })}">Backfills</a></div>`
}

/** A form to choose the nights, which needs no script. */
export function windowForm(view: Pick<ModelView, 'nights' | 'window' | 'model'>) {
  const { nights, window, model } = view
  const [first, last] = [nights[0]?.partition ?? '', nights.at(-1)?.partition ?? '']
  const kind = first.includes('T') ? '' : html` type="date"`
  return html`<form class="window" method="get" action="/models/${encodeURIComponent(model.name)}">
<label>From<input name="from"${kind} value="${window.from ?? first}"></label>
<label>To<input name="to"${kind} value="${window.to ?? last}"></label>
<button>Show</button>
<span class="quiet small">${shown(view)}</span>
</form>`
}

/** How many nights are shown, and whether there are more. */
function shown({ nights, window }: Pick<ModelView, 'nights' | 'window'>): string {
  const number = nights.length
  if (number === 0) return 'No nights'
  const nightsOf = number === 1 ? 'One night' : `${number} nights`
  if (window.from !== undefined) return number === MOST ? `The newest ${MOST} of these nights` : nightsOf
  if (number < NIGHTS)
    return window.to === undefined ? `All nights so far: ${number}` : `${nightsOf}, from the first one on`
  return window.to === undefined ? `The last ${number} nights` : `The last ${number} nights up to that date`
}

/** Shown instead of empty pictures. */
export function noNights({
  model,
  window,
  last,
  terminal,
}: Pick<ModelView, 'model' | 'window' | 'last' | 'terminal'>) {
  const { from, to } = window
  if (from === undefined && to === undefined) {
    return html`<p class="card">There is no night yet: a schedule creates them${terminal(', or ', `run ${model.name} --as-of D`)}.</p>`
  }
  const span =
    from === undefined ? `up to ${to}` : to === undefined ? `from ${from} on` : `from ${from} to ${to}`
  const known =
    last === undefined
      ? 'There is none yet.'
      : html`The last night is ${last.partition}: <a href="${modelHref(model.name)}">the last nights</a>.`
  return html`<p class="card">${model.name} has no night ${span}. ${known}</p>`
}
