import { html } from 'hono/html'
import type { PublishedList } from '../../../actions/rows/published-list.ts'
import { count, figure, signed } from '../../../format/numbers.ts'
import type { ChangedRow, ListedRow } from '../../../pipeline/list/read-list.ts'
import { rowHref } from '../../addresses.ts'
import { column, labelled, number, table } from '../../table.ts'

/** The highest scores, each with its reasons and where it stood before. */
export function topTable(
  { facts, entity, before }: PublishedList,
  night: { model: string; partition: string },
) {
  const { top } = facts
  if (facts.rows === 0) return ''
  if (top.length === 0) return html`<p>No score of this night is a number.</p>`
  const decides = top.some(({ decision }) => decision !== null)
  const explains = top.some(({ reasons }) => reasons.length > 0)
  return table(
    top.length === 1 ? 'The highest score' : `The ${count(top.length)} highest scores`,
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
      ...(before === null ? [] : [labelled<ListedRow>(`Since ${before.partition}`, movement)]),
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

/** Who is on the list and was not the night before, and who is no longer on it. */
export function changes(list: PublishedList, night: { model: string; partition: string }) {
  const { compared } = list.facts
  if (compared === null) return ''
  return html`${changed(list, night, compared.entrants, compared.entered, {
    title: 'Entered the list',
    tonight: (row) => row.score,
    earlier: (row) => row.other,
  })}${changed(list, night, compared.leavers, compared.left, {
    title: 'Left the list',
    tonight: (row) => row.other,
    earlier: (row) => row.score,
  })}`
}

function changed(
  { entity, before }: PublishedList,
  night: { model: string; partition: string },
  rows: ChangedRow[],
  all: number,
  {
    title,
    tonight,
    earlier,
  }: Record<'tonight' | 'earlier', (row: ChangedRow) => number | null> & { title: string },
) {
  if (rows.length === 0) return ''
  const id = title.split(' ')[0]?.toLowerCase() ?? ''
  const caption =
    rows.length < all
      ? `The ${rows.length} of ${count(all)} with the highest scores`
      : 'All of them, the highest first'
  return html`<section class="card" aria-labelledby="${id}"><h2 id="${id}">${title} since ${before?.partition ?? ''}</h2><details><summary>${caption}</summary>
${table(caption, rows, [
  column(entity.join('/'), (row) =>
    tonight(row) === null
      ? row.entity.join('/')
      : html`<a href="${rowHref(night, row.entity)}">${row.entity.join('/')}</a>`,
  ),
  number('Score before', (row) => figure(earlier(row), 'not scored')),
  number('Score now', (row) => figure(tonight(row), 'no longer scored')),
])}</details></section>`
}
