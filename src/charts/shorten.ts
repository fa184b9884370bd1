import { FONT_SIZE } from './chart.ts'

/**
 * Advance widths of ` ` to `~` in hundredths of the font's size: those of DejaVu Sans, as wide as any font that pages
 * are shown in (Verdana is the other one). The pictures in mails are drawn in its condensed form, a tenth narrower.
 */
const WIDTHS = [
  32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34,
  34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63, 61, 73,
  68, 99, 69, 61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63,
  63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84,
]
/** Of all other characters, at most: of the widest Cyrillic ones. */
const OTHER = 110
const BOLD = 1.2
const ELLIPSIS = '…'

interface Font {
  size?: number
  bold?: boolean
}

/** Pixels that a text takes at most. */
export function widthOf(text: string, { size = FONT_SIZE, bold = false }: Font = {}): number {
  const hundredths = [...text].reduce((sum, letter) => sum + letterWidth(letter), 0)
  return (hundredths / 100) * size * (bold ? BOLD : 1)
}

/**
 * The text on one line of so many pixels, with an ellipsis in its middle if it is longer: both ends distinguish
 * values.
 */
export function shortened(text: string, pixels: number, font: Font = {}): string {
  const line = text.replace(/\s+/g, ' ').trim()
  if (widthOf(line, font) <= pixels) return line
  const letters = [...line]
  let [head, tail] = [0, 0]
  let short = ELLIPSIS
  while (head + tail < letters.length) {
    const isHead = head <= tail
    const longer = joined(letters, head + (isHead ? 1 : 0), tail + (isHead ? 0 : 1))
    if (widthOf(longer, font) > pixels) break
    if (isHead) head++
    else tail++
    short = longer
  }
  return short
}

/**
 * Words on one line or two of so many pixels each, parted by spaces: whole words alone. Where two lines are too few,
 * the second has an ellipsis for the words that are left out at its beginning; a word that is longer than a line is
 * shortened.
 */
export function wrapped(words: string[], pixels: number, font: Font = {}): string[] {
  const pieces = words.map((word) => shortened(word, pixels, font))
  const line = (from: number, to: number) => pieces.slice(from, to).join(' ')
  const fits = (text: string) => widthOf(text, font) <= pixels
  let first = pieces.length
  while (first > 1 && !fits(line(0, first))) first--
  if (first === pieces.length) return [line(0, first)]
  if (fits(line(first, pieces.length))) return [line(0, first), line(first, pieces.length)]
  let last = pieces.length - 1
  while (last > first + 1 && fits(`${ELLIPSIS} ${line(last - 1, pieces.length)}`)) last--
  const tail = `${ELLIPSIS} ${line(last, pieces.length)}`
  return [line(0, first), fits(tail) ? tail : line(last, pieces.length)]
}

function joined(letters: string[], head: number, tail: number): string {
  return (
    letters.slice(0, head).join('') + ELLIPSIS + letters.slice(tail === 0 ? letters.length : -tail).join('')
  )
}

function letterWidth(letter: string): number {
  return WIDTHS[(letter.codePointAt(0) ?? 0) - 32] ?? OTHER
}
