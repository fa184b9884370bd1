import { count, figure } from '../../format/numbers.ts'
import { percent } from '../../format/shares.ts'
import { type Ranking, SHARES } from '../../pipeline/evaluation/curves.ts'
import type { Chart, Figures } from '../chart.ts'
import type { Colour } from '../colours.ts'
import { type Axis, type Line, xyChart } from './xy-chart.ts'

/** One version's ranking of the rows, and what it is called. */
export interface RankedSide {
  name: string
  ranking: Ranking
}

/** At most two sides, of the same rows: the version itself and the one that it is compared with. */
export type Sides<Side> = [Side, ...Side[]]

const LOOKS: { colour: Colour; as: Line['as'] }[] = [
  { colour: 'tonight', as: 'line' },
  { colour: 'estimate', as: 'dashed' },
]

/** Colour and stroke of the first and of the second side. */
export function look(index: number): { colour: Colour; as: Line['as'] } {
  return LOOKS[Math.min(index, LOOKS.length - 1)] ?? { colour: 'tonight', as: 'line' }
}

/** Shares at a kept score: of the rows, of the positives and of the negatives at or above it, and their precision. */
export interface RankPoint {
  score: number
  rows: number
  selected: number
  found: number
  flagged: number
  precision: number
}

export function pointsOf({ score, rows, positives }: Ranking): RankPoint[] {
  const [all, hits] = [rows.at(-1) ?? 0, positives.at(-1) ?? 0]
  return rows.map((above, index) => {
    const found = positives[index] ?? 0
    return {
      score: score[index] ?? 0,
      rows: above,
      selected: above / all,
      found: hits === 0 ? 0 : found / hits,
      flagged: all === hits ? 0 : (above - found) / (all - hits),
      precision: found / above,
    }
  })
}

/** The share of positives among all rows. */
export function baseRate({ rows, positives }: Ranking): number {
  return (positives.at(-1) ?? 0) / (rows.at(-1) ?? 1)
}

/** The share of the positives among the highest-scored share of rows, between kept points on a straight line. */
export function foundAt(ranking: Ranking, selected: number): number {
  let before = { selected: 0, found: 0 }
  for (const point of pointsOf(ranking)) {
    if (point.selected >= selected) {
      const step = (selected - before.selected) / (point.selected - before.selected)
      return before.found + step * (point.found - before.found)
    }
    before = point
  }
  return 1
}

/** Where the threshold of model.yaml decides. */
export type Decided = Pick<RankPoint, 'flagged' | 'found' | 'precision'> & { threshold: number }

const SELECTED: Axis = { name: 'share of rows, highest scores first', unit: 'share', min: 0, max: 1 }

/** Positives found against negatives flagged, at every threshold. */
export function roc(sides: Sides<RankedSide>, description: string, decided?: Decided): Chart {
  return xyChart({
    title: 'ROC',
    description,
    x: { name: 'share of negatives flagged (false positive rate)', unit: 'share', min: 0, max: 1 },
    y: { name: 'share of positives found', unit: 'share', min: 0, max: 1 },
    lines: [
      ...linesOf(sides, ({ flagged, found }) => [flagged, found], [0, 0]),
      ...threshold(decided, ({ flagged, found }) => [flagged, found]),
      chance('random order', [
        [0, 0],
        [1, 1],
      ]),
    ],
    table: tableOf(sides, 'share of negatives', ({ flagged }) => percent(flagged)),
  })
}

/** Precision against recall. */
export function precisionRecall(sides: Sides<RankedSide>, description: string, decided?: Decided): Chart {
  const rate = baseRate(sides[0].ranking)
  return xyChart({
    title: 'Precision and recall',
    description,
    x: { name: 'share of positives found (recall)', unit: 'share', min: 0, max: 1 },
    y: { name: 'share of positives among those flagged (precision)', unit: 'share', min: 0, max: 1 },
    lines: [
      ...linesOf(sides, ({ found, precision }) => [found, precision]),
      ...threshold(decided, ({ found, precision }) => [found, precision]),
      chance('random order', [
        [0, rate],
        [1, rate],
      ]),
    ],
    table: tableOf(sides, 'precision', ({ precision }) => percent(precision)),
  })
}

/** Positives found among the highest-scored rows. */
export function gains(sides: Sides<RankedSide>, description: string): Chart {
  return xyChart({
    title: 'Gains',
    description,
    x: SELECTED,
    y: { name: 'share of positives found', unit: 'share', min: 0, max: 1 },
    lines: [
      ...linesOf(sides, ({ selected, found }) => [selected, found], [0, 0]),
      chance('random order', [
        [0, 0],
        [1, 1],
      ]),
    ],
    table: tableOf(sides, 'positives found', ({ found }) => percent(found)),
  })
}

/** How many times as many positives as in a random order. */
export function lift(sides: Sides<RankedSide>, description: string): Chart {
  return xyChart({
    title: 'Lift',
    description,
    x: SELECTED,
    y: { name: 'times as many positives as in a random order', unit: 'figure', min: 0 },
    lines: [
      ...linesOf(sides, ({ selected, found }) => [selected, found / selected]),
      chance('random order', [
        [0, 1],
        [1, 1],
      ]),
    ],
    table: tableOf(sides, 'lift', ({ selected, found }) => figure(found / selected)),
  })
}

function linesOf(
  sides: Sides<RankedSide>,
  at: (point: RankPoint) => [number, number],
  origin?: [number, number],
): Line[] {
  return sides.map(({ name, ranking }, index) => ({
    name,
    ...look(index),
    points: [...(origin === undefined ? [] : [origin]), ...pointsOf(ranking).map(at)],
  }))
}

function threshold(decided: Decided | undefined, at: (point: Decided) => [number, number]): Line[] {
  if (decided === undefined) return []
  return [
    { name: `threshold ${figure(decided.threshold)}`, colour: 'mark', as: 'dots', points: [at(decided)] },
  ]
}

function chance(name: string, points: Line['points']): Line {
  return { name, colour: 'reference', as: 'thin', points, unnamed: true }
}

/** The kept point nearest to each of a few shares of the rows. */
function tableOf(sides: Sides<RankedSide>, heading: string, cell: (point: RankPoint) => string): Figures {
  const all = sides.map(({ ranking }) => pointsOf(ranking))
  const nearest = (points: RankPoint[], share: number) =>
    points.reduce((best, point) =>
      Math.abs(point.selected - share) < Math.abs(best.selected - share) ? point : best,
    )
  return {
    by: 'highest scores',
    head: ['highest scores', ...sides.flatMap(({ name }) => [`${name}: rows`, 'score from', heading])],
    rows: SHARES.map((share) => [
      percent(share),
      ...all.flatMap((points) => {
        const point = nearest(points, share)
        return [count(point.rows), figure(point.score), cell(point)]
      }),
    ]),
  }
}
