import { html } from 'hono/html'
import type { Project } from '../../../project/project.ts'
import type { Html } from '../../layout.ts'
import { moment } from '../../moment.ts'
import type { Terminal } from '../../terminal.ts'
import { measured } from '../model/segments.ts'
import type { Night } from './load.ts'
import { whyUnmeasured } from './why-unmeasured.ts'

/** Realized outcomes of the night's scores, or when they will be known. */
export function outcome(
  { slot, run, outcome: found }: Night,
  { models, timezone }: Pick<Project, 'models' | 'timezone'>,
  now: Date,
  terminal: Terminal,
): Html | '' {
  const model = slot.kind === 'scores' ? models[slot.name] : undefined
  if (model === undefined || (found === undefined && run?.state !== 'published')) return ''
  if (found?.report != null) {
    const of = found.run === null || found.run === run?.id ? '' : `, of the scores of run ${found.run}`
    return measured(found.report, model, `Realized outcomes${of}`)
  }
  const text =
    found?.state === 'immature'
      ? html`Not known yet: ${whyUnmeasured(found, { now, timezone, terminal }) ?? html`its labels mature ${moment(found.matures_at, timezone)}`}.`
      : found?.state === 'failed'
        ? html`It could not be measured: ${found.note}`
        : model.labels === undefined
          ? html`The model has no labels.`
          : html`Nothing is recorded.`
  return html`<section class="card" aria-labelledby="outcome"><h2 id="outcome">Realized outcomes</h2><p>${text}</p></section>`
}
