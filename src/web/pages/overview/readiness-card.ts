import { html } from 'hono/html'
import type { GateAnswer } from '../../../actions/operations/gate-answers.ts'
import { ITEMS } from '../../../readiness/gate.ts'
import { summaryOf } from '../../../readiness/gate-on-record.ts'
import { readinessHref, withQuery } from '../../addresses.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import { column, labelled, table } from '../../table.ts'
import type { Terminal } from '../../terminal.ts'
import { MOST_CARDS, worst } from './choose-models.ts'
import type { ModelOverview, Overview } from './load.ts'

/** What the gate last said of each champion. It is not asked here. */
export function readinessCard(overview: Overview, terminal: Terminal) {
  const { models, answers } = overview
  if (models.length === 0) return ''
  const rows = readinessRows(worst(overview), terminal)
  return html`<section class="card" aria-labelledby="ready"><h2 id="ready">Ready for production?</h2>${
    models.length > MOST_CARDS
      ? html`<details><summary>${summary(models, answers)}</summary>${rows}</details>`
      : rows
  }</section>`
}

/** `12 ready, 3 not ready, 5 not asked yet`. */
function summary(models: ModelOverview[], answers: Overview['answers']): string {
  const gates = models.map(({ name }) => answers.get(name)?.gate)
  const counts: [number, string][] = [
    [gates.filter((gate) => gate?.ready === true).length, 'ready'],
    [gates.filter((gate) => gate?.ready === false).length, 'not ready'],
    [gates.filter((gate) => gate === undefined).length, 'not asked yet'],
  ]
  return counts.flatMap(([count, words]) => (count === 0 ? [] : `${count} ${words}`)).join(', ')
}

function readinessRows({ models, answers, project: { timezone } }: Overview, terminal: Terminal) {
  return table('Readiness of the champions', models, [
    column(
      'Model',
      ({ name, champion }: ModelOverview) =>
        html`<a href="${withQuery(readinessHref(name), { version: champion?.version })}">${name}</a>`,
    ),
    column('Gate', ({ name }) => said(answers.get(name))),
    labelled('Open', (model) => open(model, answers.get(model.name), terminal)),
    labelled('Asked', ({ name }) => moment(answers.get(name)?.gate.at, timezone)),
  ])
}

function said(answer: GateAnswer | undefined) {
  if (answer === undefined) return stateMark('expected', 'not asked yet')
  const { ready, items } = answer.gate
  const waived = items.some(({ status }) => status === 'waived')
  return stateMark(ready ? (waived ? 'held' : 'published') : 'failed', summaryOf(answer.gate))
}

function open({ name, champion }: ModelOverview, answer: GateAnswer | undefined, terminal: Terminal) {
  if (answer === undefined) {
    const when = champion === undefined ? 'No version is live.' : 'The scheduler asks once a day.'
    return html`<span class="small">${when}${terminal(' Ask now: ', `check ${name}`)}</span>`
  }
  const red = answer.gate.items.filter(({ status }) => status === 'fail')
  if (red.length === 0) return html`<span class="quiet">nothing</span>`
  const page = withQuery(readinessHref(name), { version: champion?.version })
  return html`${red.map(({ id }, index) => html`${index === 0 ? '' : ', '}<a href="${page}#${id}">${titleOf(id)}</a>`)}`
}

function titleOf(id: string): string {
  return ITEMS.find((each) => each.id === id)?.title ?? id
}
