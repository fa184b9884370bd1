import { count, figure, interval, rounded } from '../../format/numbers.ts'
import type { Chart } from '../chart.ts'
import { colour } from '../colours.ts'
import { TIME_FONT_SIZE, TIME_LABEL } from '../night-axis.ts'
import { shortened } from '../shorten.ts'
import { STILL } from '../sides.ts'

/** A part of the rows, such as a segment's value: its figure with the interval, and that of another version. */
export interface PartFigure {
  name: string
  rows: number
  value: number | null
  low: number | null
  high: number | null
  other: number | null
}

/** Pixels of a part, of the axis and the legend, and of the names. */
const [EACH, REST, NAMES] = [26, 84, 130]

/** One figure by parts of the rows, a part a line, with 95 % intervals; `whole` is the figure of all rows. */
export function partsChart({
  title,
  description,
  metric,
  parts,
  whole,
  sides,
}: {
  title: string
  description: string
  /** Name of the figure. */
  metric: string
  parts: PartFigure[]
  whole: number | null
  /** The version, and the one it is compared with. */
  sides: [string, string?]
}): Chart {
  const [own, other] = sides
  const row = (index: number) => parts.length - 1 - index
  const dots = (paint: 'tonight' | 'estimate', name: string, at: (part: PartFigure) => number | null) => ({
    ...STILL,
    type: 'line' as const,
    name,
    symbol: paint === 'tonight' ? 'circle' : 'diamond',
    symbolSize: 8,
    showAllSymbol: true,
    lineStyle: { width: 0 },
    itemStyle: { color: colour(paint) },
    data: parts.flatMap((part, index) => {
      const value = at(part)
      return value === null ? [] : [[rounded(value, 8), row(index)]]
    }),
  })
  return {
    title,
    description,
    height: REST + EACH * parts.length,
    table: {
      by: title,
      head: [title, 'rows', own, '95 % interval', ...(other === undefined ? [] : [other])],
      rows: parts.map((part) => [
        part.name,
        count(part.rows),
        figure(part.value, 'none'),
        interval(part),
        ...(other === undefined ? [] : [figure(part.other, 'none')]),
      ]),
    },
    option: {
      legend: {
        left: 0,
        top: 0,
        itemHeight: 8,
        itemWidth: 12,
        itemGap: 14,
        padding: [2, 0],
        selectedMode: false,
        data: [own, ...(other === undefined ? [] : [other])],
        textStyle: { color: colour('ink'), fontSize: TIME_FONT_SIZE },
      },
      grid: { left: NAMES, right: 18, top: 34, bottom: 46 },
      xAxis: {
        type: 'value',
        scale: true,
        splitNumber: 3,
        name: metric,
        nameLocation: 'middle',
        nameGap: 28,
        nameTextStyle: TIME_LABEL,
        splitLine: { lineStyle: { color: colour('line') } },
        axisLabel: { ...TIME_LABEL, hideOverlap: true },
      },
      yAxis: {
        type: 'category',
        data: parts.map(({ name }) => shortened(name, NAMES - 12, { size: TIME_FONT_SIZE })).toReversed(),
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { ...TIME_LABEL, interval: 0 },
      },
      series: [
        ...parts.flatMap(({ low, high }, index) =>
          low === null || high === null
            ? []
            : {
                ...STILL,
                type: 'line' as const,
                symbol: 'none',
                data: [low, high].map((bound) => [rounded(bound, 8), row(index)]),
                lineStyle: { color: colour('tonight'), width: 1.5 },
              },
        ),
        ...(other === undefined ? [] : [dots('estimate', other, (part) => part.other)]),
        dots('tonight', own, ({ value }) => value),
        ...(whole === null
          ? []
          : [
              {
                ...STILL,
                type: 'line' as const,
                data: [],
                markLine: {
                  silent: true,
                  symbol: 'none',
                  label: { show: false },
                  data: [{ xAxis: rounded(whole, 8) }],
                  lineStyle: { color: colour('reference'), width: 1, type: [4, 4] },
                },
              },
            ]),
      ],
    },
  }
}
