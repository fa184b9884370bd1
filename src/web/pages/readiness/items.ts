import { html } from 'hono/html'
import { ITEMS } from '../../../readiness/gate.ts'
import type { RecordedItem } from '../../../readiness/gate-on-record.ts'
import type { Item } from '../../../readiness/item.ts'
import type { Waiver } from '../../../readiness/waivers.ts'
import type { Html } from '../../layout.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import { column, table } from '../../table.ts'
import type { Terminal } from '../../terminal.ts'
import type { ReadinessView } from './load.ts'
import { strip } from './strip.ts'

export const FACES = { pass: 'published', fail: 'failed', waived: 'held' } as const

/** The eleven items: what the gate last said of each, and what it said of the champion on earlier days. */
export function itemsTable(view: ReadinessView) {
  const { answer, days, waivers, model, version, terminal } = view
  const { timezone } = view.project
  const said = (id: string) => answer?.gate.items.find((each) => each.id === id)
  const check = terminal('', `check ${model.name}${version === null ? '' : ` --version ${version}`}`)
  return html`<section class="card" aria-labelledby="items"><h2 id="items">Items of the gate</h2>
${table(
  'Items of the gate',
  ITEMS,
  [
    column('Item', ({ title, question }: Item) => html`${title}<div class="small quiet">${question}</div>`),
    column('Status', ({ id }) => {
      const item = said(id)
      return item === undefined
        ? stateMark('expected', 'not asked')
        : html`${stateMark(FACES[item.status], item.status)}<div class="small quiet each">${moment(answer?.gate.at, timezone)}</div>`
    }),
    {
      heading: 'Evidence',
      class: 'evidence',
      cell: ({ id, title }) =>
        evidence(
          title,
          said(id),
          waivers.find(({ item }) => item === id),
          { check, terminal },
        ),
    },
    column('Champion, day by day', ({ id, title }) => strip(days, id, title)),
  ],
  { id: ({ id }) => id },
)}
${
  days.length === 0
    ? html`<p class="small quiet">No day is on record: the scheduler asks once a day about the champion, from seven in the morning.</p>`
    : html`<p class="small quiet">Day by day: what the daily question found of the champion, ${days.at(-1)?.day} to ${days[0]?.day}. A full bar fails, a half bar is waived, a line passes.</p>`
}</section>`
}

function evidence(
  title: string,
  item: RecordedItem | undefined,
  waiver: Waiver | undefined,
  { check, terminal }: { check: Html; terminal: Terminal },
) {
  if (item === undefined) return html`<span class="quiet small">${check}</span>`
  const text =
    item.link == null
      ? withCode(item.evidence)
      : html`${withCode(item.evidence)} <a href="${item.link}">Evidence<span class="sr"> of ${title}</span></a>`
  const excused =
    item.status !== 'waived' || waiver === undefined
      ? ''
      : html`<div class="small text-held">Waived until ${waiver.until} by ${waiver.by}: ${waiver.reason}</div>`
  return html`${text}${excused}${item.fix == null ? '' : fixOf(item.fix, terminal)}`
}

/** Most are commands; others say what to edit first. */
function fixOf(fix: string, terminal: Terminal) {
  if (fix.startsWith('nightshift '))
    return html`<div class="small">${terminal('', fix.replace('nightshift ', ''))}</div>`
  return html`<div class="small">To mend it: ${withCode(fix)}</div>`
}

function withCode(text: string) {
  return text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))
}
