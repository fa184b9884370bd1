import type { ColumnProfile, NumberProfile } from '../pipeline/profile/profile.ts'
import { type Bin, binsOf, nullShare } from './bins.ts'
import { type Category, categoriesOf } from './categories.ts'
import { type Chart, FONT_SIZE } from './chart.ts'
import { colour } from './colours.ts'
import { amount, count, percent } from './figure.ts'

/** What the two sides are called, such as `holdout of 3f2a9c0b1d` and `2026-11-22`. */
export interface Words {
  reference: string
  tonight: string
}

const LABEL = { color: colour('quiet'), fontSize: FONT_SIZE }
const STILL = { silent: true, emphasis: { disabled: true } }
const REFERENCE = { color: colour('reference'), opacity: 0.55 }
const TONIGHT = { color: colour('tonight') }

/**
 * How a column looked in the reference and how it looks tonight, as shares of all rows: the reference as a grey area
 * (or grey bars), tonight as a blue line over it (or blue bars below). Nulls stand apart, where there are any.
 */
export function beforeAfter(reference: ColumnProfile, tonight: ColumnProfile, words: Words): Chart {
  if (reference.kind === 'number' && tonight.kind === 'number')
    return numbers(reference, tonight, words, binsOf(reference, tonight))
  const categories = categoriesOf(reference, tonight)
  return bars(reference, tonight, words, categories)
}

function numbers(reference: NumberProfile, tonight: NumberProfile, words: Words, bins: Bin[]): Chart {
  const strays = straysOf(reference, tonight)
  const names = withRows(reference, tonight, words)
  const [first, last] = [bins[0], bins.at(-1)]
  const right = strays.length === 0 ? 16 : 48 + 76 * strays.length
  return {
    title: tonight.column,
    description: `${means(reference, tonight)}; ${nulls(reference, tonight)}; ${names.reference}, ${names.tonight}`,
    height: 300,
    option: {
      title: heading(tonight.column, `${means(reference, tonight)}   ${nulls(reference, tonight)}`),
      legend: legend(names),
      grid: [
        { left: 48, right, top: 84, bottom: 30 },
        ...(strays.length === 0 ? [] : [{ right: 8, width: right - 40, top: 84, bottom: 30 }]),
      ],
      xAxis: [
        {
          type: /DATE|TIME/.test(tonight.type) ? 'time' : 'value',
          min: axisValue(tonight, first?.from ?? 0),
          max: axisValue(tonight, last?.to ?? 1),
          splitLine: { show: false },
          axisLine: { lineStyle: { color: colour('quiet') } },
          axisTick: { show: true, lineStyle: { color: colour('quiet') } },
          axisLabel: { ...LABEL, hideOverlap: true },
        },
        ...(strays.length === 0 ? [] : [strayAxis(strays.map(({ name }) => name))]),
      ],
      yAxis: [
        shareAxis(),
        ...(strays.length === 0
          ? []
          : [{ type: 'value' as const, gridIndex: 1, min: 0, max: 100, show: false }]),
      ],
      series: [
        {
          ...STILL,
          name: names.reference,
          type: 'line',
          step: 'end',
          symbol: 'none',
          data: steps(tonight, bins, 'reference'),
          lineStyle: { width: 1, color: colour('reference') },
          itemStyle: REFERENCE,
          areaStyle: { ...REFERENCE, opacity: 0.38 },
        },
        {
          ...STILL,
          name: names.tonight,
          type: 'line',
          step: 'end',
          symbol: 'none',
          data: steps(tonight, bins, 'tonight'),
          lineStyle: { width: 2, color: colour('tonight') },
          itemStyle: TONIGHT,
          areaStyle: { ...TONIGHT, opacity: 0.1 },
        },
        ...(strays.length === 0
          ? []
          : (['reference', 'tonight'] as const).map((side) => ({
              ...STILL,
              type: 'bar' as const,
              name: names[side],
              xAxisIndex: 1,
              yAxisIndex: 1,
              barGap: '25%',
              barCategoryGap: '30%',
              itemStyle: side === 'reference' ? REFERENCE : TONIGHT,
              data: strays.map((stray) => labelled(stray[side], 'top')),
            }))),
      ],
    },
  }
}

function bars(reference: ColumnProfile, tonight: ColumnProfile, words: Words, categories: Category[]): Chart {
  const names = withRows(reference, tonight, words)
  const values = categories.map(({ name }) => name)
  const longest = Math.min(24, Math.max(4, ...values.map((name) => name.length)))
  const { description, shift } = saidOf(categories)
  return {
    title: tonight.column,
    description: `${description}; ${names.reference}, ${names.tonight}`,
    height: 92 + 40 * Math.max(1, categories.length),
    option: {
      title: heading(tonight.column, `${shift}   ${nulls(reference, tonight)}`),
      legend: legend(names),
      grid: { left: 20 + longest * 7, right: 56, top: 78, bottom: 10 },
      xAxis: { type: 'value', show: false, min: 0 },
      yAxis: {
        type: 'category',
        inverse: true,
        data: values,
        axisLine: { lineStyle: { color: colour('quiet') } },
        axisTick: { show: false },
        axisLabel: { color: colour('ink'), fontSize: FONT_SIZE, width: longest * 7, overflow: 'truncate' },
      },
      series: (['reference', 'tonight'] as const).map((side) => ({
        ...STILL,
        type: 'bar' as const,
        name: names[side],
        barGap: '10%',
        barCategoryGap: '28%',
        itemStyle: side === 'reference' ? REFERENCE : TONIGHT,
        data: categories.map((category) => labelled(category[side], 'right')),
      })),
    },
  }
}

/** A bar with its percentage beside it, for whoever cannot tell by length or colour. */
function labelled(share: number, position: 'top' | 'right') {
  return {
    value: round(share),
    label: {
      show: true,
      position,
      formatter: percent(share),
      color: colour('ink'),
      fontSize: FONT_SIZE,
      distance: 4,
    },
  }
}

/** Nulls and infinities, where either side has any: they have no place on the axis of values. */
function straysOf(reference: NumberProfile, tonight: NumberProfile) {
  const infinite = ({ infinite, rows }: NumberProfile) => (rows === 0 ? 0 : infinite / rows)
  return [
    { name: 'null', reference: nullShare(reference), tonight: nullShare(tonight) },
    { name: 'NaN, ∞', reference: infinite(reference), tonight: infinite(tonight) },
  ].filter((stray) => stray.reference > 0 || stray.tonight > 0)
}

function strayAxis(data: string[]) {
  return {
    type: 'category' as const,
    gridIndex: 1,
    data,
    axisTick: { show: false },
    axisLine: { lineStyle: { color: colour('quiet') } },
    axisLabel: LABEL,
  }
}

function shareAxis() {
  return {
    type: 'value' as const,
    min: 0,
    splitNumber: 3,
    splitLine: { lineStyle: { color: colour('line') } },
    axisLabel: { ...LABEL, formatter: '{value} %' },
  }
}

/** The outline of a histogram: each share holds until the next bin begins, and falls to nothing at the end. */
function steps(profile: NumberProfile, bins: Bin[], side: 'reference' | 'tonight'): [number, number][] {
  const last = bins.at(-1)
  if (last === undefined) return []
  const points = bins.map((bin): [number, number] => [axisValue(profile, bin.from), round(bin[side])])
  return [...points, [axisValue(profile, last.to), round(last[side])]]
}

/** The axis of times counts milliseconds, a profile seconds. */
function axisValue({ type }: NumberProfile, value: number): number {
  return /DATE|TIME/.test(type) ? value * 1000 : Number(value.toPrecision(12))
}

function round(share: number): number {
  return Number((share * 100).toFixed(3))
}

function heading(text: string, subtext: string) {
  return {
    text,
    subtext,
    left: 4,
    top: 0,
    itemGap: 4,
    textStyle: { color: colour('ink'), fontSize: 15, fontWeight: 'bold' as const },
    subtextStyle: { color: colour('quiet'), fontSize: FONT_SIZE },
  }
}

function legend(names: Words) {
  return {
    left: 4,
    top: 46,
    itemWidth: 14,
    itemHeight: 10,
    itemGap: 18,
    selectedMode: false,
    icon: 'rect',
    data: [names.reference, names.tonight],
    textStyle: { color: colour('ink'), fontSize: FONT_SIZE },
  }
}

function withRows(reference: ColumnProfile, tonight: ColumnProfile, words: Words): Words {
  return {
    reference: `${words.reference}, ${count(reference.rows)} rows`,
    tonight: `${words.tonight}, ${count(tonight.rows)} rows`,
  }
}

function means(reference: NumberProfile, tonight: NumberProfile): string {
  if (tonight.rows === 0) return 'no rows tonight'
  if (tonight.mean === null) return 'no values tonight'
  if (/DATE|TIME/.test(tonight.type)) return 'times'
  return `mean ${amount(reference.mean)} → ${amount(tonight.mean)}`
}

function nulls(reference: ColumnProfile, tonight: ColumnProfile): string {
  const [before, now] = [nullShare(reference), nullShare(tonight)]
  return before === 0 && now === 0 ? 'no nulls' : `null ${percent(before)} → ${percent(now)}`
}

function saidOf(categories: Category[]): { description: string; shift: string } {
  const moved = categories.toSorted(
    (a, b) => Math.abs(b.tonight - b.reference) - Math.abs(a.tonight - a.reference),
  )
  const said = ({ name, reference, tonight }: Category) =>
    `${name} ${percent(reference)} → ${percent(tonight)}`
  const [most] = moved
  return {
    description: categories.map(said).join(', '),
    shift: most === undefined ? 'no values' : said(most),
  }
}
