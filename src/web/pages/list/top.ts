import { html } from 'hono/html'
import type { PublishedList } from '../../../actions/rows/published-list.ts'
import { count, figure, signed } from '../../../format/numbers.ts'
import type { ListedRow } from '../../../pipeline/list/read-list.ts'
import { rowHref } from '../../addresses.ts'
import { column, labelled, number, table } from '../../table.ts'

/** The highest scores, each with its reasons and where it stood before. */
export function topTable(
  { facts, entity, before }: PublishedList,
  night: { model: string; partition: string },
) {
  const { top } = facts
  if (top.length === 0) return html`<p>No score of this night is a number.</p>`
  const decides = top.some(({ decision }) => decision !== null)
  const explains = top.some(({ reasons }) => reasons.length > 0)
  return table(
    `The ${count(top.length)} highest scores`,
    top,
    [
      column<ListedRow>(
        entity.join('/'),
        (row) => html`<a href="${rowHref(night, row.entity)}">${row.entity.join('/')}</a>`,
      ),
      number('Rank', ({ rank }) => count(rank)),
      number('Score', ({ score }) => figure(score)),
      ...(decides
        ? [labelled<ListedRow>('On the list', ({ decision }) => (decision === true ? 'yes' : 'no'))]
        : []),
      ...(before === null ? [] : [labelled<ListedRow>(`Since ${before}`, movement)]),
      ...(explains
        ? [
            {
              ...labelled<ListedRow>(
                'Why',
                ({ reasons }) =>
                  html`${reasons.map(
                    (reason) =>
                      html`<span class="reason">${reason.column} <span class="quiet small">${signed(reason.effect)}</span></span> `,
                  )}`,
              ),
              class: 'why',
            },
          ]
        : []),
    ],
    { class: 'stack list-top' },
  )
}

function movement({ rank, before }: ListedRow): string {
  if (before === null) return 'new'
  const places = before.rank - rank
  if (places === 0) return 'same rank'
  return `${places > 0 ? 'up' : 'down'} ${count(Math.abs(places))}, was ${count(before.rank)}`
}

/** Who is no longer on the list, those that stood highest first. */
export function leavers(
  { facts: { compared }, entity, before }: PublishedList,
  night: { model: string; partition: string },
) {
  if (compared === null || compared.leavers.length === 0) return ''
  const shown = compared.leavers.length
  const caption =
    shown < compared.left ? `The ${shown} of them that stood highest` : 'All of them, the highest first'
  return html`<section class="card" aria-labelledby="left"><h2 id="left">Left the list since ${before}</h2><details><summary>${caption}</summary>
${table(caption, compared.leavers, [
  column(entity.join('/'), (row) =>
    row.now === null
      ? row.entity.join('/')
      : html`<a href="${rowHref(night, row.entity)}">${row.entity.join('/')}</a>`,
  ),
  number('Score before', (row) => figure(row.before)),
  number('Score now', (row) => figure(row.now, 'no longer scored')),
])}</details></section>`
}
