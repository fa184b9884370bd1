import { count, figure, interval } from '../../format/numbers.ts'
import { percent } from '../../format/shares.ts'
import type { Tenth } from '../../pipeline/evaluation/curves.ts'
import type { Chart } from '../chart.ts'
import { look, type Sides } from './ranking-charts.ts'
import { type Axis, xyChart } from './xy-chart.ts'

export interface CalibratedSide {
  name: string
  tenths: Tenth[]
}

/** What was predicted against what came true, by tenths of the rows, each with its 95 % interval. */
export function calibrationChart(
  sides: Sides<CalibratedSide>,
  { unit, description }: { unit: Axis['unit']; description: string },
): Chart {
  const show = (value: number) => (unit === 'share' ? percent(value) : figure(value))
  const all = sides.flatMap(({ tenths }) =>
    tenths.flatMap(({ mean_score, realized, low, high }) => [
      mean_score,
      realized,
      low ?? realized,
      high ?? realized,
    ]),
  )
  const ends = unit === 'share' ? [0, Math.min(1, Math.max(...all))] : [Math.min(...all), Math.max(...all)]
  const [from = 0, to = 1] = ends
  return xyChart({
    title: 'Calibration',
    description,
    x: { name: 'mean score', unit },
    y: { name: unit === 'share' ? 'share that came true' : 'mean that came true', unit },
    lines: [
      ...sides.map(({ name, tenths }, index) => ({
        name,
        colour: look(index).colour,
        as: 'dots' as const,
        points: tenths.map(({ mean_score, realized }): [number, number] => [mean_score, realized]),
        bounds: tenths.map(({ low, high }): [number, number] | null =>
          low === null || high === null ? null : [low, high],
        ),
      })),
      {
        name: 'as predicted',
        colour: 'reference',
        as: 'thin',
        unnamed: true,
        points: [
          [from, from],
          [to, to],
        ],
      },
    ],
    table: {
      by: 'tenth of the rows',
      head: [
        'tenth, lowest scores first',
        ...sides.flatMap(({ name }) => [`${name}: rows`, 'predicted', 'came true', '95 % interval']),
      ],
      rows: Array.from({ length: Math.max(...sides.map(({ tenths }) => tenths.length)) }, (_, index) => [
        String(index + 1),
        ...sides.flatMap(({ tenths }) => {
          const tenth = tenths[index]
          if (tenth === undefined) return ['', '', '', '']
          return [count(tenth.rows), show(tenth.mean_score), show(tenth.realized), interval(tenth, show)]
        }),
      ]),
    },
  })
}
