import { percent } from '../format/shares.ts'
import type { ColumnProfile } from '../pipeline/profile/profile.ts'
import { type Category, categoriesOf } from './categories.ts'
import { type Chart, FONT_SIZE } from './chart.ts'
import { colour } from './colours.ts'
import { shortened, widthOf } from './shorten.ts'
import {
  AXIS_LINE,
  FILL,
  head,
  headHeight,
  labelled,
  NO_ROWS,
  nullsText,
  SIDES,
  STILL,
  seriesNames,
  subtitleRoom,
  type Words,
  withRows,
} from './sides.ts'

/** Of the width, for the names of values. */
const NAMES = 0.4
/** ECharts keeps 8 pixels between a name and the axis. */
const GAP = 12

/** Two bars for each value, with their percentages. */
export function categoryBars(
  reference: ColumnProfile,
  tonight: ColumnProfile,
  words: Words,
  width: number,
): Chart {
  const categories = categoriesOf(reference, tonight)
  const names = seriesNames(reference, tonight, words, width)
  const top = headHeight(names)
  const full = withRows(reference, tonight, words)
  const values = categories.map(({ name }) => shortened(name, width * NAMES - GAP))
  const room = Math.ceil(Math.max(30, ...values.map((value) => widthOf(value))))
  const isEmpty = tonight.rows === 0
  const all = isEmpty ? [NO_ROWS] : categories.map(sharesText)
  return {
    title: tonight.column,
    description: `${all.join(', ') || 'no values'}; ${full.reference}, ${full.tonight}`,
    height: top + 12 + 40 * Math.max(1, categories.length),
    option: {
      ...head(
        tonight.column,
        isEmpty ? NO_ROWS : subtitle(categories, nullsText(reference, tonight), width),
        names,
        width,
      ),
      grid: { left: GAP + room, right: 56, top, bottom: 10 },
      xAxis: { type: 'value', show: false, min: 0 },
      yAxis: {
        type: 'category',
        inverse: true,
        data: values,
        axisLine: AXIS_LINE,
        axisTick: { show: false },
        axisLabel: { color: colour('ink'), fontSize: FONT_SIZE },
      },
      series: SIDES.map((side) => ({
        ...STILL,
        type: 'bar' as const,
        name: names[side],
        barGap: '10%',
        barCategoryGap: '28%',
        itemStyle: FILL[side],
        data:
          isEmpty && side === 'tonight'
            ? []
            : categories.map((category) => labelled(category[side], 'right')),
      })),
    },
  }
}

/** The value whose share moved most, and the nulls, which have their own words. */
function subtitle(categories: Category[], nulls: string, width: number): string {
  const [most] = categories.filter(({ isNull }) => !isNull).toSorted((a, b) => distance(b) - distance(a))
  if (most === undefined) return `no values   ${nulls}`
  const figures = `${sharesText({ ...most, name: '' })}   ${nulls}`
  return shortened(most.name, subtitleRoom(width) - widthOf(figures)) + figures
}

function distance({ reference, tonight }: Category): number {
  return Math.abs(tonight - reference)
}

function sharesText({ name, reference, tonight }: Category): string {
  return `${name} ${percent(reference)} → ${percent(tonight)}`
}
