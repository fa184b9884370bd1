import { html } from 'hono/html'
import type { GateAnswer } from '../../../actions/operations/gate-answers.ts'
import { ITEMS } from '../../../readiness/gate.ts'
import { summaryOf } from '../../../readiness/gate-on-record.ts'
import { readinessHref, withQuery } from '../../addresses.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import { column, labelled, table } from '../../table.ts'
import type { ModelOverview, Overview } from './load.ts'

/** What the gate last said of each champion. It is not asked here. */
export function readinessCard({ models, answers, project: { timezone } }: Overview) {
  if (models.length === 0) return ''
  return html`<section class="card" aria-labelledby="ready"><h2 id="ready">Ready for production?</h2>${table(
    'Readiness of the champions',
    models,
    [
      column(
        'Model',
        ({ name, champion }: ModelOverview) =>
          html`<a href="${withQuery(readinessHref(name), { version: champion?.version })}">${name}</a>`,
      ),
      column('Gate', ({ name }) => said(answers.get(name))),
      labelled('Open', (model) => open(model, answers.get(model.name))),
      labelled('Asked', ({ name }) => moment(answers.get(name)?.gate.at, timezone)),
    ],
  )}</section>`
}

function said(answer: GateAnswer | undefined) {
  if (answer === undefined) return stateMark('expected', 'not asked yet')
  const { ready, items } = answer.gate
  const waived = items.some(({ status }) => status === 'waived')
  return stateMark(ready ? (waived ? 'held' : 'published') : 'failed', summaryOf(answer.gate))
}

function open({ name, champion }: ModelOverview, answer: GateAnswer | undefined) {
  if (answer === undefined) {
    const when = champion === undefined ? 'No version is live. Ask' : 'The scheduler asks once a day. Ask now'
    return html`<span class="small">${when}: <code>npx nightshift check ${name}</code></span>`
  }
  const red = answer.gate.items.filter(({ status }) => status === 'fail')
  if (red.length === 0) return html`<span class="quiet">nothing</span>`
  const page = withQuery(readinessHref(name), { version: champion?.version })
  return html`${red.map(({ id }, index) => html`${index === 0 ? '' : ', '}<a href="${page}#${id}">${titleOf(id)}</a>`)}`
}

function titleOf(id: string): string {
  return ITEMS.find((each) => each.id === id)?.title ?? id
}
