import { html } from 'hono/html'
import { registryHref } from '../../addresses.ts'
import { figure, moment } from '../../moment.ts'
import { stateMark } from '../../state.ts'
import type { ModelView } from './load.ts'

const SHOWN = 12

/** The versions, and what was live when. */
export function versionsSection({ versions, champion, shadows, history, model, timezone }: ModelView) {
  const rows = versions.slice(0, SHOWN).map(({ version, registered_at, evaluation }) => {
    const role =
      version === champion?.version
        ? stateMark('published', 'champion')
        : shadows
            .filter((shadow) => shadow.version === version)
            .map((shadow) => stateMark('running', shadow.role === 'warm' ? 'kept warm' : 'challenger'))
    return html`<tr><th scope="row"><a href="${registryHref(model.name)}">version ${version}</a></th><td>${role}</td><td data-label="Registered">${moment(registered_at, timezone)}</td><td class="number" data-label="AUC on its holdout">${figure(evaluation?.auc)}</td></tr>`
  })
  const changes = history.toReversed().slice(0, SHOWN)
  return html`<section class="card" aria-labelledby="versions"><h2 id="versions">Versions and what was live when</h2>
${
  rows.length === 0
    ? html`<p>None is registered: <code>nightshift register ${model.name} FILE</code></p>`
    : html`<div class="scroll"><table class="stack"><thead><tr><th scope="col">Version</th><th scope="col">Role</th><th scope="col">Registered</th><th scope="col" class="number">AUC on its holdout</th></tr></thead><tbody>${rows}</tbody></table></div>`
}
${changes.length === 0 ? '' : html`<h3>History</h3><ul class="list small">${changes.map((change) => html`<li>${moment(change.at, timezone)}: version ${change.version} ${change.event}${change.by === null ? '' : ` by ${change.by}`}${change.reason === null ? '' : `: ${change.reason}`}</li>`)}</ul>`}
</section>`
}
