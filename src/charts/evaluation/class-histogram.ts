import { figure } from '../../format/numbers.ts'
import { percent } from '../../format/shares.ts'
import type { ScoreHistogram } from '../../pipeline/evaluation/curves.ts'
import type { Chart } from '../chart.ts'
import type { Colour } from '../colours.ts'
import { type Line, xyChart } from './xy-chart.ts'

type Series = ScoreHistogram['series'][number]

const COLOURS: Record<Series['name'], Colour> = {
  negatives: 'reference',
  positives: 'tonight',
  labels: 'reference',
  scores: 'tonight',
}

/** Where the scores of each class lie, as shares of the class, so that a rare class can be seen. */
export function classHistogram(histogram: ScoreHistogram, description: string): Chart {
  const { from, to, series } = histogram
  const bins = series[0]?.counts.length ?? 1
  const edge = (index: number) => from + (index * (to - from)) / bins
  return xyChart({
    title: 'Scores',
    description,
    x: {
      name: series[0]?.name === 'labels' ? 'score, and what came true' : 'score',
      unit: 'figure',
      ...(from === 0 && to === 1 ? { min: 0, max: 1 } : {}),
    },
    y: { name: 'share of the rows', unit: 'share', min: 0 },
    lines: series.map((each) => ({
      name: each.name,
      colour: COLOURS[each.name],
      as: 'line',
      points: outline(each, edge),
    })),
    table: {
      by: 'score',
      head: ['from', 'to', ...series.map(({ name }) => name)],
      rows: Array.from({ length: bins }, (_, index) => [
        figure(edge(index)),
        figure(edge(index + 1)),
        ...series.map((each) => percent((each.counts[index] ?? 0) / total(each))),
      ]),
    },
  })
}

/** Steps, from the axis and back to it. */
function outline(series: Series, edge: (index: number) => number): Line['points'] {
  const all = total(series)
  const shares = series.counts.map((count) => count / all)
  return [
    [edge(0), 0],
    ...shares.flatMap((share, index): Line['points'] => [
      [edge(index), share],
      [edge(index + 1), share],
    ]),
    [edge(shares.length), 0],
  ]
}

function total({ counts }: Series): number {
  return Math.max(
    1,
    counts.reduce((sum, count) => sum + count, 0),
  )
}
