import { html } from 'hono/html'
import { scoreTitle } from '../../../pipeline/onnx/score-output.ts'
import type { Project } from '../../../project/project.ts'
import { registryHref } from '../../addresses.ts'
import { moment } from '../../moment.ts'
import { shortHash } from '../../short-hash.ts'
import { stateMark } from '../../state-mark.ts'
import type { Terminal } from '../../terminal.ts'
import type { Night } from './load.ts'
import { fact } from './summary.ts'

/** The version, view and files from which the scores were computed. */
export function provenance(
  { run, version, evaluation, features, slot }: Night,
  { timezone }: Project,
  terminal: Terminal,
) {
  if (run === undefined) return ''
  const code = (text: string | null | undefined) => (text == null ? '' : html`<code>${text}</code>`)
  const explain = slot.kind === 'scores' && run.state === 'published'
  return html`<section class="card" aria-labelledby="made"><h2 id="made">Provenance</h2>
<dl class="facts">
${version === undefined ? '' : fact('Version', html`<a href="${registryHref(version.model)}">${version.version}</a>, registered ${moment(version.registered_at, timezone)}${version.registered_by === null ? '' : ` by ${version.registered_by}`}`)}
${version === undefined ? '' : fact('Score', scoreTitle(version.mapping.output))}
${fact('Model file', shortHash(version?.sha256))}
${fact('Training set', code(version?.dataset))}
${fact('Evaluation', evaluation === undefined ? '' : html`${stateMark(evaluation.passed ? 'published' : 'failed', evaluation.passed ? 'passed' : 'not passed')} on ${evaluation.dataset}, ${moment(evaluation.at, timezone)}`)}
${fact('View', shortHash(run.view_hash ?? features?.run?.view_hash))}
${fact('Content', shortHash(run.sha256))}
${fact('Data as known at', moment(run.known_at, timezone))}
${fact('Run', code(run.id))}
</dl>
${explain ? html`<p class="small quiet">${terminal('Explain one row: ', `explain ${slot.name} ENTITY --as-of ${slot.partition}`)}${terminal('; re-run without publishing: ', `replay ${run.id}`)}</p>` : ''}
</section>`
}
