import { percent } from '../format/shares.ts'
import type { ColumnProfile } from '../pipeline/profile/profile.ts'
import { categoriesOf } from './categories.ts'
import { paint, type Theme } from './colours.ts'
import { escaped } from './escape.ts'
import { type Bin, binsOf, nullShare } from './histogram-bins.ts'
import { NO_ROWS } from './sides.ts'

const WIDTH = 132
const HEIGHT = 36
const FLOOR = HEIGHT - 1

/**
 * Before and after in a row of a table, 132 x 36: numbers as a grey area and a blue outline, categories as pairs of
 * bars. Hand-written SVG, because a table has twenty of them.
 */
export function smallMultiple(
  reference: ColumnProfile,
  tonight: ColumnProfile,
  theme: Theme = 'page',
): string {
  const numbers = reference.kind === 'number' && tonight.kind === 'number'
  const bins = numbers ? binsOf(reference, tonight) : categoriesOf(reference, tonight)
  const most = Math.max(1e-9, ...bins.flatMap(({ reference, tonight }) => [reference, tonight]))
  const height = (share: number) => round((share / most) * (HEIGHT - 4))
  const drawn = numbers
    ? outlines(bins, height, theme)
    : bins.map((bin, index) => pair(bin, index, bins.length, height, theme)).join('')
  const after = tonight.rows === 0 ? NO_ROWS : `then ${percent(nullShare(tonight))}`
  const label = `${tonight.column}, before and after: null ${percent(nullShare(reference))}, ${after}`
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" class="small-multiple" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escaped(label)}">` +
    `${drawn}<path d="M0 ${FLOOR + 0.5}H${WIDTH}" stroke="${paint('quiet', theme)}"/></svg>`
  )
}

type Shares = Pick<Bin, 'reference' | 'tonight'>

function outlines(bins: Shares[], height: (share: number) => number, theme: Theme): string {
  const step = WIDTH / Math.max(1, bins.length)
  const path = (side: 'reference' | 'tonight') =>
    `M0 ${FLOOR}${bins.map((bin, index) => `V${round(FLOOR - height(bin[side]))}H${round((index + 1) * step)}`).join('')}V${FLOOR}`
  return (
    `<path d="${path('reference')}Z" fill="${paint('fill', theme)}"/>` +
    `<path d="${path('tonight')}" fill="none" stroke="${paint('tonight', theme)}" stroke-width="1.5"/>`
  )
}

function pair(
  { reference, tonight }: Shares,
  index: number,
  all: number,
  height: (share: number) => number,
  theme: Theme,
): string {
  const room = WIDTH / all
  const width = Math.min(14, (room - 3) / 2)
  const left = index * room + (room - 2 * width - 1) / 2
  const bar = (share: number, at: number, fill: string) =>
    `<rect x="${round(at)}" y="${round(FLOOR - height(share))}" width="${round(width)}" height="${height(share)}" fill="${fill}"/>`
  return bar(reference, left, paint('fill', theme)) + bar(tonight, left + width + 1, paint('tonight', theme))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
