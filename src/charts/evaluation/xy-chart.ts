import { rounded } from '../../format/numbers.ts'
import type { Chart, Figures } from '../chart.ts'
import { type Colour, colour } from '../colours.ts'
import { TIME_FONT_SIZE, TIME_LABEL } from '../night-axis.ts'
import { STILL } from '../sides.ts'

export interface Axis {
  name: string
  /** A `share` reads as percentage. */
  unit: 'share' | 'figure'
  /** Default: as the values need. */
  min?: number
  max?: number
}

export interface Line {
  name: string
  colour: Colour
  as: 'line' | 'dashed' | 'thin' | 'dots'
  points: [x: number, y: number][]
  /** Not in the legend, because the sentence beside the picture names it. */
  unnamed?: true
  /** A vertical stroke at each point. */
  bounds?: ([low: number, high: number] | null)[]
}

/** Pixels: of the plot with its axis, of a line of the legend, and of the name of the upright axis. */
const [PLOT, LEGEND, AXIS_NAME] = [246, 18, 24]
/** Fonts of pages are wider than ECharts reckons with. */
const ITEM_GAP = 24
/** Entries of the legend on a line. */
const ON_A_LINE = 2
const HUNDRED = 100

/** Lines over two axes of numbers, such as a ROC curve. */
export function xyChart({
  title,
  description,
  x,
  y,
  lines,
  table,
}: {
  title: string
  description: string
  x: Axis
  y: Axis
  lines: Line[]
  table?: Figures | undefined
}): Chart {
  const named = lines.filter(({ unnamed }) => unnamed !== true)
  const top = Math.ceil(named.length / ON_A_LINE) * LEGEND + AXIS_NAME
  const at = ([across, up]: [number, number]) => [scaled(across, x), scaled(up, y)]
  return {
    title,
    description,
    height: top + PLOT,
    ...(table === undefined ? {} : { table }),
    option: {
      legend: {
        left: 0,
        top: 0,
        itemWidth: 20,
        itemHeight: 8,
        itemGap: ITEM_GAP,
        padding: [2, 0],
        selectedMode: false,
        data: named.map(({ name, as }) => ({ name, ...(as === 'dots' ? { icon: 'circle' } : {}) })),
        textStyle: { color: colour('ink'), fontSize: TIME_FONT_SIZE },
      },
      grid: { left: 58, right: 18, top, bottom: 46 },
      xAxis: { ...axis(x), nameLocation: 'middle', nameGap: 28 },
      yAxis: {
        ...axis(y),
        nameLocation: 'end',
        nameGap: 8,
        nameTextStyle: { ...TIME_LABEL, align: 'left', padding: [0, 0, 0, -52] },
      },
      series: lines.flatMap((line) => [...strokes(line, at), drawn(line, at)]),
    },
  }
}

function axis({ name, unit, min, max }: Axis) {
  return {
    type: 'value' as const,
    name,
    nameTextStyle: TIME_LABEL,
    scale: true,
    ...(unit === 'share' && min === 0 && max === 1 ? { interval: 25 } : { splitNumber: 4 }),
    ...(min === undefined ? {} : { min: min * (unit === 'share' ? HUNDRED : 1) }),
    ...(max === undefined ? {} : { max: max * (unit === 'share' ? HUNDRED : 1) }),
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: colour('line') } },
    axisLabel: { ...TIME_LABEL, hideOverlap: true, formatter: unit === 'share' ? '{value} %' : '{value}' },
  }
}

type Place = (point: [number, number]) => number[]

function drawn({ name, as, colour: paint, points }: Line, at: Place) {
  const own = { color: colour(paint) }
  return {
    ...STILL,
    type: 'line' as const,
    name,
    data: points.map(at),
    symbol: 'circle',
    symbolSize: 7,
    showSymbol: as === 'dots',
    showAllSymbol: true,
    itemStyle: own,
    lineStyle: {
      ...own,
      width: { line: 2, dashed: 2, thin: 1, dots: 0 }[as],
      type: as === 'dashed' ? ('dashed' as const) : as === 'thin' ? ([4, 4] as number[]) : ('solid' as const),
    },
  }
}

function strokes({ colour: paint, points, bounds = [] }: Line, at: Place) {
  return points.flatMap(([x], index) => {
    const own = bounds[index]
    if (own == null) return []
    return {
      ...STILL,
      type: 'line' as const,
      symbol: 'none',
      data: own.map((bound) => at([x, bound])),
      lineStyle: { color: colour(paint), width: 1.5 },
    }
  })
}

function scaled(value: number, { unit }: Axis): number {
  return rounded(unit === 'share' ? value * HUNDRED : value, 8)
}
