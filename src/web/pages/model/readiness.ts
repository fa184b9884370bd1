import { html } from 'hono/html'
import { figure } from '../../../format/numbers.ts'
import type { Face } from '../../../ledger/nights/faces.ts'
import { countText } from '../../../monitoring/shadow/counted-nights.ts'
import { readinessHref, withQuery } from '../../addresses.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import type { ModelView } from './load.ts'

/** The evidence for the newest version, which may be the champion. It shows no verdict. */
export function readiness(view: ModelView) {
  const { champion, model, versions, terminal } = view
  const [newest] = versions
  if (newest === undefined) return ''
  const next = newest.version === champion?.version ? 'the champion' : 'not live'
  return html`<section class="card" aria-labelledby="readiness"><h2 id="readiness">Evidence of version ${newest.version}, ${next}</h2>
<p class="quiet small">Automated checks so far. <a href="${withQuery(readinessHref(model.name), { version: newest.version })}">All eleven questions of the gate</a>${terminal(', or in the terminal: ', `check ${model.name} --version ${newest.version}`)}</p>
<dl class="facts">
<dt>Evaluation</dt><dd>${evaluation(view)}</dd>
<dt>Parity</dt><dd>${parity(view)}</dd>
<dt>Shadow</dt><dd>${shadow(view)}</dd>
</dl></section>`
}

function evaluation({ versions, timezone, model, terminal }: ModelView) {
  const [newest] = versions
  const found = newest?.evaluation
  if (found == null)
    return html`${stateMark('expected', 'none')}${terminal(' ', `evaluate ${model.name} --version ${newest?.version} --dataset ID`)}`
  const face: Face = found.passed ? 'published' : 'failed'
  return html`${stateMark(face, found.passed ? 'passed' : 'not passed')} ${found.auc === null ? '' : `AUC ${figure(found.auc)} `}on ${found.dataset}, ${moment(found.at, timezone)}`
}

function parity({ parity: found, view, timezone, model, terminal }: ModelView) {
  if (found === undefined)
    return html`${stateMark('expected', 'none')}${terminal(' ', `parity ${model.name} --as-of D`)}`
  const { newest, checked, at_parity: equal } = found
  const face: Face = newest.differing === null ? 'held' : newest.differing === 0 ? 'published' : 'failed'
  const result =
    newest.differing === null
      ? 'could not be checked'
      : newest.differing === 0
        ? 'at parity'
        : `${newest.differing} values differ`
  return html`${stateMark(face, result)} view ${view}, ${newest.partition}, checked ${moment(newest.checked_at, timezone)}; ${equal} of the last ${checked} checks at parity`
}

/** The nights that count for the gate: by the same rule as its item `shadow`. */
function shadow({ standings, versions, model }: ModelView) {
  const [newest] = versions
  const found = standings.find(({ version }) => version === newest?.version)
  if (found === undefined)
    return html`${stateMark('expected', 'no nights')} ${model.shadow.min_nights} are required`
  const { counted, required, breaches, passed } = found
  const face: Face = breaches.length > 0 ? 'failed' : passed ? 'published' : 'waiting'
  return html`${stateMark(face, countText({ counted, required }))}${breaches.map((breach) => html` Not met: ${breach}.`)} <a href="#shadow">Comparison</a>`
}
