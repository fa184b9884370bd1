import { html } from 'hono/html'
import type { Trust } from '../../../monitoring/trust/trust.ts'
import { modelHref } from '../../addresses.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import { column, labelled, table } from '../../table.ts'
import { wordsOfAnswer } from './choose-models.ts'
import type { ModelOverview, Overview } from './load.ts'
import { incidentLinks, listOf } from './verdict.ts'

const MOST_LETTERS = 160

/** A row a model, the worst first. */
export function modelRows({ models, project, now }: Overview) {
  return table(
    'Models, the worst first',
    models,
    [
      column('Model', ({ name }: ModelOverview) => html`<a href="${modelHref(name)}">${name}</a>`),
      column('Verdict', ({ trust }) => verdict(trust)),
      {
        heading: 'Readers have',
        label: 'List',
        class: 'list-held',
        cell: (model) => listOf(model, project, now),
      },
      labelled('Open incidents', ({ incidents }) => (incidents.length === 0 ? '' : incidentLinks(incidents))),
      labelled('Next due', ({ latest: { next } }) => moment(next?.due, project.timezone)),
    ],
    { class: 'stack models' },
  )
}

function verdict(trust: Trust) {
  const why = worst(trust)
  const shown = why.length <= MOST_LETTERS ? why : `${why.slice(0, MOST_LETTERS)}…`
  return html`${stateMark(trust.face, wordsOfAnswer(trust.answer))}${why === '' ? '' : html` <span class="quiet small why">${shown}</span>`}`
}

/** The worst of what speaks against the list, and which newer one is missing; empty if nothing does. */
function worst({ answer, reasons, missing }: Trust): string {
  const isOverdue = missing !== undefined && !missing.isPending
  const [first] = reasons
  const against = first?.face === 'failed' || (answer !== 'yes' && !isOverdue) ? [first?.text ?? ''] : []
  return [...against, ...(isOverdue ? [`${missing.partition} is missing. ${missing.text}`] : [])].join(' ')
}
