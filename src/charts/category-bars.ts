import type { ColumnProfile } from '../pipeline/profile/profile.ts'
import { type Category, categoriesOf } from './categories.ts'
import { type Chart, FONT_SIZE } from './chart.ts'
import { colour } from './colours.ts'
import { percent } from './figure.ts'
import {
  AXIS_LINE,
  FILL,
  HEAD,
  head,
  labelled,
  SIDES,
  STILL,
  saysNulls,
  type Words,
  withRows,
} from './sides.ts'

const LETTER = 7
const LONGEST = 24

/** Two bars for each value, with their percentages. */
export function categoryBars(reference: ColumnProfile, tonight: ColumnProfile, words: Words): Chart {
  const categories = categoriesOf(reference, tonight)
  const names = withRows(reference, tonight, words)
  const values = categories.map(({ name }) => name)
  const room = LETTER * Math.min(LONGEST, Math.max(4, ...values.map((name) => name.length)))
  const all = categories.map(said)
  return {
    title: tonight.column,
    description: `${all.join(', ') || 'no values'}; ${names.reference}, ${names.tonight}`,
    height: HEAD + 12 + 40 * Math.max(1, categories.length),
    option: {
      ...head(tonight.column, `${moved(categories)}   ${saysNulls(reference, tonight)}`, names),
      grid: { left: 20 + room, right: 56, top: HEAD, bottom: 10 },
      xAxis: { type: 'value', show: false, min: 0 },
      yAxis: {
        type: 'category',
        inverse: true,
        data: values,
        axisLine: AXIS_LINE,
        axisTick: { show: false },
        axisLabel: { color: colour('ink'), fontSize: FONT_SIZE, width: room, overflow: 'truncate' },
      },
      series: SIDES.map((side) => ({
        ...STILL,
        type: 'bar' as const,
        name: names[side],
        barGap: '10%',
        barCategoryGap: '28%',
        itemStyle: FILL[side],
        data: categories.map((category) => labelled(category[side], 'right')),
      })),
    },
  }
}

/** The value whose share moved most. */
function moved(categories: Category[]): string {
  const [most] = categories.toSorted((a, b) => distance(b) - distance(a))
  return most === undefined ? 'no values' : said(most)
}

function distance({ reference, tonight }: Category): number {
  return Math.abs(tonight - reference)
}

function said({ name, reference, tonight }: Category): string {
  return `${name} ${percent(reference)} → ${percent(tonight)}`
}
