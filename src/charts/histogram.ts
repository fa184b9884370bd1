import { figure, rounded } from '../format/numbers.ts'
import { timeText } from '../format/time-text.ts'
import type { NumberProfile } from '../pipeline/profile/profile.ts'
import type { Chart } from './chart.ts'
import { colour } from './colours.ts'
import { type Bin, binsOf, nullShare } from './histogram-bins.ts'
import {
  AXIS_LINE,
  FILL,
  head,
  headHeight,
  hundredfold,
  LABEL,
  labelled,
  NO_ROWS,
  nullsText,
  SIDES,
  type Side,
  STILL,
  seriesNames,
  type Words,
  withRows,
} from './sides.ts'

const GAP = 10
const PLOT = 182
const BOTTOM = 30

/** Two outlines over one value axis, with bars for nulls and infinities next to them, if there are any. */
export function histogram(
  reference: NumberProfile,
  tonight: NumberProfile,
  words: Words,
  width: number,
): Chart {
  const bins = binsOf(reference, tonight)
  const strays = straysOf(reference, tonight)
  const names = seriesNames(reference, tonight, words, width)
  const top = headHeight(names) + GAP
  const full = withRows(reference, tonight, words)
  const axes = valueAxes(tonight, bins)
  const beside =
    strays.length === 0
      ? undefined
      : strayBars(strays, names, { top, xAxisIndex: axes.length, isEmpty: tonight.rows === 0 })
  const figures =
    tonight.rows === 0 ? [NO_ROWS] : [meansText(reference, tonight), nullsText(reference, tonight)]
  return {
    title: tonight.column,
    description: [...figures, `${full.reference}, ${full.tonight}`].join('; '),
    height: top + PLOT + BOTTOM,
    option: {
      ...head(tonight.column, figures.join('   '), names, width),
      grid: [{ left: 48, right: 16 + (beside?.width ?? 0), top, bottom: BOTTOM }, ...(beside?.grid ?? [])],
      xAxis: [...axes, ...(beside?.xAxis ?? [])],
      yAxis: [
        {
          type: 'value',
          min: 0,
          ...(bins.some((bin) => Math.max(bin.reference, bin.tonight) > 0.8)
            ? { max: 100, interval: 25 }
            : {}),
          splitNumber: 3,
          splitLine: { lineStyle: { color: colour('line') } },
          axisLine: { show: false },
          axisTick: { show: false },
          axisLabel: { ...LABEL, formatter: '{value} %' },
        },
        ...(beside?.yAxis ?? []),
      ],
      series: [
        ...SIDES.map((side) => ({
          ...STILL,
          name: names[side],
          type: 'line' as const,
          step: 'end' as const,
          symbol: 'none',
          data: outline(tonight, bins, side),
          itemStyle: FILL[side],
          lineStyle:
            side === 'reference' ? { width: 1, color: colour('reference') } : { width: 2, ...FILL[side] },
          areaStyle: { ...FILL[side], opacity: side === 'reference' ? 0.75 : 0.1 },
        })),
        ...(beside?.series ?? []),
      ],
    },
  }
}

interface Stray {
  name: string
  reference: number
  tonight: number
}

/** Nulls and infinities, if either side has any: the value axis cannot show them. */
function straysOf(reference: NumberProfile, tonight: NumberProfile): Stray[] {
  const infinite = ({ infinite, rows }: NumberProfile) => (rows === 0 ? 0 : infinite / rows)
  return [
    { name: 'null', reference: nullShare(reference), tonight: nullShare(tonight) },
    { name: 'NaN, ∞', reference: infinite(reference), tonight: infinite(tonight) },
  ].filter((stray) => stray.reference > 0 || stray.tonight > 0)
}

function strayBars(
  strays: Stray[],
  names: Words,
  { top, xAxisIndex, isEmpty }: { top: number; xAxisIndex: number; isEmpty: boolean },
) {
  const width = 92 * strays.length
  return {
    width: width + 24,
    grid: [{ right: 8, width, top, bottom: BOTTOM }],
    xAxis: [
      {
        type: 'category' as const,
        gridIndex: 1,
        data: strays.map(({ name }) => name),
        axisTick: { show: false },
        axisLine: AXIS_LINE,
        axisLabel: LABEL,
      },
    ],
    yAxis: [{ type: 'value' as const, gridIndex: 1, min: 0, max: 100, show: false }],
    series: SIDES.map((side) => ({
      ...STILL,
      type: 'bar' as const,
      name: names[side],
      xAxisIndex,
      yAxisIndex: 1,
      barGap: '25%',
      barCategoryGap: '30%',
      itemStyle: FILL[side],
      data: isEmpty && side === 'tonight' ? [] : strays.map((stray) => leaning(stray[side], side)),
    })),
  }
}

/** The labels above two adjacent bars are aligned away from each other. */
function leaning(share: number, side: Side) {
  const bar = labelled(share, 'top')
  const lean =
    side === 'reference'
      ? { align: 'right' as const, offset: [8, 0] }
      : { align: 'left' as const, offset: [-8, 0] }
  return { ...bar, label: { ...bar.label, ...lean } }
}

/** One axis for the outlines; where each bin is one value, a second names them at their middle. */
function valueAxes(profile: NumberProfile, bins: Bin[]) {
  const [first, last] = [bins[0], bins.at(-1)]
  const axis = { splitLine: { show: false }, axisLine: AXIS_LINE, axisTick: { show: true, ...AXIS_LINE } }
  const ends = { min: onAxis(profile, first?.from ?? 0), max: onAxis(profile, last?.to ?? 1) }
  if (isTime(profile)) {
    return [{ ...axis, ...ends, type: 'time' as const, axisLabel: { ...LABEL, hideOverlap: true } }]
  }
  const whole = first !== undefined && /INT/.test(profile.type) && first.to - first.from === 1
  const constant = bins.length === 1 && profile.min === profile.max && profile.min !== null
  if (!whole && !constant) {
    return [
      {
        ...axis,
        ...ends,
        type: 'value' as const,
        axisLabel: { ...LABEL, showMinLabel: isRound(bins), showMaxLabel: false },
      },
    ]
  }
  const names = constant ? [figure(profile.min)] : bins.map(({ from }) => String(from))
  return [
    { ...axis, ...ends, type: 'value' as const, show: false },
    { ...axis, type: 'category' as const, position: 'bottom' as const, data: names, axisLabel: LABEL },
  ]
}

/** The axis begins at one of its own steps: its first name does not crowd the second. */
function isRound(bins: Bin[]): boolean {
  const [from, to] = [bins[0]?.from ?? 0, bins.at(-1)?.to ?? 1]
  const least = (to - from) / 5
  const power = 10 ** Math.floor(Math.log10(least))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= least * 0.8) ?? least
  return Math.abs(from / step - Math.round(from / step)) < 1e-6
}

/** The outline of a histogram: each share holds until the next bin begins. */
function outline(profile: NumberProfile, bins: Bin[], side: Side): [number, number][] {
  const last = bins.at(-1)
  if (last === undefined) return []
  const points = bins.map((bin): [number, number] => [onAxis(profile, bin.from), hundredfold(bin[side])])
  return [...points, [onAxis(profile, last.to), hundredfold(last[side])]]
}

function isTime({ type }: NumberProfile): boolean {
  return /DATE|TIME/.test(type)
}

/** The axis of times counts milliseconds, a profile seconds. */
function onAxis(profile: NumberProfile, value: number): number {
  return isTime(profile) ? value * 1000 : rounded(value, 12)
}

function meansText(reference: NumberProfile, tonight: NumberProfile): string {
  if (tonight.mean === null) return 'no values tonight'
  if (!isTime(tonight)) return `mean ${figure(reference.mean, '-')} → ${figure(tonight.mean)}`
  const day = (seconds: number | null) => timeText(seconds, 'DATE') ?? '-'
  return `mean ${day(reference.mean)} → ${day(tonight.mean)}`
}
