import { html, raw } from 'hono/html'
import { type Cell, driftHeatmap, type HeatRow, heatmapLegend } from '../../../charts/drift-heatmap.ts'
import { figure } from '../../../format/numbers.ts'
import type { DriftNight } from '../../../monitoring/drift/drift-nights.ts'
import { nameOf } from '../../../pipeline/drift/measures.ts'
import { nightHref } from '../../addresses.ts'
import { DRIFT_FACES, DRIFT_WORDS, driftState } from '../../drift-state.ts'
import { stateMark } from '../../state-mark.ts'
import { column, labelled, number, table } from '../../table.ts'
import type { ModelView } from './load.ts'

/** Columns by nights: which drifted, and since when. */
export function driftSection({ drift, nights, axis, scores, model }: ModelView) {
  if (drift.length === 0) {
    const note = scores.findLast((night) => night?.note != null)?.note
    return html`<section class="card"><h2>Drift</h2><p>No night has been compared with a reference yet${note == null ? '' : `: ${note}`}.</p></section>`
  }
  const columns = columnsOf(drift, nights)
  const apart = nights.map(({ backfilled }) => backfilled)
  const rows = columns.map(({ column, cells }): HeatRow => {
    const drifted = cells.filter((cell) => cell?.drifted)
    const [first] = drifted
    return {
      column,
      description:
        first === undefined
          ? `no drift in ${nights.length === 1 ? 'this night' : `${nights.length} nights`}`
          : nights.length === 1
            ? 'drifted on this night'
            : `drifted on ${drifted.length} of ${nights.length} nights, first on ${first.partition}`,
      cells: cells.map(cellOf),
    }
  })
  const reference = scores.findLast((night) => night?.reference != null)?.reference
  const last = drift.at(-1)?.partition
  return html`<section class="card" aria-labelledby="drift"><h2 id="drift">Drift, columns by nights</h2>
<p class="quiet small">${reference == null ? '' : `Compared with ${reference}. `}${alertsWhen(model.drift.persist)}${last === undefined ? '' : html` <a href="${nightHref({ kind: 'scores', name: model.name, partition: last }, {})}#drift">Before and after of ${last}</a>`}</p>
<div class="heat-box" tabindex="0" role="region" aria-label="Drift of each column by night">${raw(driftHeatmap(axis, rows, { apart }))}</div>
<ul class="heat-legend" aria-label="Legend">${raw(heatmapLegend())}</ul>
<details><summary>Drift as a table</summary>${columnsTable(columns)}</details></section>`
}

/** `2 of 3` as a sentence. */
function alertsWhen(persist: string): string {
  const [drifted, nights] = persist.split(' of ')
  return nights === '1'
    ? 'A column alerts on each night that it drifts.'
    : `A column alerts when it drifted on ${drifted} of the last ${nights} nights.`
}

interface ColumnNights {
  column: string
  cells: (DriftNight | undefined)[]
}

/** The score first, then the columns in the order of the newest night. */
function columnsOf(drift: DriftNight[], nights: ModelView['nights']): ColumnNights[] {
  const positions = new Map(nights.map(({ partition }, index) => [partition, index]))
  const byColumn = new Map<string, { score: boolean; cells: (DriftNight | undefined)[] }>()
  for (const night of drift.toReversed()) {
    const found = byColumn.get(night.column) ?? { score: night.score, cells: new Array(nights.length) }
    const position = positions.get(night.partition)
    if (position !== undefined) found.cells[position] = night
    byColumn.set(night.column, found)
  }
  const all = [...byColumn].map(([column, { score, cells }]) => ({
    column,
    score,
    cells: Array.from({ length: nights.length }, (_, index) => cells[index]),
  }))
  const reversed = all.toReversed()
  return [...reversed.filter(({ score }) => score), ...reversed.filter(({ score }) => !score)]
}

function cellOf(night: DriftNight | undefined): Cell {
  if (night === undefined) return { state: 'none' }
  const { drifted, alerting, value, threshold, partition } = night
  if (drifted) return { state: alerting ? 'alerting' : 'drifted', text: `${partition}: ${reasons(night)}` }
  if (value === null || threshold === null) return { state: 'unknown' }
  return { state: value >= threshold / 2 ? 'near' : 'quiet' }
}

function reasons({ fired, statistic, value, threshold }: DriftNight): string {
  const moved = `${nameOf(statistic)} ${figure(value)} over ${figure(threshold)}`
  const others = fired.filter((test) => test !== 'distribution')
  return [...(fired.includes('distribution') ? [moved] : []), ...others].join(', ') || moved
}

function columnsTable(columns: ColumnNights[]) {
  const rows = columns.map(({ column: name, cells }) => {
    const known = cells.filter((cell) => cell !== undefined)
    return { name, known, last: known.at(-1) }
  })
  return table(
    'Drift by column over the nights shown',
    rows,
    [
      column('Column', ({ name }) => name),
      labelled('Last night', ({ last }) => {
        const found = last && driftState(last)
        return found === undefined ? '' : stateMark(DRIFT_FACES[found], DRIFT_WORDS[found])
      }),
      labelled('Since', ({ known }) => sinceOf(known)),
      number(
        'Nights drifted',
        ({ known }) => `${known.filter(({ drifted }) => drifted).length} of ${known.length}`,
      ),
      number('Statistic', ({ last }) =>
        last === undefined ? '' : `${nameOf(last.statistic)} ${figure(last.value)}`,
      ),
      number('Allowed', ({ last }) => figure(last?.threshold)),
    ],
    { scroll: 'Drift by column' },
  )
}

/** The first night of the current sequence of drifted nights. */
function sinceOf(known: DriftNight[]): string | undefined {
  const calm = known.findLastIndex(({ drifted }) => !drifted)
  return known[calm + 1]?.partition
}
