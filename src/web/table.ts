import { html } from 'hono/html'
import type { Html } from './layout.ts'

type Content = Html | string | number | null | undefined | (Html | string)[]

export interface Column<Row> {
  heading: Html | string
  cell: (row: Row) => Content
  /** Classes of the heading and of the cells. */
  class?: string
  /** Further classes of a cell. */
  cellClass?: (row: Row) => string
  /** Stands beside the cell where a phone shows the row as a list of facts. */
  label?: string
}

/** A column whose cells need no label on a phone, such as a state. */
export function column<Row>(heading: Html | string, cell: Column<Row>['cell']): Column<Row> {
  return { heading, cell }
}

export function labelled<Row>(heading: string, cell: Column<Row>['cell']): Column<Row> {
  return { heading, cell, label: heading }
}

/** A column of names of models or views, which wrap. */
export function named<Row>(heading: string, cell: Column<Row>['cell']): Column<Row> {
  return { heading, cell, class: 'named' }
}

export function number<Row>(heading: string, cell: Column<Row>['cell']): Column<Row> {
  return { heading, cell, label: heading, class: 'number' }
}

export interface TableOptions<Row> {
  /** Default `stack`: a list of facts on a phone. */
  class?: string
  /** The caption is only read aloud unless this is set. */
  showsCaption?: boolean
  /** Index of the column that names the row. Default 0; undefined in tables whose rows have no name. */
  head?: number | undefined
  /** Name of the box that the table scrolls in. Default: it does not scroll. */
  scroll?: string
  /** Id of a row, for links to it. */
  id?: (row: Row) => string
}

/** A table with a caption, and scopes of its headings. */
export function table<Row>(
  caption: Html | string,
  rows: Row[],
  columns: Column<NoInfer<Row>>[],
  options: TableOptions<NoInfer<Row>> = {},
) {
  const { class: classes = 'stack', showsCaption = false, scroll, id } = options
  const head = 'head' in options ? options.head : 0
  const headings = columns.map((each) => html`<th scope="col"${classOf(each.class)}>${each.heading}</th>`)
  const body = rows.map((row) => {
    const cells = columns.map((each, index) => {
      const attributes = classOf(each.class, each.cellClass?.(row))
      if (index === head) return html`<th scope="row"${attributes}>${each.cell(row)}</th>`
      const label = each.label === undefined ? '' : html` data-label="${each.label}"`
      return html`<td${attributes}${label}>${each.cell(row)}</td>`
    })
    return html`<tr${id === undefined ? '' : html` id="${id(row)}"`}>${cells}</tr>`
  })
  const made = html`<table${classOf(classes)}><caption${classOf(showsCaption ? '' : 'sr')}>${caption}</caption><thead><tr>${headings}</tr></thead>
<tbody>${body}</tbody></table>`
  return scroll === undefined
    ? made
    : html`<div class="scroll" tabindex="0" role="region" aria-label="${scroll}">${made}</div>`
}

function classOf(...classes: (string | undefined)[]) {
  const all = classes.filter((each) => each !== undefined && each !== '').join(' ')
  return all === '' ? '' : html` class="${all}"`
}
