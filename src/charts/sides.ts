import { count, rounded } from '../format/numbers.ts'
import { percent } from '../format/shares.ts'
import type { ColumnProfile } from '../pipeline/profile/profile.ts'
import { FONT_SIZE } from './chart.ts'
import { colour } from './colours.ts'
import { nullShare } from './histogram-bins.ts'
import { shortened, wrapped } from './shorten.ts'

/** What the two sides are called, such as `holdout of 3f2a9c0b1d` and `2026-11-22`. */
export interface Words {
  reference: string
  tonight: string
}

export const SIDES = ['reference', 'tonight'] as const
export type Side = (typeof SIDES)[number]

export const FILL: Record<Side, { color: string }> = {
  reference: { color: colour('fill') },
  tonight: { color: colour('tonight') },
}

/** No interaction: pages have no scripts. */
export const STILL = { silent: true, emphasis: { disabled: true } }
export const LABEL = { color: colour('quiet'), fontSize: FONT_SIZE }
export const AXIS_LINE = { lineStyle: { color: colour('quiet') } }

/** Pixels that title, subtitle and a legend of two lines take, above everything. */
const HEAD = 88
/** Of each line of the legend. */
const LINE = 15

const TITLE_SIZE = 15
/** ECharts pads a title by 5 pixels. */
const LEFT = 4
const TEXT_LEFT = LEFT + 5
const RIGHT = 6
const SIGN = 14
const SIGN_GAP = 5

/** Pixels for the subtitle in a picture of a width. */
export function subtitleRoom(width: number): number {
  return width - TEXT_LEFT - RIGHT
}

/** Pixels that title, subtitle and legend take, above everything. */
export function headHeight({ reference, tonight }: Words): number {
  const lines = [reference, tonight].flatMap((name) => name.split('\n')).length
  return HEAD + (lines - SIDES.length) * LINE
}

/** Title, subtitle and legend: one name per line, because the width of the page's font is unknown. */
export function head(title: string, subtitle: string, names: Words, width: number) {
  return {
    title: {
      text: shortened(title, width - TEXT_LEFT - RIGHT, { size: TITLE_SIZE, bold: true }),
      subtext: subtitle,
      left: LEFT,
      top: 0,
      itemGap: 4,
      textStyle: { color: colour('ink'), fontSize: TITLE_SIZE, fontWeight: 'bold' as const },
      subtextStyle: { color: colour('quiet'), fontSize: FONT_SIZE },
    },
    legend: {
      left: TEXT_LEFT,
      top: 44,
      orient: 'vertical' as const,
      itemWidth: SIGN,
      itemHeight: 10,
      itemGap: 5,
      padding: 0,
      selectedMode: false,
      icon: 'rect',
      data: [names.reference, names.tonight],
      textStyle: { color: colour('ink'), fontSize: FONT_SIZE, lineHeight: LINE },
    },
  }
}

/** `2026-11-22, 983 rows`: what the two sides are called. */
export function withRows(reference: ColumnProfile, tonight: ColumnProfile, words: Words): Words {
  return {
    reference: `${words.reference}, ${rowsText(reference)}`,
    tonight: `${words.tonight}, ${rowsText(tonight)}`,
  }
}

/**
 * The same as names of the series, on as many lines as the legend of a picture of that width needs for them: two at
 * most.
 */
export function seriesNames(
  reference: ColumnProfile,
  tonight: ColumnProfile,
  words: Words,
  width: number,
): Words {
  const room = width - TEXT_LEFT - SIGN - SIGN_GAP - RIGHT
  const name = (label: string, profile: ColumnProfile) =>
    wrapped([...`${label},`.split(/\s+/), rowsText(profile)], room).join('\n')
  return { reference: name(words.reference, reference), tonight: name(words.tonight, tonight) }
}

function rowsText({ rows }: ColumnProfile): string {
  return `${count(rows)} rows`
}

/** A bar labelled with its percentage, so that it does not depend on length or colour. */
export function labelled(share: number, position: 'top' | 'right') {
  return {
    value: hundredfold(share),
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

/** Shown for a night without rows, which has no shares. */
export const NO_ROWS = 'no rows tonight'

export function nullsText(reference: ColumnProfile, tonight: ColumnProfile): string {
  const [before, now] = [nullShare(reference), nullShare(tonight)]
  return before === 0 && now === 0 ? 'no nulls' : `null ${percent(before)} → ${percent(now)}`
}

/** A share as a percentage, as the axis counts. */
export function hundredfold(share: number): number {
  return rounded(share * 100, 12)
}
