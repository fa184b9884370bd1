import { paint, type Theme } from './colours.ts'
import { escaped } from './escape.ts'
import type { Nights } from './night-axis.ts'

/**
 * alerting  drifted on as many nights as an alert needs     red, with an exclamation mark
 * drifted   over its threshold                              orange, with a dot
 * near      at half of its threshold and more               grey
 * quiet     below that                                      pale
 * unknown   not enough rows, or no values                   an outline
 * none      no reference, no such column, no such night     nothing
 */
export type CellState = 'alerting' | 'drifted' | 'near' | 'quiet' | 'unknown' | 'none'

export interface Cell {
  state: CellState
  /** Tooltip of drifted cells. */
  text?: string
}

export interface HeatRow {
  column: string
  cells: Cell[]
  /** The row in words. */
  description: string
}

const HEIGHT = 18
const SAYS: Record<CellState, string> = {
  alerting: 'drifted, and alerting',
  drifted: 'drifted',
  near: 'over half of the threshold',
  quiet: 'no drift',
  unknown: 'not compared',
  none: 'blank: no such night, or nothing to compare with',
}

/**
 * Columns by nights, as a table of strips: the names stay while the nights scroll. `apart` nights (filled in later)
 * have smaller cells. Hand-written SVG: 1,200 cells in ECharts would be too slow for the page.
 */
export function driftHeatmap(
  nights: Nights,
  rows: HeatRow[],
  { apart, theme = 'page' }: { apart: boolean[]; theme?: Theme },
): string {
  const width = Math.max(7, Math.min(20, Math.floor(960 / Math.max(1, nights.labels.length))))
  const strips = rows.map(
    ({ column, cells, description }) =>
      `<tr><th scope="row">${escaped(column)}</th><td>${strip(cells, { width, nights, apart, theme, description: `${column}: ${description}` })}</td></tr>`,
  )
  return (
    `<table class="heat"><thead><tr><th scope="col">column</th><td>${header(nights, width, theme)}</td></tr></thead>` +
    `<tbody>${strips.join('')}</tbody></table>`
  )
}

/** The legend, as list items. */
export function heatmapLegend(theme: Theme = 'page'): string {
  const states: CellState[] = ['alerting', 'drifted', 'near', 'quiet', 'unknown', 'none']
  const sample = (state: CellState, small = false) =>
    `<svg viewBox="0 0 16 ${HEIGHT}" width="16" height="${HEIGHT}" aria-hidden="true">${signs([{ state }], { width: 16, apart: [small], theme })}</svg>`
  return [
    ...states.map((state) => `<li>${sample(state)} ${SAYS[state]}</li>`),
    `<li>${sample('near', true)} small: filled in later</li>`,
  ].join('')
}

interface Drawing {
  width: number
  apart: boolean[]
  theme: Theme
}

function strip(
  cells: Cell[],
  { nights, description, ...drawing }: Drawing & { nights: Nights; description: string },
): string {
  const { width, theme } = drawing
  const lines = nights.marks
    .map(
      ({ at }) =>
        `<path d="M${at * width} 0v${HEIGHT}" stroke="${paint('mark', theme)}" stroke-width="1.5"/>`,
    )
    .join('')
  const tooltips = cells.map(({ text }, index) =>
    text === undefined
      ? ''
      : `<rect x="${index * width}" width="${width}" height="${HEIGHT}" fill="transparent"><title>${escaped(text)}</title></rect>`,
  )
  const size = `viewBox="0 0 ${cells.length * width} ${HEIGHT}" width="${cells.length * width}" height="${HEIGHT}"`
  return `<svg ${size} role="img" aria-label="${escaped(description)}">${signs(cells, drawing)}${lines}${tooltips.join('')}</svg>`
}

/** One path for all cells of a state: a few hundred bytes a strip. */
function signs(cells: Cell[], { width, apart, theme }: Drawing): string {
  const squares = new Map<CellState, string>()
  const inner = new Map<CellState, string>()
  cells.forEach(({ state }, index) => {
    const small = apart[index] === true
    const [x, w] = small ? [index * width + width / 4, width / 2] : [index * width + 0.5, width - 1]
    const [y, h] = small ? [5, HEIGHT - 10] : [1, HEIGHT - 2]
    const inset = state === 'unknown' ? 1 : 0
    const box = `M${x + inset} ${y + inset}h${w - 2 * inset}v${h - 2 * inset}h${2 * inset - w}z`
    squares.set(state, (squares.get(state) ?? '') + box)
    inner.set(state, (inner.get(state) ?? '') + sign(state, index * width + width / 2, small))
  })
  return [...squares]
    .map(([state, path]) => {
      const on = inner.get(state) ?? ''
      return look(state, path, theme) + (on === '' ? '' : `<path d="${on}" fill="${paint('paper', theme)}"/>`)
    })
    .join('')
}

function look(state: CellState, path: string, theme: Theme): string {
  switch (state) {
    case 'alerting':
      return `<path d="${path}" fill="${paint('alert', theme)}"/>`
    case 'drifted':
      return `<path d="${path}" fill="${paint('warning', theme)}"/>`
    case 'near':
      return `<path d="${path}" fill="${paint('reference', theme)}" fill-opacity=".6"/>`
    case 'quiet':
      return `<path d="${path}" fill="${paint('line', theme)}"/>`
    case 'unknown':
      return `<path d="${path}" fill="none" stroke="${paint('reference', theme)}"/>`
    case 'none':
      return ''
  }
}

/** A mark upon a cell, centred at x: an exclamation mark, or a dot. */
function sign(state: CellState, x: number, small: boolean): string {
  if (state === 'alerting' && !small) return `M${x - 1} 4.5h2v5.5h-2zM${x - 1} 11.5h2v2h-2z`
  if (state === 'drifted' && !small) return `M${x - 1.5} 7.5h3v3h-3z`
  return ''
}

/** Dates, and where the champion changed. */
function header({ labels, marks }: Nights, width: number, theme: Theme): string {
  const every = Math.ceil(48 / width)
  const dates = labels
    .map((label, index) =>
      index % every === 0 && (labels.length - index) * width > 34
        ? `<text x="${index * width}" y="26">${escaped(label.replace(/^\d{4}-/, ''))}</text>`
        : '',
    )
    .join('')
  const changes = marks
    .map(
      ({ at, text }) =>
        `<text x="${at * width - 4}" y="10" fill="${paint('mark', theme)}" font-weight="bold">▾ ${escaped(text)}</text>`,
    )
    .join('')
  const size = `viewBox="0 0 ${labels.length * width} 30" width="${labels.length * width}" height="30"`
  return `<svg ${size} aria-hidden="true" font-size="11" fill="${paint('quiet', theme)}">${dates}${changes}</svg>`
}
