import { count, figure, rounded } from '../format/numbers.ts'
import { percent } from '../format/shares.ts'
import type { Chart, Figures } from './chart.ts'
import { type Colour, colour } from './colours.ts'
import { marks, marksText, type Nights, nightAxis, TIME_FONT_SIZE, TIME_LABEL } from './night-axis.ts'
import { STILL } from './sides.ts'

export type Value = number | null

/** One line or set of bars: a value for each night, null where there is none. */
export interface Track {
  name: string
  values: Value[]
  colour: Colour
  /** An `area` is its band alone. */
  as: 'line' | 'dashed' | 'bars' | 'area'
  /** Around the values: lower and upper bounds. */
  band?: { low: Value[]; high: Value[] }
  /** Of an area, 0 to 1. */
  opacity?: number
  /** Back-filled nights, drawn hollow. */
  apart?: boolean[]
}

export interface OverTime {
  title: string
  nights: Nights
  tracks: Track[]
  /** What the values are: `share` reads as percentage. */
  unit: 'share' | 'figure' | 'count' | 'seconds'
  /** A line to reach or to stay above. */
  target?: { value: number; text: string } | undefined
  /** Nights, by position, whose labels are not known yet: shaded. */
  immature?: { from: number; to: number } | undefined
  /** The axis begins at zero. */
  fromZero?: boolean
}

const AREA = 0.2
const AXIS: Record<OverTime['unit'], string> = {
  share: '{value} %',
  figure: '{value}',
  count: '{value}',
  seconds: '{value} s',
}

/** Figures of a model by night, over the axis of nights that all pictures of its page share. */
export function overTime(given: OverTime): Chart {
  const { title, nights, tracks, unit, target, immature } = given
  const scale = unit === 'share' ? 100 : 1
  return {
    title,
    description: describe(given),
    height: 240,
    table: table(given),
    option: {
      legend: legend(tracks),
      grid: { left: 52, right: 14, top: tracks.length > 1 ? 48 : 26, bottom: 26 },
      xAxis: nightAxis(nights),
      yAxis: {
        type: 'value',
        scale: given.fromZero !== true,
        splitNumber: 3,
        splitLine: { lineStyle: { color: colour('line') } },
        axisLabel: { ...TIME_LABEL, formatter: AXIS[unit] },
        ...reach(given, scale),
      },
      series: [
        ...tracks.flatMap((track) => [
          ...band(track, scale),
          ...(track.as === 'area' ? [] : [series(track, scale)]),
        ]),
        {
          ...STILL,
          type: 'line',
          data: [],
          lineStyle: { color: colour('mark') },
          markLine: withTarget(marks(nights), target, scale),
          ...(immature === undefined ? {} : { markArea: shaded(immature) }),
        },
      ],
    },
  }
}

/** The axis reaches the target even where no value does. Scores and shares from low to high have it from 0 to 1. */
function reach({ target, tracks, fromZero, unit }: OverTime, scale: number) {
  const values = tracks.flatMap(({ values, band }) => [
    ...values,
    ...(band?.low ?? []),
    ...(band?.high ?? []),
  ])
  const known = values.filter((value) => value !== null)
  const [low, high] = [Math.min(...known), Math.max(...known)]
  const isPart = (unit === 'share' || unit === 'figure') && (target === undefined || target.value <= 1)
  // One value alone would stand in the middle of an axis that goes on to half as much again.
  const isAlone = low === high && high > 0.4
  if (isPart && high <= 1 && (isAlone || (low >= 0 && low < 0.4 && high > 0.8))) {
    return { min: 0, max: scale, interval: 0.25 * scale }
  }
  if (target === undefined) return {}
  return {
    ...(target.value < low && fromZero !== true ? { min: target.value * scale } : {}),
    ...(target.value > high ? { max: target.value * scale } : {}),
  }
}

function series(track: Track, scale: number) {
  const paint = { color: colour(track.colour) }
  const data = track.values.map((value, index) => point(track, scaled(value, scale), index))
  if (track.as === 'bars') {
    return {
      ...STILL,
      type: 'bar' as const,
      name: track.name,
      itemStyle: paint,
      barCategoryGap: '25%',
      data,
    }
  }
  return {
    ...STILL,
    type: 'line' as const,
    name: track.name,
    data,
    itemStyle: paint,
    lineStyle: {
      ...paint,
      width: 2,
      type: track.as === 'dashed' ? ('dashed' as const) : ('solid' as const),
    },
    // A night between two without a value has no line: a dot shows it.
    showSymbol: true,
    showAllSymbol: true,
    symbol: 'circle',
    symbolSize: 0,
  }
}

function point(track: Track, value: Value, index: number) {
  const lonely =
    track.as !== 'bars' &&
    (track.values[index - 1] ?? null) === null &&
    (track.values[index + 1] ?? null) === null
  if (track.apart?.[index] === true) {
    const hollow = { color: colour('paper'), borderColor: colour(track.colour), borderWidth: 1.5 }
    return { value, symbol: 'circle', symbolSize: 6, itemStyle: hollow }
  }
  return lonely && value !== null ? { value, symbolSize: 5 } : value
}

/** Bounds as a stack: an unseen line at the lower one, and an area from there to the upper one. */
function band({ name, as, band, colour: paint, opacity = AREA }: Track, scale: number) {
  if (band === undefined) return []
  const [low, high] = [
    band.low.map((value) => scaled(value, scale)),
    band.high.map((value) => scaled(value, scale)),
  ]
  const unseen = {
    ...STILL,
    type: 'line' as const,
    stack: `${name} band`,
    stackStrategy: 'all' as const,
    symbol: 'none',
    lineStyle: { width: 0 },
  }
  return [
    { ...unseen, data: low },
    {
      ...unseen,
      ...(as === 'area' ? { name } : {}),
      itemStyle: { color: colour(paint), opacity },
      areaStyle: { color: colour(paint), opacity },
      data: high.map((upper, index) => {
        const lower = low[index] ?? null
        return upper === null || lower === null ? null : rounded(upper - lower, 12)
      }),
    },
  ]
}

function withTarget(lines: ReturnType<typeof marks>, target: OverTime['target'], scale: number) {
  if (target === undefined) return lines
  const line = {
    yAxis: target.value * scale,
    lineStyle: { color: colour('good'), width: 1.5, type: [6, 3] },
    label: {
      formatter: target.text,
      position: 'insideStartTop' as const,
      color: colour('good'),
      fontSize: TIME_FONT_SIZE - 1,
    },
  }
  return { ...lines, data: [...lines.data, line] }
}

function shaded({ from, to }: { from: number; to: number }) {
  return {
    silent: true,
    itemStyle: { color: colour('fill'), opacity: 0.28 },
    label: {
      color: colour('quiet'),
      fontSize: TIME_FONT_SIZE - 1,
      position: 'insideBottom' as const,
    },
    data: [[{ name: to - from < 3 ? '' : 'immature', xAxis: from }, { xAxis: to }]] as [
      { name: string; xAxis: number },
      { xAxis: number },
    ][],
  }
}

function legend(tracks: Track[]) {
  return {
    show: tracks.length > 1,
    left: 0,
    top: 0,
    itemWidth: 20,
    itemHeight: 8,
    itemGap: 14,
    padding: [2, 0],
    selectedMode: false,
    data: tracks.map(({ name, as }) => ({
      name,
      ...(as === 'bars' || as === 'area' ? { icon: 'rect' } : {}),
    })),
    textStyle: { color: colour('ink'), fontSize: TIME_FONT_SIZE },
  }
}

function scaled(value: Value, scale: number): Value {
  return value === null ? null : rounded(value * scale, 8)
}

function describe({ nights, tracks, unit, target, immature }: OverTime): string {
  const shown = (value: number) => inUnit(value, unit)
  const all = tracks
    .filter(({ as }) => as !== 'area')
    .map(({ name, values }) => {
      const known = values.filter((value) => value !== null)
      const last = known.at(-1)
      return last === undefined
        ? `${name}: none yet`
        : `${name}: from ${shown(Math.min(...known))} to ${shown(Math.max(...known))}, last ${shown(last)}`
    })
  return [
    `${nights.labels.length} nights from ${nights.labels[0] ?? '-'} to ${nights.labels.at(-1) ?? '-'}`,
    ...all,
    ...(target === undefined ? [] : [`${target.text} ${shown(target.value)}`]),
    ...(immature === undefined ? [] : [`not known yet from ${nights.labels[immature.from] ?? '-'}`]),
    ...[marksText(nights)].filter((text) => text !== ''),
  ].join('; ')
}

/** The chart's figures by night, for screen readers. */
function table({ nights, tracks, unit }: OverTime): Figures {
  const shown = (value: Value | undefined) =>
    value === null || value === undefined ? '' : inUnit(value, unit)
  return {
    by: 'night',
    overTime: true,
    head: ['night', ...tracks.map(({ name }) => name)],
    rows: nights.labels.map((label, night) => [
      label,
      ...tracks.map(({ values, band }) => {
        const bounds = [shown(band?.low[night]), shown(band?.high[night])].join(' to ')
        return [shown(values[night]), ...(band === undefined || bounds === ' to ' ? [] : [bounds])]
          .filter((text) => text !== '')
          .join(', ')
      }),
    ]),
  }
}

function inUnit(value: number, unit: OverTime['unit']): string {
  return unit === 'share'
    ? percent(value)
    : unit === 'count'
      ? count(value)
      : unit === 'seconds'
        ? `${figure(value)} s`
        : figure(value)
}
