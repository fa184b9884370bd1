import { html } from 'hono/html'
import { age } from '../../../format/elapsed.ts'
import { count } from '../../../format/numbers.ts'
import type { Model } from '../../../project/project.ts'
import { modelHref, nightHref, registryHref } from '../../addresses.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import type { ModelOverview, Overview } from './load.ts'

/** Models that need attention come first. */
const ORDER = { no: 0, 'not yet': 1, unknown: 2, yes: 3 }
const ANSWERS = { yes: 'Yes', no: 'No', 'not yet': 'Not yet', unknown: 'Unknown' }

/** Can last night be trusted? One card per model. */
export function verdicts({ models, project, now }: Overview) {
  if (models.length === 0) {
    return html`<p class="card">No model yet: <code>nightshift init DIR</code> creates a project with one.</p>`
  }
  return html`<section aria-labelledby="trust"><h2 id="trust">Can last night be trusted?</h2><div class="cards">${models.toSorted((a, b) => ORDER[a.trust.answer] - ORDER[b.trust.answer]).map((model) => verdict(model, project.models[model.name], project, now))}</div></section>`
}

function verdict(
  { name, latest, champion, published, trust }: ModelOverview,
  model: Model | undefined,
  { timezone, models }: Overview['project'],
  now: Date,
) {
  const { last, next } = latest
  const night =
    last === undefined
      ? ''
      : html` <span class="quiet small">for <a href="${nightHref(last, models)}">${last.partition}</a></span>`
  const newest = latest.published
  const fresh =
    newest === undefined || newest.published_at === null
      ? 'nothing published yet'
      : html`<a href="${nightHref(newest, models)}">${newest.partition}</a>, ${age(now.getTime() - Date.parse(newest.published_at))} old${published?.rows == null ? '' : `, ${count(published.rows)} rows`}`
  return html`<article class="card verdict face face-${trust.face}">
<h3><a href="${modelHref(name)}">${name}</a></h3>
<p class="quiet small">${model?.description ?? ''}</p>
<p class="answer">${stateMark(trust.face, ANSWERS[trust.answer])}${night}</p>
<ul>${trust.reasons.map(({ face, text }) => html`<li class="face face-${face}">${text}</li>`)}</ul>
<dl class="facts"><dt>Published</dt><dd>${fresh}</dd>
<dt>Champion</dt><dd>${champion === undefined ? html`none: <code>nightshift promote ${name} --version N</code>` : html`<a href="${registryHref(name)}">version ${champion.version}</a> since ${moment(champion.since, timezone)}`}</dd>
<dt>Next run</dt><dd>${next === undefined ? 'none is scheduled' : html`${moment(next.due, timezone)} for <span class="nowrap">${next.partition}</span>`}</dd></dl>
</article>`
}
